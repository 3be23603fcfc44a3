"""Stopping: asked, told, killed, in this order, and only as far as it takes."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest

from runbook_tui import proc, stopping
from state.stores.machine import ProcessMark
from tests.harness.processes import DEADLINE, Children

HEARS = """
import signal, sys, time
heard = sys.argv[1]
def end(number, frame): sys.exit(number)
for name in ("SIGINT", "SIGTERM"):
    signal.signal(getattr(signal, name), end if name == heard else signal.SIG_IGN)
print("ready", flush=True)
while True: time.sleep(1000)
"""


@pytest.fixture
def children() -> Iterator[Children]:
    with Children() as found:
        yield found


def start(children: Children, heard: str) -> tuple[subprocess.Popen[bytes], ProcessMark]:
    child = children.start([sys.executable, "-c", HEARS, heard])
    return child, children.adopt(child.pid)


def living(*marks: ProcessMark) -> Callable[[], list[ProcessMark]]:
    return lambda: [mark for mark in marks if mark.alive()]


@pytest.mark.parametrize(
    ("heard", "graces", "code"),
    [
        ("SIGINT", (DEADLINE, DEADLINE), signal.SIGINT),
        ("SIGTERM", (0.05, DEADLINE), signal.SIGTERM),
        ("nothing", (0.05, 0.05), -signal.SIGKILL),
    ],
)
def test_a_process_is_stopped_no_firmer_than_it_takes(
    children: Children, heard: str, graces: tuple[float, float], code: int
) -> None:
    child, mark = start(children, heard)

    left = stopping.stop(living(mark), graces, firm=DEADLINE)

    assert left == []
    assert child.wait() == code


def test_several_are_stopped_together(children: Children) -> None:
    pairs = [start(children, heard) for heard in ("SIGINT", "nothing", "SIGINT")]

    assert stopping.stop(living(*(mark for _, mark in pairs)), (0.5, 0.05), firm=DEADLINE) == []
    assert [child.wait() for child, _ in pairs][1] == -signal.SIGKILL


def test_what_comes_up_to_tidy_is_left_alone_until_the_next_stage(
    children: Children, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[tuple[int, str]] = []
    first, tidying = (mark for _, mark in (start(children, "nothing") for _ in range(2)))
    names = {first.pid: "first", tidying.pid: "tidying"}
    looks = [[first], [first, tidying]]

    def find() -> list[ProcessMark]:
        return looks.pop(0) if looks else living(first, tidying)()

    def send(process: ProcessMark, number: signal.Signals) -> bool:
        sent.append((number, names[process.pid]))
        return genuine(process, number)

    genuine = proc.send
    monkeypatch.setattr(proc, "send", send)
    assert stopping.stop(find, (0.05, 0.05), firm=DEADLINE) == []

    assert (signal.SIGINT, "first") in sent
    assert (signal.SIGINT, "tidying") not in sent
    assert {(signal.SIGTERM, "first"), (signal.SIGTERM, "tidying")} <= set(sent)


def test_who_cannot_be_ended_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process of another user, or one that hangs in the kernel."""
    foreign = ProcessMark("boot", 4_000_000, 1)

    def refuse(process: ProcessMark, number: signal.Signals) -> bool:
        raise PermissionError

    monkeypatch.setattr(proc, "send", refuse)

    assert stopping.stop(lambda: [foreign], (0.01, 0.01), firm=0.01) == [foreign]
