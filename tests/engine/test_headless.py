"""A run without a screen: its lines, its signals."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from runbook_tui import exits
from runbook_tui.engine import policy, telling
from runbook_tui.engine.headless import HeadlessOperator
from tests.harness.plans import environment, manual, plan, step
from tests.harness.stage import Stage, fails, runs, works


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    stage = Stage(tmp_path)
    yield stage
    stage.pool.close()


def test_a_line_for_each_event_and_what_to_do_next(stage: Stage) -> None:
    stage.pool.on("a", fails("no space"), works())
    made = plan(step("a"), manual("b"), step("c", confirm="ask"))
    lines: list[str] = []
    answers = policy.parse(yes=False, confirms=[], answers=["a=retry", "b=done:seen"])
    with stage.session(made) as session, HeadlessOperator(answers, lines.append) as operator:
        assert session.drive(operator) == exits.WAITS
    assert [line[10:] if line[2:3] == ":" else line for line in lines] == [
        "run 1123-k7f3 started by dana: Test",
        "▸ A (run), try 1",
        "✗ A: failed: no space",
        "? A failed. What now?",
        "  no space",
        "  A: retry, decided by person",
        "▸ A (run), try 2",
        "✓ A: succeeded",
        "? B: done?",
        "  Look at b",
        "  B: done, decided by person: seen",
        "✓ B: succeeded by a person: seen",
        "? Begin C?",
        "  not answered: give --yes, or --answer c=skip:REASON",
        'run 1123-k7f3 left: no answer to "Begin C?". Come back: runbook resume 1123-k7f3',
    ]


def test_what_could_have_been_typed(stage: Stage) -> None:
    made = plan(step("a"), home=environment("prod", protected=True))
    lines: list[str] = []
    answers = policy.parse(yes=True, confirms=["start=staging"], answers=[])
    with stage.session(made) as session, HeadlessOperator(answers, lines.append) as operator:
        assert session.drive(operator) == exits.WAITS
    assert "  not accepted: Type prod to go on; staging was typed." in lines


def test_a_signal_leaves_and_the_step_goes_on(stage: Stage) -> None:
    stage.pool.on("a", runs())
    lines: list[str] = []

    def say(line: str) -> None:
        lines.append(line)
        if "try 1" in line:
            os.kill(os.getpid(), signal.SIGTERM)

    answers = policy.parse(yes=False, confirms=[], answers=[])
    before = signal.getsignal(signal.SIGTERM)
    with stage.session(plan(step("a"))) as session, HeadlessOperator(answers, say) as operator:
        assert session.drive(operator) == exits.INTERRUPTED
    assert signal.getsignal(signal.SIGTERM) == before
    assert stage.pool.stopped == []
    assert stage.journal.state().left == "interrupted by SIGTERM"


def test_every_kind_of_event_has_words_or_none() -> None:
    """Only a condition that was met, and a question (told when it is asked), say nothing."""
    from state.payloads import KINDS

    assert set(KINDS) - set(telling._LINES) == {"when_decided", "question_asked"}
