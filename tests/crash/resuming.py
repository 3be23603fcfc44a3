"""What the tests of the resume table share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import psycopg
import pytest

from runbook_tui.engine import clock

CHECKED = """\
- id: a
  name: First
  run: echo a >> EFFECTS
  verify: {run: grep -q a EFFECTS, absent: [1, 2]}
"""

WAITING = """\
- id: a
  run: |
    echo begun >> EFFECTS
    until test -e GATE; do sleep 0.05; done
    echo done >> EFFECTS
  verify: {run: grep -q done EFFECTS, absent: [1, 2]}
"""


@contextmanager
def fault(monkeypatch: pytest.MonkeyPatch, text: str) -> Iterator[None]:
    """Have workers and driver die at this point, for a while."""
    with monkeypatch.context() as patch:
        patch.setenv("RUNBOOK_FAULT", text)
        yield


def ask(database: str, query: str) -> object:
    """Return the one value that a query answers with."""
    with psycopg.connect(database) as connection:
        row = connection.execute(query.encode()).fetchone()
        return row[0] if row else None


def an_hour_later(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the clock of the engine be an hour ahead."""
    utc = clock.utc
    monkeypatch.setattr(
        clock, "utc", lambda ahead=0.0: utc(ahead + timedelta(hours=1).total_seconds())
    )


@contextmanager
def another_machine(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Be another machine for a while; its attempts are none of ours."""
    with monkeypatch.context() as patch:
        patch.setattr("runbook_tui.engine.attempt_events.machine_id", lambda: "another")
        yield
