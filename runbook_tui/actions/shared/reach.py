"""Looks whether what a plan's steps need is there and answers; changes nothing.

A worker performs this like any look: it has the client libraries, and its output is redacted. One
job holds all needs, each a kind, a target and options; each is answered in a thread of its own, so
that what is dead delays nothing but its own line. The answers are the finding's evidence, in order.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from importlib import import_module
from typing import Any, Final

from runbook_tui.actions.api import Context, Evidence, Finding, Job
from runbook_tui.actions.shared import in_parallel
from runbook_tui.actions.shared.reach_kinds import KINDS, LIBRARIES, LIMIT, Answer
from state.status import Verdict

GRACE: Final = 10.0
"""Seconds beyond the clients' own limit: a busy machine of ours is no dead host."""


def probe(job: Job, context: Context) -> Finding:
    """Answer for each need of the option `needs`."""
    needs = job.options["needs"]
    for name in {LIBRARIES[need["kind"]] for need in needs if need["kind"] in LIBRARIES}:
        import_module(name)  # before the clock of the answers begins
    calls = [partial(_answer, job, need) for need in needs]
    found = in_parallel.results(calls, LIMIT + GRACE)
    answers = [one or Answer("blocks", f"did not answer within {LIMIT:.0f} s") for one in found]
    evidence = tuple(
        Evidence("reach", one.sentence, {"level": one.level, "mend": one.mend, "name": one.name})
        for one in answers
    )
    return Finding(Verdict.PRESENT, f"looked at {len(answers)}", evidence)


def _answer(job: Job, need: Mapping[str, Any]) -> Answer:
    kind = str(need["kind"])
    look = KINDS.get(kind)
    if look is None:
        return Answer("warns", f"nobody knows how to look at a {kind}")
    try:
        return look(job, str(need["target"]), need["options"])
    except Exception as fault:  # noqa: BLE001 - one broken look must not take the others along
        return Answer("blocks", f"could not be looked at: {type(fault).__name__}: {fault}")
