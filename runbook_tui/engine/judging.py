"""From what a worker left and what a look found to the outcome of an attempt. Pure.

| the attempt            | looks at               | and becomes                                  |
|------------------------|------------------------|----------------------------------------------|
| succeeded              | `verify`               | present success, absent failure, else unknown |
| failed, effect unclear | the probe and `verify` | failed, with what is there                   |
| stopped, out of time,  | the probe and `verify` | present success (adopted), absent failure,   |
| unknown, worker died   |                        | else unknown                                 |

Where a look finds the record that the act keeps of its own end (`ssh`), that stands for the
worker's result. With several looks the worse verdict counts. What only reads has no effect to look
for. What takes a step back is looked at by the probe of the action that takes it back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from runbook_tui.engine.retries import CUT_SHORT, INTERRUPTED
from state.events import AttemptEnded
from state.json_value import Json
from state.status import Proof, Verdict
from state.stores.result import Result

LookKind = Literal["probe", "verify"]
TIMEOUT = "timeout"
LOOKED = ("found", "missing", "unclear", "left")
"""What looks tell in lines: part of an attempt's detail, and of its question."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What is judged.

    `ours`: an effect that is present can only be this run's (see `recovery`). `records`: its probe
    reads the record that the act keeps of its own end, which adds nothing to a worker's result.
    """

    step: str
    number: int
    reads: bool
    probes: bool
    verifies: bool
    undo: bool = False
    ours: bool = True
    records: bool = False


@dataclass(frozen=True, slots=True)
class Seen:
    """What one look found."""

    kind: LookKind
    verdict: Verdict
    summary: str
    evidence: tuple[Mapping[str, Json], ...] = ()
    found: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    unclear: tuple[str, ...] = ()
    left: tuple[str, ...] = ()
    outputs: Mapping[str, str] | None = None
    by_host: Mapping[str, Mapping[str, str]] | None = None
    ended: Result | None = None
    """How the act itself ended, by the record that it keeps of itself."""


def died(reason: str) -> Result:
    """Return what stands in for the result of a worker that left none."""
    return Result(status="unknown", cause=INTERRUPTED, reason=reason)


def looks(subject: Subject, result: Result) -> tuple[LookKind, ...]:
    """Return the looks that the outcome depends on."""
    if subject.undo:
        probed = subject.probes and result.effect not in ("none", "done")
        return ("probe",) if probed and result.status != "succeeded" else ()
    if result.status == "succeeded":
        return ("verify",) if subject.verifies else ()
    if subject.reads or result.effect in ("none", "done"):
        return ()
    if subject.records and result.status == "failed" and result.cause != TIMEOUT:
        return ("verify",) if subject.verifies else ()
    return all_looks(subject)


def all_looks(subject: Subject) -> tuple[LookKind, ...]:
    """Return every look that the step has."""
    probe: tuple[LookKind, ...] = ("probe",) if subject.probes else ()
    verify: tuple[LookKind, ...] = ("verify",) if subject.verifies else ()
    return probe + verify


def worst(seen: Sequence[Seen]) -> Verdict:
    """Return the verdict that counts."""
    verdict = Verdict.PRESENT
    for one in seen:
        verdict = Verdict.worse(verdict, one.verdict)
    return verdict if seen else Verdict.UNKNOWN


def still_at_it(seen: Sequence[Seen]) -> str:
    """Return in words what still goes on, as looks told."""
    told = [one for one in seen if one.verdict is Verdict.RUNNING]
    return "; ".join(
        one.summary.rstrip(".") + (f" ({', '.join(one.found)})" if one.found else "")
        for one in told
    )


def outcome(subject: Subject, result: Result, seen: Sequence[Seen]) -> AttemptEnded:
    """Return how the attempt ended."""
    ended = next((one.ended for one in seen if one.ended is not None), None)
    if ended is not None and result.status != "succeeded":
        others = [one for one in seen if one.ended is None]
        return _by_record(subject, result, ended, others)
    verdict = worst(seen) if seen else None
    if result.status == "succeeded":
        return _after_success(subject, result, seen, verdict)
    runs_on = verdict is Verdict.RUNNING
    if result.status == "failed" and result.cause != TIMEOUT and not runs_on:
        return _ended(subject, result, seen, "failed", _effect(result, verdict, subject))
    if verdict is Verdict.PRESENT and subject.ours:
        return _adopted(subject, result, seen)
    return _not_proven(subject, result, seen, verdict)


def _by_record(
    subject: Subject, result: Result, ended: Result, seen: Sequence[Seen]
) -> AttemptEnded:
    """Judge an attempt whose worker is gone by how its act ended: as if that had just come."""
    if ended.status == "succeeded":
        judged = outcome(subject, ended, seen)
        if judged.status != "succeeded":
            return judged
        return replace(judged, adopted=True, reason="found done: its own record says so")
    if result.status == "stopped" or result.cause == TIMEOUT:
        ended = replace(
            ended,
            status=result.status,
            cause=result.cause,
            reason=" ".join(filter(None, (result.reason, ended.reason))),
        )
    return outcome(subject, ended, seen)


def _after_success(
    subject: Subject, result: Result, seen: Sequence[Seen], verdict: Verdict | None
) -> AttemptEnded:
    if verdict is None or verdict is Verdict.PRESENT:
        return _ended(subject, result, seen, "succeeded", "none" if subject.reads else "done")
    said = "; ".join(one.summary for one in seen if one.verdict is verdict)
    if verdict is Verdict.ABSENT:
        reason = f"It ended well, but the check after it did not find its effect: {said}"
        return _ended(subject, result, seen, "failed", "none", reason)
    reason = f"It ended well, but the check after it says {verdict.value}: {said}"
    return _ended(subject, result, seen, "unknown", "unknown", reason)


def _adopted(subject: Subject, result: Result, seen: Sequence[Seen]) -> AttemptEnded:
    said = "; ".join(one.summary for one in seen)
    return _ended(subject, result, seen, "succeeded", "done", f"found done: {said}", adopted=True)


def _not_proven(
    subject: Subject, result: Result, seen: Sequence[Seen], verdict: Verdict | None
) -> AttemptEnded:
    """Judge an attempt that was cut short and whose effect is not proven to be there."""
    said = "; ".join(one.summary for one in seen)
    reason = " ".join(filter(None, (result.reason, said and f"Looked: {said}")))
    if verdict is Verdict.PRESENT:
        reason = f"{reason}. It was there before the first try already, so nobody can tell."
    if subject.reads or result.effect == "none" or verdict is Verdict.ABSENT:
        status = "stopped" if result.status == "stopped" and result.cause != TIMEOUT else "failed"
        return _ended(subject, result, seen, status, "none", reason)
    if verdict is Verdict.PARTIAL:
        status = "unknown" if result.cause in CUT_SHORT else "failed"
        return _ended(subject, result, seen, status, "partial", reason)
    if result.status == "stopped" and result.cause != TIMEOUT:
        return _ended(subject, result, seen, "stopped", result.effect, reason)
    return _ended(subject, result, seen, "unknown", result.effect, reason)


def _effect(result: Result, verdict: Verdict | None, subject: Subject) -> str:
    if subject.reads:
        return "none"
    known = {Verdict.PRESENT: "done", Verdict.ABSENT: "none", Verdict.PARTIAL: "partial"}
    return known.get(verdict, result.effect) if verdict else result.effect


def _ended(
    subject: Subject,
    result: Result,
    seen: Sequence[Seen],
    status: str,
    effect: str,
    reason: str | None = None,
    *,
    adopted: bool = False,
) -> AttemptEnded:
    verdict: str | None = worst(seen).value if seen else result.verdict
    evidence = (*result.evidence, *(item for one in seen for item in one.evidence))
    looked = {name: lines for name in LOOKED if (lines := _lines(seen, name))}
    outputs, by_host = handed_on(seen) if adopted else (result.outputs, result.by_host)
    return AttemptEnded(
        step=subject.step,
        number=subject.number,
        status=status,
        reason=reason or result.reason,
        exit_code=result.exit_code,
        verdict=verdict,
        cause=result.cause,
        effect=effect,
        adopted=adopted,
        proof=Proof.MACHINE.value if status == "succeeded" else None,
        outputs=outputs,
        by_host=by_host,
        evidence=evidence,
        detail={**result.detail, **looked},
    )


def _lines(seen: Sequence[Seen], name: str) -> list[Json]:
    return [line for one in seen for line in getattr(one, name)]


def handed_on(seen: Sequence[Seen]) -> tuple[dict[str, str], dict[str, dict[str, str]]]:
    """Return the outputs, and those by host, that looks found in place of a worker's."""
    outputs: dict[str, str] = {}
    by_host: dict[str, dict[str, str]] = {}
    for one in seen:
        outputs |= one.outputs or {}
        for host, values in (one.by_host or {}).items():
            by_host[host] = {**by_host.get(host, {}), **values}
    return outputs, by_host
