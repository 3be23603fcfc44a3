"""Performs a `check`, and looks for a step's `verify`: both in one vocabulary."""

from __future__ import annotations

from dataclasses import replace

from runbook_tui.actions.api import ActionFailed, Context, Finding, Job, Outcome
from runbook_tui.actions.check.look import look
from state.status import Verdict


def perform(job: Job, context: Context) -> Outcome:
    """Look; absent fails the step unless it is a finding, not being able to tell always does.

    What is there on some hosts only is absent: the question is about all of them.
    """
    found = look(job, context)
    if found.verdict is Verdict.PARTIAL:
        found = replace(found, verdict=Verdict.ABSENT)
    if found.verdict is Verdict.PRESENT or (
        found.verdict is Verdict.ABSENT and job.options["finding"]
    ):
        context.log(f"{found.verdict}: {found.summary}")
        return Outcome(
            outputs={"verdict": found.verdict.value, **found.outputs},
            evidence=found.evidence,
            by_host=found.by_host,
            verdict=found.verdict,
        )
    if found.verdict is Verdict.ABSENT:
        raise ActionFailed(found.summary, effect="none", cause="absent", evidence=found.evidence)
    raise ActionFailed(
        f"It could not be found out: {found.summary}",
        effect="none",
        cause="unknown",
        evidence=found.evidence,
    )


def probe(job: Job, context: Context) -> Finding:
    """Look for `verify`: what a check would find."""
    return look(job, context)
