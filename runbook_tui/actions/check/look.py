"""Looks at something without changing it: the verdict of `check` and `verify`.

What could not be found out is unknown, never absent: a dead daemon and an unreachable host also end
a script with 1, and must not cause a second execution.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from importlib import import_module
from typing import Final, cast

from runbook_tui.actions.api import ActionFailed, Context, Evidence, Finding, Job, Outcome
from runbook_tui.actions.shared import durations, limits
from state.status import Verdict

FIGURES: Final = ("cpu", "memory", "disk")


def look(job: Job, context: Context) -> Finding:
    """Look, again and again when `until` says so, and return what was found last."""
    until = job.options.get("until")
    if until is None:
        return once(job, context)
    deadline = time.monotonic() + durations.seconds(until["for"])
    every = durations.seconds(until["every"])
    while True:
        finding = once(job, context)
        left = deadline - time.monotonic()
        if finding.verdict is Verdict.PRESENT or left <= 0:
            return finding
        context.progress(f"Looks again every {until['every']}; now: {finding.summary}")
        context.wait(min(every, left))


def once(job: Job, context: Context) -> Finding:
    """Look one time."""
    for kind, judge in _JUDGES.items():
        if job.options.get(kind) is not None:
            given = job.options.get("absent")
            absent = frozenset([given] if isinstance(given, int) else given or ())
            return judge(replace(job, action=kind, options=job.options[kind]), context, absent)
    raise ValueError("the options name nothing to look at")


def _script(job: Job, context: Context, absent: frozenset[int]) -> Finding:
    try:
        outcome = _perform(job, context)
    except ActionFailed as failure:
        verdict = Verdict.ABSENT if failure.exit_code in absent else Verdict.UNKNOWN
        return Finding(verdict, failure.sentence, evidence=failure.evidence)
    return _present(outcome)


def _ssh(job: Job, context: Context, absent: frozenset[int]) -> Finding:
    """Look at all hosts at once: what one of them says does not keep us from asking the others."""
    try:
        outcome = _perform(
            replace(job, options={**job.options, "parallel": True, "attached": True}), context
        )
    except ActionFailed as failure:
        return _of_hosts(failure, absent)
    return _present(outcome)


def _of_hosts(failure: ActionFailed, absent: frozenset[int]) -> Finding:
    hosts = cast("Mapping[str, Mapping[str, object]]", failure.detail.get("hosts") or {})
    found = tuple(name for name, host in hosts.items() if host["code"] == 0)
    missing = tuple(name for name, host in hosts.items() if host["code"] in absent)
    if not hosts or len(found) + len(missing) < len(hosts):
        verdict = Verdict.UNKNOWN
    else:
        verdict = Verdict.PARTIAL if found else Verdict.ABSENT
    return Finding(verdict, failure.sentence, failure.evidence, found=found, missing=missing)


def _smoke(job: Job, context: Context, absent: frozenset[int]) -> Finding:
    try:
        outcome = _perform(job, context)
    except ActionFailed as failure:
        met = failure.detail.get("status") in absent
        verdict = Verdict.ABSENT if met else Verdict.UNKNOWN
        return Finding(verdict, failure.sentence, evidence=failure.evidence)
    return _present(outcome)


def _sql(job: Job, context: Context, absent: frozenset[int]) -> Finding:
    try:
        outcome = _perform(job, context)
    except ActionFailed as failure:
        answered = failure.cause == "expectation"
        verdict = Verdict.ABSENT if answered else Verdict.UNKNOWN
        return Finding(verdict, failure.sentence, evidence=failure.evidence)
    return _present(outcome)


def _resources(job: Job, context: Context, absent: frozenset[int]) -> Finding:
    # Fabric is slow to import, and most looks go to no host.
    from runbook_tui.actions.shared.host_resources import Reader

    most = {name: limits.figure(job.options[name]) for name in FIGURES if job.options.get(name)}
    evidence: list[Evidence] = []
    over: list[str] = []
    for host in job.hosts:
        reader = Reader(host, job.ssh_config, job.options["disks"])
        try:
            use = reader.read(lambda: False).figures()
        except ActionFailed as failure:
            return Finding(Verdict.UNKNOWN, failure.sentence, evidence=tuple(evidence))
        finally:
            reader.close()
        words = ", ".join(f"{name} {use[name]:g} %" for name in FIGURES)
        context.log(f"{host.name}: {words}")
        evidence.append(Evidence("resources", f"{host.name}: {words}", {"host": host.name, **use}))
        over += [
            f"{name} of {host.name} is {use[name]:g} %, and at most {limit:g} % was expected"
            for name, limit in most.items()
            if use[name] > limit
        ]
    if over:
        return Finding(Verdict.ABSENT, f"{over[0]}.", evidence=tuple(evidence), missing=tuple(over))
    summary = f"{len(job.hosts)} hosts are within their limits."
    return Finding(Verdict.PRESENT, summary, evidence=tuple(evidence))


def _perform(job: Job, context: Context) -> Outcome:
    outcome: Outcome = import_module(_MODULES[job.action]).perform(job, context)
    return outcome


def _present(outcome: Outcome) -> Finding:
    summary = outcome.evidence[0].summary if outcome.evidence else "It is as expected."
    return Finding(
        Verdict.PRESENT,
        summary,
        evidence=outcome.evidence,
        outputs=outcome.outputs,
        by_host=outcome.by_host,
    )


_MODULES: Final = {
    "run": "runbook_tui.actions.run.perform",
    "ssh": "runbook_tui.actions.ssh.perform",
    "sql": "runbook_tui.actions.sql.perform",
    "smoke": "runbook_tui.actions.smoke.perform",
}
"""Imported when needed: a worker starts with no more than its own action."""

Judge = Callable[[Job, Context, "frozenset[int]"], Finding]

_JUDGES: Final[Mapping[str, Judge]] = {
    "run": _script,
    "ssh": _ssh,
    "sql": _sql,
    "smoke": _smoke,
    "resources": _resources,
}
