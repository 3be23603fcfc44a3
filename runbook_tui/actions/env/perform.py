"""Reviews environment variables of a file, of the step, or of this process."""

from __future__ import annotations

import os
from pathlib import Path

from runbook_tui.actions.api import ActionFailed, Context, Evidence, Finding, Job, Outcome
from runbook_tui.actions.env.difference import by_host, difference
from runbook_tui.actions.env.review import FileFault, Reviewed, parse, review
from state.json_value import Json
from state.status import Verdict


def perform(job: Job, context: Context) -> Outcome:
    """Fail when a variable is not as its rule says; names and faults are shown, never values."""
    options = job.options
    values = _values(job)
    found = list(review(values, options["rules"], known_only=options["known_only"]))
    for each in found:
        context.log(f"{'wrong' if each.fault else 'ok   '}  {each.name}  {each.fault or each.note}")
    wrong = [each for each in found if each.fault]
    evidence = [_evidence(found, wrong)]
    if wrong:
        named = "; ".join(f"{each.name} {each.fault}" for each in wrong[:5])
        more = f"; and {len(wrong) - 5} more" if len(wrong) > 5 else ""
        raise ActionFailed(
            f"{len(wrong)} of {len(found)} variables are not as they should be: {named}{more}.",
            effect="none",
            evidence=evidence,
        )
    outputs = {"checked": str(len(found))}
    if options["in_service"]:
        told = _compared(job, context, values)
        outputs["difference"] = by_host(told)
        summary = f"Compared with what is in service: {outputs['difference']}"
        evidence.append(Evidence("difference", summary, {"hosts": dict(told)}))
    return Outcome(outputs=outputs, evidence=tuple(evidence))


def probe(job: Job, context: Context) -> Finding:
    """A review changes nothing: it can be done again."""
    return Finding(Verdict.ABSENT, "A review changes nothing: it can be done again.")


def _compared(job: Job, context: Context, values: dict[str, str]) -> dict[str, str]:
    """Return of each host how the variables differ from those in service there."""
    # The Docker library is slow to import, and most reviews compare with nothing.
    from runbook_tui.actions.env import in_service

    told = {}
    for host in job.hosts:
        context.check_stop()
        context.progress(f"comparing with what is in service on {host.name}")
        there = in_service.look(job, host)
        if there is None:
            told[host.name] = "nothing is in service to compare with"
        else:
            besides = job.options["in_service"]["besides"]
            told[host.name] = difference(values, there.beside(values), besides).told()
        beside = f" (than {there.container})" if there else ""
        context.log(f"{host.name}: {told[host.name]}{beside}")
    return told


def _values(job: Job) -> dict[str, str]:
    options = job.options
    values: dict[str, str] = {}
    if options["file"]:
        path = Path(job.cwd) / options["file"]
        try:
            values = parse(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, FileFault) as fault:
            said = fault.strerror if isinstance(fault, OSError) else fault
            raise ActionFailed(f"{path} cannot be reviewed: {said}.", effect="none") from fault
    elif not options["values"]:
        values = dict(os.environ)
    return {**values, **options["values"]}


def _evidence(found: list[Reviewed], wrong: list[Reviewed]) -> Evidence:
    data: list[Json] = [{"name": each.name, "fault": each.fault} for each in found]
    summary = f"{len(found) - len(wrong)} of {len(found)} variables are as they should be"
    return Evidence("variables", summary, {"variables": data})
