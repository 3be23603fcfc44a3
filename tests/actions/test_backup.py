"""`backup`: real dumps of a real database, in a directory and in a stand-in for an object store."""

from __future__ import annotations

import hashlib
import json
import stat
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from pydantic import ValidationError

from runbook_tui.actions import registry
from runbook_tui.actions.backup import manifest
from runbook_tui.actions.backup.manifest import Manifest
from state.status import Verdict
from tests.harness.actions import Bench, act, context, look, refused
from tests.harness.here import FaultReached
from tests.harness.http import Reply
from tests.harness.postgres import Server
from tests.harness.s3 import Objects, objects


@pytest.fixture(scope="module")
def source(postgres: Server) -> Iterator[str]:
    """A database with something in it."""
    url = postgres.create()
    with psycopg.connect(url) as connection:
        connection.execute("create table t as select n as a from generate_series(1, 10) n")
    yield url
    postgres.drop(url)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


@pytest.fixture
def bucket() -> Iterator[Objects]:
    with objects() as store:
        yield store


def test_a_dump_is_kept_proven_and_found_again(bench: Bench, source: str) -> None:
    options = {"database": source, "to": "kept"}
    job = bench.job("backup", options)
    assert look(job).verdict is Verdict.ABSENT
    outcome = act(job)
    path = Path(outcome.outputs["path"])
    assert hashlib.sha256(path.read_bytes()).hexdigest() == outcome.outputs["sha256"]
    assert path.stat().st_size == int(outcome.outputs["size"])
    for each in (path, Path(f"{path}.json")):
        assert stat.S_IMODE(each.stat().st_mode) == 0o600
    kept = json.loads(Path(f"{path}.json").read_text())
    assert (kept["run"], kept["step"], kept["things"] > 0) == (bench.run, "step", True)
    assert not (bench.attempt(1) / "dump").exists()
    found = look(bench.job("backup", options, number=2))
    assert (found.verdict, found.outputs) == (Verdict.PRESENT, outcome.outputs)
    assert look(Bench(bench.cwd, run="1123-late").job("backup", options)).verdict is Verdict.ABSENT


def test_a_step_of_an_included_runbook(bench: Bench, source: str) -> None:
    """Its id holds a slash, which no file name can."""
    job = replace(bench.job("backup", {"database": source, "to": "kept"}), step="part/inner/save")
    path = Path(act(job).outputs["path"])
    assert path.parent == bench.cwd / "kept"
    assert json.loads(Path(f"{path}.json").read_text())["step"] == "part/inner/save"
    assert look(job).verdict is Verdict.PRESENT


@pytest.mark.parametrize("point", ["backup.dumped", "backup.kept"])
def test_what_an_interruption_leaves(bench: Bench, source: str, point: str) -> None:
    options = {"database": source, "to": "kept"}
    recorder = context(job := bench.job("backup", options))
    recorder.cut = point
    with pytest.raises(FaultReached):
        act(job, recorder)
    verdict = look(bench.job("backup", options, number=2)).verdict
    assert verdict is (Verdict.ABSENT if point == "backup.dumped" else Verdict.PRESENT)


def test_leftovers_of_a_killed_attempt_are_removed(bench: Bench, source: str) -> None:
    first = bench.job("backup", {"database": source, "to": "kept"})
    (Path(first.directory) / "dump").write_bytes(b"half")
    (bench.cwd / "kept").mkdir()
    part = bench.cwd / "kept" / f".db.20260101T000000Z.{bench.run}.step.dump.part"
    part.write_bytes(b"half")
    act(bench.job("backup", {"database": source, "to": "kept"}, number=2))
    assert not part.exists()
    assert not (Path(first.directory) / "dump").exists()


def old(database: str, run: str, at: str = "2020-01-01T00:00:00Z") -> Manifest:
    return Manifest(database, run, "step", at, 4, "0" * 64, 1)


def test_old_dumps_of_this_database_are_removed(bench: Bench, source: str) -> None:
    kept = bench.cwd / "kept"
    kept.mkdir()
    name = source.rpartition("/")[2]
    mine, other = old(name, "0101-aaaa"), old("other", "0101-aaaa")
    recent = old(name, "0101-bbbb", manifest.now())
    for each in (mine, other, recent):
        (kept / each.name).write_bytes(b"dump")
        (kept / f"{each.name}.json").write_bytes(each.dumped())
    (kept / "stranger.dump.json").write_text("{}")
    (kept / "notes.txt").write_text("keep me")
    job = bench.job("backup", {"database": source, "to": "kept", "keep": "30d"})
    recorder = context(job)
    outcome = act(job, recorder)
    assert outcome.evidence[0].data["removed"] == [mine.name]
    left = {each.name for each in kept.iterdir()}
    assert not left & {mine.name, f"{mine.name}.json"}
    assert left >= {other.name, f"{recent.name}.json", "stranger.dump.json", "notes.txt"}
    assert f"removed {mine.name}, older than 30d" in recorder.text()


def test_a_password_is_in_no_argument(bench: Bench, source: str) -> None:
    url = source.replace("postgres@", "postgres:sw%3Aordfish@")
    recorder = context(job := bench.job("backup", {"database": url, "to": "kept"}))
    act(job, recorder)
    assert [argv[0] for argv in recorder.argvs] == ["pg_dump", "pg_restore"]
    assert "ordfish" not in repr(recorder.argvs)


def test_no_database(bench: Bench) -> None:
    job = bench.job("backup", {"database": "host=127.0.0.1 port=1 dbname=x", "to": "kept"})
    failure = refused(job)
    assert (failure.cause, failure.effect) == ("connection", "none")
    assert failure.sentence.startswith("pg_dump ended with exit code 1: pg_dump: error: connection")
    assert not (bench.attempt(1) / "dump").exists()
    assert look(job).verdict is Verdict.UNKNOWN
    assert "is not one" in refused(bench.job("backup", {"database": "x=", "to": "k"})).sentence


def test_a_place_that_cannot_be_written(bench: Bench, source: str) -> None:
    (bench.cwd / "file").write_text("in the way")
    failure = refused(bench.job("backup", {"database": source, "to": "file/sub"}))
    assert failure.sentence.endswith("file/sub cannot be written: Not a directory.")
    assert failure.effect == "none"


def test_a_dump_still_being_taken_is_seen(bench: Bench, source: str) -> None:
    job = bench.job("backup", {"database": source, "to": "kept"})
    with psycopg.connect(source, application_name=f"runbook {bench.run} step"):
        found = look(job)
        assert found.verdict is Verdict.RUNNING
        assert "backend " in found.found[0]


def test_a_dump_without_its_manifest_is_no_backup_and_goes_with_the_next_try(
    bench: Bench, source: str, bucket: Objects
) -> None:
    options = {"database": source, "to": "s3://backups/daily", "s3": bucket.options}
    mine = Manifest("hub", bench.run, "step", "2026-11-24T12:00:00Z", 4, "0" * 64, 1)
    other = Manifest("hub", "1123-zzzz", "step", "2026-11-24T12:00:00Z", 4, "0" * 64, 1)
    bucket.held |= {f"daily/{mine.name}": b"dump", f"daily/{other.name}": b"dump"}
    found = look(bench.job("backup", options, number=2))
    assert found.verdict is Verdict.ABSENT
    assert found.found == (f"{mine.name} lies there without its manifest: it is no backup",)
    outcome = act(bench.job("backup", options, number=2))
    kept = outcome.outputs["path"].removeprefix("s3://backups/")
    assert set(bucket.held) == {kept, f"{kept}.json", f"daily/{other.name}"}


def test_an_object_store(bench: Bench, source: str, bucket: Objects) -> None:
    options = {"database": source, "to": "s3://backups/daily", "s3": bucket.options, "keep": "30d"}
    mine = old(source.rpartition("/")[2], "0101-aaaa")
    bucket.held |= {f"daily/{mine.name}": b"dump", f"daily/{mine.name}.json": mine.dumped()}
    outcome = act(bench.job("backup", options))
    assert outcome.outputs["path"].startswith("s3://backups/daily/")
    name = outcome.outputs["path"].removeprefix("s3://backups/")
    assert hashlib.sha256(bucket.held[name]).hexdigest() == outcome.outputs["sha256"]
    assert set(bucket.held) == {name, f"{name}.json"}
    found = look(bench.job("backup", options, number=2))
    assert (found.verdict, found.outputs) == (Verdict.PRESENT, outcome.outputs)


def test_old_dumps_that_stay_fail_the_step_but_not_the_backup(
    bench: Bench, source: str, bucket: Objects
) -> None:
    options = {"database": source, "to": "s3://backups/daily", "s3": bucket.options, "keep": "30d"}
    mine = old(source.rpartition("/")[2], "0101-aaaa")
    bucket.held |= {f"daily/{mine.name}.json": mine.dumped()}
    real = bucket.reply
    bucket.web.reply = lambda asked: real(asked) if asked.method in {"GET", "PUT"} else Reply(403)
    failure = refused(bench.job("backup", options))
    assert failure.effect == "done"
    assert failure.sentence.startswith(f"The backup is kept at {failure.outputs['path']}, but")
    assert look(bench.job("backup", options, number=2)).verdict is Verdict.PRESENT


def test_an_object_store_that_refuses(bench: Bench, source: str, bucket: Objects) -> None:
    bucket.refuse = 403
    options = {"database": source, "to": "s3://backups/daily", "s3": bucket.options}
    job = bench.job("backup", options)
    failure = refused(job)
    assert failure.sentence.startswith("The backup cannot be kept: s3://backups: ")
    assert look(job).verdict is Verdict.UNKNOWN
    assert bucket.held == {}


def test_what_comes_back_must_be_what_was_written(
    bench: Bench, source: str, bucket: Objects
) -> None:
    class Spoiled(dict[str, bytes]):
        def __setitem__(self, name: str, body: bytes) -> None:
            super().__setitem__(name, body[:-1] + b"?")

    bucket.held = Spoiled()
    options = {"database": source, "to": "s3://backups", "s3": bucket.options}
    failure = refused(bench.job("backup", options))
    assert "is not what was written: its SHA-256 is" in failure.sentence
    assert bucket.held == {}


def test_s3_goes_with_an_address_of_it() -> None:
    with pytest.raises(ValidationError, match="s3 goes with"):
        registry.spec("backup").options.model_validate({"database": "x", "to": "d", "s3": {}})
