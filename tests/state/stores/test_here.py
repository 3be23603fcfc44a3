"""A recorded process is gone only where that is certain."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from state.stores import here

ROOT = Path(__file__).resolve().parents[3]
_OWN = (
    "from state.stores import here; import os; print(os.getpid(), here.own(), flush=True); input()"
)


@pytest.fixture
def child() -> Iterator[subprocess.Popen[str]]:
    """A process that says what is recorded of it, and lives until it is told or killed."""
    argv = [sys.executable, "-c", _OWN]
    pipe = subprocess.PIPE
    with subprocess.Popen(argv, stdin=pipe, stdout=pipe, cwd=ROOT, text=True) as started:
        try:
            yield started
        finally:
            started.kill()


def recorded(child: subprocess.Popen[str]) -> str:
    assert child.stdout is not None
    pid, _, mark = child.stdout.readline().strip().partition(" ")
    assert int(pid) == child.pid
    assert mark.count(" ") == 3, mark
    return mark


def test_one_that_lives_is_not_and_one_that_was_killed_is(child: subprocess.Popen[str]) -> None:
    mark = recorded(child)
    assert not here.gone(mark, child.pid)
    child.kill()
    child.wait()
    assert here.gone(mark, child.pid)


def test_its_pid_is_another_process_now() -> None:
    place, _, start = here.own().rpartition(" ")
    assert not here.gone(f"{place} {start}", os.getpid())
    assert here.gone(f"{place} {int(start) - 1}", os.getpid())


@pytest.mark.parametrize("part", [0, 1, 2], ids=["boot", "pid namespace", "time namespace"])
def test_elsewhere_it_cannot_be_known(child: subprocess.Popen[str], part: int) -> None:
    words = recorded(child).split()
    words[part] = "another"
    child.kill()
    child.wait()
    assert not here.gone(" ".join(words), child.pid)


def test_nothing_recorded_proves_nothing(child: subprocess.Popen[str]) -> None:
    child.kill()
    child.wait()
    assert not here.gone("", child.pid)


def test_one_that_is_hidden_from_us_is_not_gone(
    child: subprocess.Popen[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As with hidepid: it is not in /proc, and a signal would reach it or be refused."""
    mark = recorded(child)
    monkeypatch.setattr(here, "process_start", lambda pid: None)
    assert not here.gone(mark, child.pid)

    def refused(pid: int, number: int) -> None:
        raise PermissionError

    with monkeypatch.context() as patched:
        patched.setattr(os, "kill", refused)
        assert not here.gone(mark, child.pid)


def test_in_a_namespace_with_the_proc_of_another_nothing_is_recorded() -> None:
    said = subprocess.run(
        ["unshare", "--pid", "--fork", sys.executable, "-c", _OWN],
        input="\n",
        stdout=subprocess.PIPE,
        cwd=ROOT,
        text=True,
        check=True,
    )
    assert said.stdout == "1 \n"
