"""The output of an attempt, read on a machine where it did not run."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from state.stores import postgres_outputs, postgres_sharing, shared_output
from state.stores.attempt_dir import AttemptDir
from state.stores.location import Location
from state.stores.output import OutputWriter
from state.stores.result import Result
from state.stores.signals import append_host, append_sample, read_hosts, read_samples
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
    monkeypatch.setattr(postgres_sharing, "BATCH", 1000)
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


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Little is shared: a thousand bytes of the beginning, five hundred of the end."""
    monkeypatch.setattr(shared_output, "HEAD", 1000)
    monkeypatch.setattr(shared_output, "TAIL", 500)
    monkeypatch.setattr(postgres_sharing, "BATCH", 300)


LINES = b"".join(b"line %04d\n" % number for number in range(2000))


@pytest.mark.usefixtures("short")
def test_of_a_long_output_the_beginning_and_the_end_are_shared_and_it_is_said(
    location: Location, store: Store, tmp_path: Path
) -> None:
    directory = attempt(store)
    lock = directory.hold()
    with Location(tmp_path / "elsewhere", location.url).open() as elsewhere:
        with OutputWriter(directory) as writer:
            store.outputs.follow(ATTEMPT)
            writer.write(LINES[:1400])
            until(lambda: read(elsewhere) == LINES[:1000], "the beginning")
            writer.write(LINES[1400:])
            until(lambda: b"All of it" in read(elsewhere), "the word that there is more")
            live = read(elsewhere)
        directory.write_result(ENDED)
        os.close(lock)
        store.outputs.finish(ATTEMPT)
        until(lambda: read(elsewhere).endswith(LINES[-200:]), "the end")
        whole = read(elsewhere)
        assert whole.startswith(live)
        assert live.startswith(LINES[:1000] + "\n… long output: what comes now".encode())
        said, _, end = whole[len(live) :].partition(b"\n")
        assert LINES.endswith(end)
        assert len(end) <= 500
        assert end.startswith(b"line ")
        left = (len(LINES) - 1000 - len(end)) / 1e6
        assert f"… {left:.1f} MB left out here. All of it: {directory.output} on " in said.decode()
        assert read(elsewhere, len(whole) - 50) == whole[-50:]
        elsewhere.outputs.fetch(ATTEMPT)
        copy = AttemptDir(elsewhere.directory / ATTEMPT)
        assert copy.output.read_bytes() == whole
        until(lambda: known(elsewhere) == ENDED, "the result elsewhere")


@pytest.mark.usefixtures("short")
def test_what_is_just_longer_than_the_beginning_is_shared_whole_in_the_end(
    location: Location, store: Store, tmp_path: Path
) -> None:
    with Location(tmp_path / "elsewhere", location.url).open() as elsewhere:
        directory = attempt(store)
        with OutputWriter(directory) as writer:
            writer.write(LINES[:1500])
        directory.write_result(ENDED)
        store.outputs.follow(ATTEMPT)
        store.outputs.finish(ATTEMPT)
        until(lambda: read(elsewhere) == LINES[:1500], "all of it")


@pytest.mark.usefixtures("short")
def test_a_later_program_shares_the_end_of_a_long_output(
    location: Location, tmp_path: Path
) -> None:
    with location.open() as store:
        directory = attempt(store)
        lock = directory.hold()
        with OutputWriter(directory) as writer:
            store.outputs.follow(ATTEMPT)
            writer.write(LINES)
    with Location(tmp_path / "elsewhere", location.url).open() as elsewhere:
        live = read(elsewhere)
        assert live.startswith(LINES[:1000])
        assert LINES[-10:] not in live
        directory.write_result(ENDED)
        os.close(lock)
        location.open().close()
        whole = read(elsewhere)
        assert whole.startswith(live)
        assert whole.endswith(LINES[-400:])
        assert known(elsewhere) == ENDED


def test_what_an_attempt_says_about_itself_comes_with_its_output(
    location: Location, store: Store, tmp_path: Path
) -> None:
    directory = attempt(store)
    lock = directory.hold()
    with Location(tmp_path / "elsewhere", location.url).open() as elsewhere:
        copy = AttemptDir(elsewhere.directory / ATTEMPT)

        def samples() -> int:
            elsewhere.outputs.fetch(ATTEMPT)
            return len(read_samples(copy)[0])

        append_host(directory, "app-1", "running", "restarts")
        append_sample(directory, {"latency": 12})
        store.outputs.follow(ATTEMPT)
        until(lambda: samples() == 1 and read_hosts(copy), "the first sample and host elsewhere")
        assert [one.text for one in read_hosts(copy).values()] == ["restarts"]
        append_sample(directory, {"latency": 13})
        append_host(directory, "app-1", "done", "up")
        directory.write_result(ENDED)
        os.close(lock)
        until(lambda: known(elsewhere) == ENDED, "the result elsewhere")
        assert samples() == 2, "all that was said before it ended"
        assert read_hosts(copy)["app-1"].state == "done"
        assert read(elsewhere) == b"", "none of it is output"


def known(store: Store) -> object:
    """Return the result of the attempt as it is known where it did not run."""
    store.outputs.fetch(ATTEMPT)
    return AttemptDir(store.directory / ATTEMPT).read_result()
