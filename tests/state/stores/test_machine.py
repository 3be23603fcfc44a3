"""Machine, boot and process: identities that cannot be mistaken."""

from __future__ import annotations

import os
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from state.errors import StoreUnusable
from state.stores import machine, paths
from state.stores.location import Location, location
from state.stores.machine import boot_id, machine_id, process_mark, process_start


def test_a_process_is_known_by_boot_pid_and_start() -> None:
    mark = process_mark(os.getpid())
    assert mark is not None
    assert mark.alive()
    assert mark.boot == boot_id()
    assert not replace(mark, start=mark.start + 1).alive(), "a pid used again"
    assert not replace(mark, boot="another boot").alive()


def test_a_name_with_brackets_and_blanks_does_not_confuse(tmp_path: Path) -> None:
    program = tmp_path / "a) R 1 (b"
    program.symlink_to("/bin/cat")
    with subprocess.Popen([program], stdin=subprocess.PIPE) as child:
        start = process_start(child.pid)
        assert start is not None
        assert start >= (process_start(os.getpid()) or 0)
        child.communicate()
    assert process_start(child.pid) is None
    assert process_mark(child.pid) is None


def test_a_machine_without_an_id_is_known_by_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "machine-id"
    monkeypatch.setattr(machine, "_MACHINE_FILES", (str(tmp_path / "none"), str(file)))
    file.write_text("0f3a\n")
    assert machine_id() == "0f3a"
    file.write_text("uninitialized\n")
    assert machine_id() == f"host-{os.uname().nodename}"


def test_where_things_lie(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("RUNBOOK_STATE", str(tmp_path))
    assert location() == Location(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("RUNBOOK_STATE")
    home = tmp_path / ".local/state/runbook"
    assert location() == Location(home)
    url = "postgresql://dana:hunter22@db.example.org/runbook"
    monkeypatch.setenv("RUNBOOK_STATE", url)
    shared = location()
    assert (shared.url, shared.directory.parent) == (url, home / "shared")
    assert "hunter22" not in str(shared.directory)
    monkeypatch.setenv("RUNBOOK_STATE", url.replace("dana:hunter22", "lee"))
    assert location().directory == shared.directory, "one database, one directory"
    monkeypatch.setenv("RUNBOOK_STATE_LOCAL", str(tmp_path / "mine"))
    assert location().directory == tmp_path / "mine"
    monkeypatch.setenv("RUNBOOK_STATE", "mysql://db/runbook")
    with pytest.raises(StoreUnusable, match="a mysql URL"):
        location()
    assert paths.attempt_directory("1123-k7f3", "tag", 2) == "runs/1123-k7f3/attempts/tag.2"
