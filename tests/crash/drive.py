"""Drives a runbook, or takes a run up again, in a process that a test may kill.

python -m tests.crash.drive STATE FILE [ENVIRONMENT]     starts a run
python -m tests.crash.drive STATE RUN                    takes it up again
"""

from __future__ import annotations

import sys
from pathlib import Path

from runbook_tui import secrets
from runbook_tui.engine import policy, session
from runbook_tui.engine.driving import Place, Session
from runbook_tui.engine.headless import HeadlessOperator
from runbook_tui.engine.workers import Workers
from state.stores.store import open_local


def main(state: str, target: str, *rest: str) -> int:
    """Drive and return the exit code."""
    pool = Workers()
    with open_local(Path(state)) as store:
        place = Place(store, pool, secrets.resolve, "dana")
        answers = policy.parse(yes=True, confirms=[], answers=[])
        with _session(place, target, *rest) as driven, HeadlessOperator(answers, _say) as operator:
            code = driven.drive(operator)
    pool.close()
    return code


def _session(place: Place, target: str, environment: str | None = None) -> Session:
    if not target.endswith(".yaml"):
        return session.resume(target, place)
    path = Path(target)
    return session.start(session.prepare(path, environment, {}, directory=path.parent), place)


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
