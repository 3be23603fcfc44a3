"""From how an action ended to the result its worker leaves, with no secret in it."""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import TypeVar

from runbook_tui.actions.api import ActionFailed, Evidence, Finding, Outcome
from runbook_tui.redact import Redactor
from state.json_value import Json
from state.stores.result import Result

T = TypeVar("T", bound=Json)


def of_outcome(outcome: Outcome, redactor: Redactor) -> Result:
    """Return the result of an act that reached its goal; handing on a secret makes it a failure."""
    evidence = _evidence(outcome.evidence)
    hosts = {host: dict(values) for host, values in outcome.by_host.items()}
    name = _secret_output(outcome.outputs, hosts, redactor)
    if name is not None:
        return Result(
            status="failed",
            exit_code=outcome.exit_code,
            evidence=evidence,
            effect="done",
            reason=f"The step did its work, but its output {name} contains a secret. An output is "
            "kept in the journal; hand on something that may be read.",
        )
    return Result(
        status="succeeded",
        exit_code=outcome.exit_code,
        outputs=dict(outcome.outputs),
        by_host=hosts,
        evidence=evidence,
        effect="done",
        verdict=outcome.verdict.value if outcome.verdict else None,
    )


def _secret_output(
    outputs: Mapping[str, str], hosts: Mapping[str, Mapping[str, str]], redactor: Redactor
) -> str | None:
    named = [*outputs.items(), *(item for values in hosts.values() for item in values.items())]
    return next((name for name, value in named if redactor.redact_text(value) != value), None)


def of_failure(failed: ActionFailed) -> Result:
    """Return the result of an act that did not reach its goal, or of which nobody can tell."""
    return Result(
        status="unknown" if failed.unknown else "failed",
        exit_code=failed.exit_code,
        outputs=failed.outputs,
        by_host=failed.by_host,
        evidence=_evidence(failed.evidence),
        reason=failed.sentence,
        cause=failed.cause,
        effect=failed.effect,
        detail=failed.detail,
    )


def of_error(error: BaseException, action: str) -> tuple[Result, str]:
    """Return the result of an action that broke down, and the traceback for the log."""
    lines = traceback.format_exception(error)
    said = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    reason = f"The action {action} broke down ({said}); the traceback is at the end of the log."
    return Result(status="failed", reason=reason), "".join(lines).rstrip()


def of_finding(finding: Finding, redactor: Redactor) -> Result:
    """Return the result of a look."""
    detail: dict[str, Json] = {"found": list(finding.found), "missing": list(finding.missing)}
    rest = {"unclear": list(finding.unclear), "left": list(finding.left)}
    detail |= {name: lines for name, lines in rest.items() if lines}
    if finding.ended is not None:
        detail["ended"] = asdict(_of_end(finding.ended, redactor))
    return Result(
        status="succeeded",
        outputs=dict(finding.outputs),
        by_host={host: dict(values) for host, values in finding.by_host.items()},
        evidence=_evidence(finding.evidence),
        reason=finding.summary,
        effect="none",
        verdict=finding.verdict.value,
        detail=detail,
    )


def _of_end(ended: Outcome | ActionFailed, redactor: Redactor) -> Result:
    return of_outcome(ended, redactor) if isinstance(ended, Outcome) else of_failure(ended)


def redacted(result: Result, redactor: Redactor) -> Result:
    """Return the result as it may be kept and shown."""
    clean = {
        name: redact_json(redactor, value)
        for name, value in asdict(result).items()
        if name not in {"status", "effect", "exit_code"}
    }
    return replace(result, **clean)


def redact_json(redactor: Redactor, value: T) -> T:
    """Return a JSON value with every secret in its texts masked, keys included."""
    return _redact(redactor, value)  # type: ignore[return-value]  # the shape stays the same


def _redact(redactor: Redactor, value: Json) -> Json:
    if isinstance(value, str):
        return redactor.redact_text(value)
    if isinstance(value, Mapping):
        return {redactor.redact_text(key): _redact(redactor, one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_redact(redactor, one) for one in value]
    return value


def _evidence(found: tuple[Evidence, ...]) -> tuple[Mapping[str, Json], ...]:
    return tuple({"kind": e.kind, "summary": e.summary, "data": dict(e.data)} for e in found)
