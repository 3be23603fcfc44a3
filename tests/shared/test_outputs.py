"""The output of an attempt, read on a machine where it did not run."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from state.stores import postgres_outputs
from state.stores.attempt_dir import AttemptDir
from state.stores.location import Location
from state.stores.output import OutputWriter
from state.stores.result import Result
from state.stores.store import Store
from tests.harness.link import Link
from tests.harness.processes import until

ENDED = Result("succeeded", effect="done", outputs={"digest": "sha256:9c1e"})
ATTEMPT = "runs/1123-k7f3/attempts/build.1"


def attempt(store: Store) -> AttemptDir:
    """Make the attempt on the machine of a store."""
    directory = AttemptDir(store.directory / ATTEMPT)
    directory.create()
    return directory


def read(store: Store, offset: int = 0) -> bytes:
    """Return what there is to read."""
    return b"".join(store.outputs.read(ATTEMPT, offset))


def test_it_is_read_elsewhere_while_it_grows(
    location: Location, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_outputs, "BATCH", 1000)
    big = bytes(range(256)) * 50
    with Location(tmp_path / "elsewhere", location.url).open() as elsewhere:
        assert elsewhere.outputs.size(ATTEMPT) is None
        with OutputWriter(attempt(store)) as writer:
            store.outputs.follow(ATTEMPT)
            writer.write(b"one\n")
            until(lambda: read(elsewhere) == b"one\n", "the first line elsewhere")
            elsewhere.outputs.fetch(ATTEMPT)
            copy = AttemptDir(elsewhere.directory / ATTEMPT)
            assert copy.output.read_bytes() == b"one\n"
            writer.write(big)
            until(lambda: elsewhere.outputs.size(ATTEMPT) == 4 + len(big), "the rest elsewhere")
        store.outputs.finish(ATTEMPT)
        assert read(elsewhere) == b"one\n" + big
        assert read(elsewhere, 1003) == (b"one\n" + big)[1003:]
        for _ in range(2):
            elsewhere.outputs.fetch(ATTEMPT)
            assert copy.output.read_bytes() == b"one\n" + big
        assert not copy.exists(), "a copy is no attempt of that machine"


def test_what_was_written_last_is_shared_when_the_program_leaves(
    location: Location, tmp_path: Path
) -> None:
    with location.open() as store, OutputWriter(attempt(store)) as writer:
        store.outputs.follow(ATTEMPT)
        writer.write(b"last words\n")
    with Location(tmp_path / "elsewhere", location.url).open() as elsewhere:
        assert read(elsewhere) == b"last words\n"


def test_what_could_not_be_shared_at_the_end_is_shared_by_the_next_program(
    location: Location, link: Link, store: Store, tmp_path: Path
) -> None:
    there = Location(tmp_path / "far", link.through(location.url or ""))
    with there.open() as far:
        with OutputWriter(attempt(far)) as writer:
            far.outputs.follow(ATTEMPT)
            writer.write(b"before\n")
            until(lambda: read(store) == b"before\n", "the first line")
            link.cut()
            writer.write(b"last words\n")
        far.outputs.finish(ATTEMPT)
    assert read(store) == b"before\n"
    link.mend()
    there.open().close()
    assert read(store) == b"before\nlast words\n"
    assert not (there.directory / "unshared").exists()


def test_how_it_ended_is_shared_with_its_output(
    location: Location, store: Store, tmp_path: Path
) -> None:
    directory = attempt(store)
    lock = directory.hold()
    with Location(tmp_path / "elsewhere", location.url).open() as elsewhere:
        copy = AttemptDir(elsewhere.directory / ATTEMPT)

        def known() -> object:
            elsewhere.outputs.fetch(ATTEMPT)
            return copy.read_result()

        with OutputWriter(directory) as writer:
            store.outputs.follow(ATTEMPT)
            writer.write(b"last words\n")
            assert known() is None
        directory.write_result(ENDED)
        os.close(lock)
        until(known, "the result elsewhere")
        assert copy.read_result() == ENDED
        assert copy.output.read_bytes() == b"last words\n"
        assert read(elsewhere) == b"last words\n", "a result is no output"


def test_the_end_of_what_outlives_the_program_is_shared_by_the_next_one(
    location: Location, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_outputs, "_LEAVE_SECONDS", 1000.0)  # should it wait for the end
    with location.open() as store:
        directory = attempt(store)
        lock = directory.hold()
        store.outputs.follow(ATTEMPT)
    with Location(tmp_path / "elsewhere", location.url).open() as elsewhere:
        copy = AttemptDir(elsewhere.directory / ATTEMPT)
        for ended in (False, True):
            if ended:
                directory.write_result(ENDED)
                os.close(lock)
            location.open().close()
            elsewhere.outputs.fetch(ATTEMPT)
            assert copy.read_result() == (ENDED if ended else None)
    assert not (location.directory / "unshared").exists()


def test_a_later_session_goes_on_where_the_first_one_ended(
    location: Location, tmp_path: Path
) -> None:
    with location.open() as store, OutputWriter(attempt(store)) as writer:
        store.outputs.follow(ATTEMPT)
        writer.write(b"one\n")
    with location.open() as store:
        with OutputWriter(AttemptDir(store.directory / ATTEMPT)) as writer:
            writer.write(b"two\n")
        store.outputs.follow(ATTEMPT)
    with Location(tmp_path / "elsewhere", location.url).open() as elsewhere:
        assert read(elsewhere) == b"one\ntwo\n"


def test_what_is_written_while_the_database_is_away_follows(
    far: Store, link: Link, store: Store
) -> None:
    with OutputWriter(attempt(far)) as writer:
        far.outputs.follow(ATTEMPT)
        writer.write(b"before\n")
        until(lambda: read(store) == b"before\n", "the first line")
        link.cut()
        writer.write(b"meanwhile\n")
        link.mend()
        until(lambda: read(store) == b"before\nmeanwhile\n", "the second line")
