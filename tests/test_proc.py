"""Processes by identity: a pid that goes round is never mistaken for the one that had it."""

from __future__ import annotations

import fcntl
import os
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from runbook_tui import proc
from state.stores.machine import ProcessMark
from tests.harness.processes import Children, until


@pytest.fixture
def children() -> Iterator[Children]:
    with Children() as found:
        yield found


def test_a_pid_that_belongs_to_another_process_now_is_never_signalled(children: Children) -> None:
    child = children.start(["bash", "-c", "echo ready; exec sleep 1000"])
    mark = children.adopt(child.pid)

    assert not proc.send(replace(mark, start=mark.start - 1), signal.SIGKILL)
    assert not proc.send(replace(mark, boot="another boot"), signal.SIGKILL)

    assert child.poll() is None
    assert proc.send(mark, signal.SIGTERM)
    assert child.wait() == -signal.SIGTERM
    assert not proc.send(mark, signal.SIGTERM)


def test_descendants_are_found_by_their_parents_and_the_dead_are_not(children: Children) -> None:
    script = "sleep 1000 & (sleep 1000 & echo ready; exec sleep 1000) & exec sleep 1000"
    child = children.start(["bash", "-c", script])
    until(lambda: len(proc.descendants([child.pid])) == 3, "three descendants")
    found = proc.descendants([child.pid])
    for mark in found:
        children.adopt(mark.pid)

    assert child.pid not in {mark.pid for mark in found}
    proc.send(found[0], signal.SIGKILL)
    until(lambda: not found[0].alive(), "the death of one")
    assert found[0] not in proc.descendants([child.pid])
    assert len(proc.descendants([os.getpid()])) >= 3


def test_names_are_for_people(children: Children) -> None:
    child = children.start(["bash", "-c", "echo ready; exec sleep 1000"])
    mark = children.adopt(child.pid)
    until(lambda: proc.name(mark).startswith("sleep"), "the exec")

    assert proc.name(mark) == f"sleep (pid {child.pid})"
    assert proc.name(ProcessMark(mark.boot, mark.pid, mark.start + 1)) == f"pid {child.pid}"


def test_holders_of_a_file_and_of_its_lock_are_told_apart(
    tmp_path: Path, children: Children
) -> None:
    path = tmp_path / "lock"
    path.touch()
    looking = children.start(["bash", "-c", f"exec 7<{path}; echo ready; exec sleep 1000"])
    holding = children.start(
        ["bash", "-c", f"exec 7<>{path}; flock -x 7; echo ready; exec sleep 1000"]
    )
    identity = (path.stat().st_dev, path.stat().st_ino)

    with path.open("rb") as ours:
        with pytest.raises(BlockingIOError):
            fcntl.flock(ours, fcntl.LOCK_SH | fcntl.LOCK_NB)
        holders = {mark.pid for mark in proc.holders(*identity)}
        locking = {mark.pid for mark in proc.lock_holders(*identity)}

    assert holders == {looking.pid, holding.pid}
    assert locking == {holding.pid}
