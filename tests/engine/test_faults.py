"""Fault points: off by default, at the named point and step only, in the named way."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from runbook_tui.engine import faults
from runbook_tui.engine.faults import Fault, FaultInjected


def test_without_the_variable_nothing_happens() -> None:
    assert faults.wanted() is None
    faults.reach("driver.before-intent", "tag")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("driver.after-intent:kill", [Fault("driver.after-intent", None, "kill")]),
        ("push.manifest@push:error", [Fault("push.manifest", "push", "error")]),
        ("a.b:stop,a.c@x:kill", [Fault("a.b", None, "stop"), Fault("a.c", "x", "kill")]),
    ],
)
def test_a_fault_is_a_point_a_step_and_a_way(text: str, expected: list[Fault]) -> None:
    assert [*faults.parse(text)] == expected


@pytest.mark.parametrize(
    "text", ["", "kill", ":kill", "a.b", "a.b:explode", "a.b@:kill", "a.b:kill,", "a.b:kill,c.d"]
)
def test_what_is_no_fault_is_refused_in_a_sentence(text: str) -> None:
    with pytest.raises(ValueError, match="is no fault"):
        faults.parse(text)


def test_error_is_raised_at_its_point_and_step_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUNBOOK_FAULT", "driver.after-spawn:kill,worker.before-act@tag:error")

    faults.reach("worker.after-act", "tag")
    faults.reach("worker.before-act", "push")
    with pytest.raises(FaultInjected, match=r"worker\.before-act"):
        faults.reach("worker.before-act", "tag")


@pytest.mark.parametrize(("way", "number"), [("kill", signal.SIGKILL), ("stop", signal.SIGSTOP)])
def test_kill_and_stop_are_the_real_signals(way: str, number: signal.Signals) -> None:
    program = "from runbook_tui.engine import faults; faults.reach('a.b'); print('on')"
    child = subprocess.Popen(
        [sys.executable, "-c", program], env={**os.environ, "RUNBOOK_FAULT": f"a.b:{way}"}
    )
    try:
        _, status = os.waitpid(child.pid, os.WUNTRACED)
        if way == "stop":
            assert os.WSTOPSIG(status) == number
        else:
            assert os.WTERMSIG(status) == number
            child.returncode = -number
    finally:
        child.kill()
        child.wait()
