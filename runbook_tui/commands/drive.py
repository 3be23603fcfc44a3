"""Driving a session without a screen: what `run`, `resume`, `rollback` and `demo` share."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence

import click

from runbook_tui import parting
from runbook_tui.engine import awaiting_end, policy, telling
from runbook_tui.engine.driving import Session
from runbook_tui.engine.headless import Answers, HeadlessOperator
from state.codec import record_line
from state.events import Record
from state.run_state import Question, RunState


class JsonOperator(HeadlessOperator):
    """Prints the events as they are journaled, one JSON object a line, and nothing else."""

    def __init__(self, answers: Answers) -> None:
        super().__init__(answers, lambda line: None)

    def publish(self, state: RunState, records: Sequence[Record]) -> None:
        """Print what was journaled."""
        for record in records:
            click.echo(record_line(record))

    def store_away(self, sentence: str | None) -> None:
        """Say it where it is no JSON."""
        click.echo(telling.store_away(sentence), err=True)

    def refused(self, question: Question, sentence: str) -> None:
        """Say why an answer given in advance did not count; standard output stays JSON."""
        click.echo(f"{question.text}: not accepted: {sentence}", err=True)


def wants_screen(*, headless: bool, as_json: bool) -> bool:
    """Tell whether to show the screen: a terminal on both ends, and nobody said otherwise."""
    return not (headless or as_json) and sys.stdin.isatty() and sys.stdout.isatty()


def answers(*, yes: bool, confirms: Iterable[str], given: Iterable[str]) -> policy.Policy:
    """Return the policy that the options say. Raises UsageProblem."""
    return policy.parse(yes=yes, confirms=confirms, answers=given)


def begun(begin: Callable[[], Session], *, as_json: bool) -> Session:
    """Begin a session; where a driver may be gone, say so and wait until it may be followed."""
    return awaiting_end.begin(begin, lambda line: click.echo(line, err=as_json))


def drive(session: Session, answering: Answers, *, as_json: bool) -> int:
    """Drive a session without a screen and say at the end how to go on; return the exit code."""
    operator = JsonOperator(answering) if as_json else HeadlessOperator(answering, click.echo)
    with operator:
        code = session.drive(operator)
    if not as_json:
        click.echo(parting.words(session.run, code))
    return code
