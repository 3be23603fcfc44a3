"""A run packed here and read there: the same in every word, and only to be read."""

from __future__ import annotations

import gzip
import io
import json
import os
import re
import shutil
import tarfile
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from runbook_tui import exits
from runbook_tui.archive import importing, layout
from state.codec import EMPTY, head_of, record_hash, record_line
from state.events import Record
from state.stores import sqlite_checks
from state.stores.machine import host_name
from tests.commands.conftest import Program, Ran, newest, write
from tests.harness.processes import until
from tests.harness.program import Program as Process
from tests.harness.program import step

STEPS = """
- {id: a, run: 'echo from-a', undo: {run: 'echo back-a'}}
- {id: b, run: 'echo from-b; exit 3'}
"""
ORIGIN = f"imported from out.tar.gz, exported by dana@{host_name()}"
FORGED = "{id: a, run: 'echo from-a'}"
Members = dict[str, bytes]


@pytest.fixture
def run(program: Program) -> str:
    """A run that failed, was rolled back, and is packed in `out.tar.gz`."""
    write("deploy.yaml", STEPS)
    assert program("run", "deploy.yaml", "--headless").code == exits.FAILED
    run = newest(program)
    assert program("rollback", run, "--headless", "--yes").code == exits.DONE
    ran = program("export", run, "-o", "out.tar.gz")
    assert (ran.code, ran.err) == (exits.DONE, "")
    assert f"run {run}: rolled_back" in ran.out
    assert f"run {run}-back: succeeded" in ran.out
    return run


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[], Path]:
    """Go on with a state directory that holds nothing."""

    def go() -> Path:
        other = tmp_path / "elsewhere"
        monkeypatch.setenv("RUNBOOK_STATE", str(other))
        return other

    return go


def looks(program: Program, run: str) -> list[str]:
    """Return all that the looking commands say of a run, but where it lies and comes from."""
    said = []
    for words in (
        ("show", run),
        ("show", run, "--json"),
        ("log", run, "a"),
        ("log", run, "b"),
        ("events", run),
        ("audit", run),
        ("report", run),
        ("report", run, "--format", "html"),
        ("show", f"{run}-back"),
        ("log", f"{run}-back", "undo-a"),
        ("audit", f"{run}-back"),
    ):
        ran = program(*words)
        assert ran.code == exits.DONE, ran.err
        text = ran.out.replace(os.environ["RUNBOOK_STATE"], "STATE")
        text = text.replace(f'"origin": "{ORIGIN}"', '"origin": null')
        text = re.sub(rf"<tr><th>[^<]*</th><td>{ORIGIN}</td></tr>", "", text)
        said.append("".join(one for one in text.splitlines(True) if ORIGIN not in _plain(one)))
    return said


def _plain(line: str) -> str:
    """Return a line of Markdown without its escapes."""
    return line.replace("\\", "")


def test_all_that_can_be_read_here_can_be_read_there(
    program: Program, run: str, elsewhere: Callable[[], Path]
) -> None:
    here = looks(program, run)
    elsewhere()
    ran = program("import", "out.tar.gz")
    assert (ran.code, ran.err) == (exits.DONE, "")
    assert "the chain is whole" in ran.out
    assert looks(program, run) == here
    assert program("show", run, "--json").json()["origin"] == ORIGIN
    for words in (("show", run), ("audit", run)):
        assert ORIGIN in program(*words).out
    assert ORIGIN in _plain(program("report", run).out)
    assert {one["run"] for one in program("runs", "--json").json()} == {run, f"{run}-back"}


def test_what_was_imported_can_only_be_read(
    program: Program, elsewhere: Callable[[], Path]
) -> None:
    write("deploy.yaml", STEPS)
    assert program("run", "deploy.yaml", "--headless").code == exits.FAILED
    run = newest(program)
    assert program("export", run).code == exits.DONE
    elsewhere()
    assert program("import", f"{run}.tar.gz").code == exits.DONE
    before = program("events", run).out
    for words in (("resume", run, "--headless"), ("rollback", run, "--headless", "--yes")):
        ran = program(*words)
        assert (ran.code, "can only be read here" in ran.err) == (exits.USAGE, True)
        assert f"imported from {run}.tar.gz" in ran.err
    assert program("note", run, "seen").code == exits.USAGE
    assert program("events", run).out == before
    # It is none of the runs to go on with, and stands in nobody's way.
    assert "Every run is over" in program("resume", "--headless").err
    assert program("run", "deploy.yaml", "--headless").code == exits.FAILED


def test_a_second_import_does_nothing_and_another_record_is_refused(
    program: Program,
    run: str,
    elsewhere: Callable[[], Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    here = os.environ["RUNBOOK_STATE"]
    again = program("import", "out.tar.gz")
    assert (again.code, "is here already" in again.out) == (exits.DONE, True)
    elsewhere()
    assert program("import", "out.tar.gz").code == exits.DONE
    again = program("import", "out.tar.gz")
    assert (again.code, again.out.count("is here already")) == (exits.DONE, 2)
    monkeypatch.setenv("RUNBOOK_STATE", here)
    assert program("note", run, "came later").code == exits.DONE
    assert program("export", run, "-o", "later.tar.gz").code == exits.DONE
    elsewhere()
    refused = program("import", "later.tar.gz")
    assert (refused.code, "Nothing was imported" in refused.err) == (exits.USAGE, True)
    assert "came later" not in program("events", run).out


def test_a_run_that_is_driven_is_packed_as_far_as_it_is(
    tmp_path: Path, program: Program, elsewhere: Callable[[], Path]
) -> None:
    state = Path(os.environ["RUNBOOK_STATE"])
    wait = 'echo begun; while [ ! -e "$PWD/go" ]; do sleep 0.05; done'
    write("slow.yaml", f"- {{id: slow, run: '{wait}'}}")
    process = Process(state, tmp_path)
    with process.start("run", "slow.yaml", "--headless") as driver:
        try:
            _until_output(state, "begun")
            run = newest(program)
            ran = program("export", run)
            assert (ran.code, "somebody drives it" in ran.out) == (exits.DONE, True)
        finally:
            (tmp_path / "go").touch()
            driver.communicate()
    elsewhere()
    assert program("import", f"{run}.tar.gz").code == exits.DONE
    assert program("log", run, "slow").out == "begun\n"
    assert step(program("show", run, "--json").json(), "slow")["status"] != "succeeded"


def _until_output(state: Path, text: str) -> None:
    def said() -> bool:
        return any(text in path.read_text() for path in state.glob("runs/*/attempts/*/output.log"))

    until(said, "the step's output")


def test_files_that_are_gone_are_told_at_both_ends(
    program: Program, run: str, elsewhere: Callable[[], Path]
) -> None:
    shutil.rmtree(Path(os.environ["RUNBOOK_STATE"], "runs", run, "attempts", "b.1"))
    out = program("export", run, "-o", "out.tar.gz").out
    assert f"1 of its tries have no files any more, runs/{run}/attempts/b.1 first" in out
    elsewhere()
    assert "had no files any more" in program("import", "out.tar.gz").out
    assert "is gone" in program("log", run, "b").err
    assert program("log", run, "a").out == "from-a\n"


# What is refused


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, bytes]:
    """The same archive for all tests that forge one: the run's id, and its bytes."""
    folder = tmp_path_factory.mktemp("packed")
    (folder / "deploy.yaml").write_text(
        f"runbook: Test\nphases: [{{phase: P, steps: [{FORGED}]}}]\n"
    )
    process = Process(folder / "state", folder)
    process.run("run", "deploy.yaml", "--headless").expect(exits.DONE)
    [run] = [one["run"] for one in process.runs()]
    process.run("export", run, "-o", "out.tar.gz").expect(exits.DONE)
    return run, (folder / "out.tar.gz").read_bytes()


@pytest.fixture
def archive(program: Program, packed: tuple[str, bytes]) -> str:
    """That archive, in `out.tar.gz`; nothing is in the state directory."""
    run, content = packed
    Path("out.tar.gz").write_bytes(content)
    return run


def contents(archive: Path) -> Members:
    """Return the members of an archive."""
    with tarfile.open(archive) as tar:
        return {one.name: _read(tar, one) for one in tar}


def _read(tar: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    file = tar.extractfile(member)
    assert file is not None
    return file.read()


def pack(members: Members, *extra: tarfile.TarInfo) -> None:
    """Write `bad.tar.gz` with these members."""
    with tarfile.open("bad.tar.gz", "w:gz", format=tarfile.GNU_FORMAT) as tar:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
        for one in extra:
            tar.addfile(one, io.BytesIO(b"x" * one.size))


def relisted(members: Members, change: Callable[[Any], None] = lambda manifest: None) -> Members:
    """Return the members with a manifest that fits them, as a forger would make it."""
    manifest = json.loads(members["manifest.json"])
    manifest["members"] = {
        name: {"size": len(content), "sha256": sha256(content).hexdigest()}
        for name, content in members.items()
        if name != "manifest.json"
    }
    change(manifest)
    return {**members, "manifest.json": json.dumps(manifest).encode()}


def refused(program: Program) -> Ran:
    """Import `bad.tar.gz`, which must leave nothing; return what was said."""
    state = Path(os.environ["RUNBOOK_STATE"])
    ran = program("import", "bad.tar.gz")
    assert ran.code == exits.USAGE, ran.out
    assert "Nothing was imported" in ran.err
    assert "Traceback" not in ran.err
    assert program("runs", "--json").json() == []
    assert list((state / "runs").iterdir()) == []
    assert not (state / "imports").exists()
    assert not Path("escaped").exists()
    return ran


Forge = Callable[[Members, str], Members]


def _edit(name: str, old: bytes, new: bytes, *, listed: bool) -> Forge:
    def forge(members: Members, run: str) -> Members:
        name_ = name.replace("RUN", run)
        assert old in members[name_]
        edited = {**members, name_: members[name_].replace(old, new, 1)}
        return relisted(edited) if listed else edited

    return forge


def _without(name: str, *, listed: bool) -> Forge:
    def forge(members: Members, run: str) -> Members:
        kept = {key: one for key, one in members.items() if key != name.replace("RUN", run)}
        return relisted(kept) if listed else kept

    return forge


def _with(name: str, *, listed: bool) -> Forge:
    def forge(members: Members, run: str) -> Members:
        more = {**members, name.replace("RUN", run): b"x"}
        return relisted(more) if listed else more

    return forge


def _manifest(key: str, value: object) -> Forge:
    def forge(members: Members, run: str) -> Members:
        return relisted(members, lambda manifest: manifest.update({key: value}))

    return forge


def _said(change: Callable[[dict[str, Any]], None]) -> Forge:
    """Have events say something else, in a chain that is whole."""

    def forge(members: Members, run: str) -> Members:
        name = f"runs/{run}/events.jsonl"
        head, lines = EMPTY, []
        for line in members[name].splitlines():
            fields = json.loads(line)
            change(fields)
            made = Record(**{**fields, "prev": head.hash})
            record = replace(made, hash=record_hash(made))
            head = head_of(record)
            lines.append(record_line(record))

        def vouch(manifest: Any) -> None:
            manifest["runs"][0].update(count=head.count, hash=head.hash)

        content = "".join(f"{line}\n" for line in lines).encode()
        return relisted({**members, name: content}, vouch)

    return forge


def _outside(fields: dict[str, Any]) -> None:
    if "directory" in fields["data"]:
        fields["data"]["directory"] = f"runs/{fields['run']}/../../../etc"


def _rolls_itself_back(fields: dict[str, Any]) -> None:
    if "base" in fields["data"]:
        fields["data"]["base"] = fields["run"]


def _at_no_time(fields: dict[str, Any]) -> None:
    fields["at"] = "2026-02-30T00:00:00Z"


def _long_manifest(members: Members, run: str) -> Members:
    return {**members, "manifest.json": members["manifest.json"] + b" " * (6 << 20)}


@pytest.mark.parametrize(
    ("forge", "said"),
    [
        (
            _edit("runs/RUN/files/attempts/a.1/output.log", b"a", b"b", listed=False),
            "not as it was",
        ),
        (_edit("runs/RUN/events.jsonl", b"from", b"form", listed=True), "not intact"),
        (_edit("runs/RUN/events.jsonl", b'"at"', b' "at"', listed=True), "cannot be read"),
        (
            _edit("runs/RUN/events.jsonl", b"run_started", b"run_beamed", listed=True),
            "unknown kind",
        ),
        (_edit("runs/RUN/events.jsonl", b"{", b"[" * 200_000, listed=True), "cannot be read"),
        (_edit("runs/RUN/sources/0001", b"Test", b"Text", listed=True), "not as they were written"),
        (_without("runs/RUN/events.jsonl", listed=True), "lacks runs/"),
        (_without("runs/RUN/sources/0001", listed=False), "does not hold"),
        (_without("manifest.json", listed=False), "no manifest"),
        (_with("runs/RUN/files/more", listed=False), "does not list"),
        (_with("runs/other/files/more", listed=True), "at a wrong place"),
        (_with("../escaped", listed=True), "at a wrong place"),
        (_with("/tmp/escaped", listed=True), "at a wrong place"),
        (_with("runs/RUN/files/../../../../escaped", listed=True), "at a wrong place"),
        (_with("runs/RUN/files/" + "n" * 300, listed=True), "at a wrong place"),
        (_manifest("format", 2), "written by a newer runbook"),
        (_manifest("format", "1"), "not one of a run's"),
        (_manifest("runs", []), "holds no run"),
        (_manifest("runs", [{"run": "../x"}]), "not one of a run's"),
        (_said(_outside), "lies outside"),
        (_said(_rolls_itself_back), "rolls back a rollback"),
        (_said(_at_no_time), "its time is none"),
        (_with("runs/RUN/files/.importing/x", listed=True), "at a wrong place"),
        (_with("runs/RUN/files/.removed", listed=True), "at a wrong place"),
        (_with("runs/RUN/files/" + "a/" * 40 + "x", listed=True), "at a wrong place"),
        (_with("runs/RUN/files/attempts/a.1/output.log/x", listed=True), "of one name"),
        (_long_manifest, "too long"),
    ],
)
def test_a_forged_archive_is_refused_and_leaves_nothing(
    program: Program, archive: str, forge: Forge, said: str
) -> None:
    pack(forge(contents(Path("out.tar.gz")), archive))
    assert said in refused(program).err


def test_an_archive_that_grows_when_it_is_read_takes_no_memory(
    program: Program, archive: str
) -> None:
    """Sixteen kilobytes that are sixteen million lines."""
    members = contents(Path("out.tar.gz"))
    events = f"runs/{archive}/events.jsonl"
    pack(relisted({**members, events: b"\n" * (16 << 20)}))
    del members
    tracemalloc.start()
    try:
        assert "cannot be read" in refused(program).err
        assert tracemalloc.get_traced_memory()[1] < 64 << 20
    finally:
        tracemalloc.stop()


def _link(kind: bytes) -> tarfile.TarInfo:
    info = tarfile.TarInfo("runs/link")
    info.type, info.linkname = kind, "/etc/passwd"
    return info


@pytest.mark.parametrize(
    "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.FIFOTYPE, tarfile.XHDTYPE]
)
def test_nothing_but_plain_files_is_taken(program: Program, archive: str, kind: bytes) -> None:
    pack(contents(Path("out.tar.gz")), _link(kind))
    assert "something other than a file" in refused(program).err


def test_a_file_of_less_than_no_size_is_refused(program: Program, archive: str) -> None:
    info = tarfile.TarInfo("runs/less")
    info.size = -1 << 40
    block = info.tobuf(tarfile.GNU_FORMAT)
    with gzip.open("bad.tar.gz", "wb") as file:
        file.write(block + bytes(10240))
    assert "of no size" in refused(program).err


def test_what_is_cut_off_or_no_archive_at_all(program: Program, archive: str) -> None:
    whole = Path("out.tar.gz").read_bytes()
    for content in (whole[: len(whole) // 2], whole[:-4], b"", b"not an archive", b"\x1f\x8b"):
        Path("bad.tar.gz").write_bytes(content)
        refused(program)


def test_more_than_there_is_room_for_is_refused_before_it_is_written(
    program: Program, archive: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("bad.tar.gz").write_bytes(Path("out.tar.gz").read_bytes())
    with monkeypatch.context() as tight:
        tight.setattr(sqlite_checks, "free_bytes", lambda directory: importing.RESERVE + 100)
        assert "room for" in refused(program).err
    monkeypatch.setattr(layout, "MAX_EVENTS", 10)
    assert "holds too much" in refused(program).err


# Killed in the middle


@pytest.fixture
def process(tmp_path: Path, program: Program) -> Process:
    return Process(Path(os.environ["RUNBOOK_STATE"]), tmp_path)


def test_an_export_that_is_killed_leaves_no_file(
    process: Process, program: Program, run: str
) -> None:
    before = Path("out.tar.gz").read_bytes()
    names = sorted(Path.cwd().iterdir())
    for target in ("out.tar.gz", "new.tar.gz"):
        process.run("export", run, "-o", target, fault="export.written:kill").expect(-9)
    assert sorted(Path.cwd().iterdir()) == names
    assert Path("out.tar.gz").read_bytes() == before


@pytest.mark.parametrize("point", ["import.checked", "import.moved"])
def test_an_import_that_is_killed_leaves_nothing_half(
    tmp_path: Path, program: Program, run: str, elsewhere: Callable[[], Path], point: str
) -> None:
    here = looks(program, run)
    process = Process(elsewhere(), tmp_path)
    process.run("import", "out.tar.gz", fault=f"{point}:kill").expect(-9)
    assert program("runs", "--json").json() == []
    assert "no run" in program("show", run).err
    assert program("import", "out.tar.gz").code == exits.DONE
    assert looks(program, run) == here
    state = process.state
    assert not (state / "imports").exists()
    assert list(state.glob("runs/*/.importing")) == []


def test_files_that_nobody_knows_are_not_overwritten(
    program: Program, run: str, elsewhere: Callable[[], Path]
) -> None:
    state = elsewhere()
    assert program("runs").code == exits.DONE
    lost = state / "runs" / run
    lost.mkdir(parents=True)
    (lost / "precious").write_text("logs of a journal that was lost")
    ran = program("import", "out.tar.gz")
    assert (ran.code, "that the journal does not know" in ran.err) == (exits.USAGE, True)
    assert [path.name for path in lost.iterdir()] == ["precious"]
    assert program("runs", "--json").json() == []
