"""From the parts of all hosts to the outcome of the step."""

from __future__ import annotations

from collections.abc import Sequence

from runbook_tui.actions.api import ActionFailed, Effect, Evidence, Outcome
from runbook_tui.actions.shared.by_host import agreed
from runbook_tui.actions.ssh.part import Part, State
from state.json_value import Json

NAMED = 5
"""Hosts that a sentence names; more are counted."""


def judge(parts: Sequence[Part]) -> Outcome:
    """Return the step's outcome; raises ActionFailed when it did not end well on every host."""
    by_host = {part.host: part.outputs for part in parts if part.state is State.DONE}
    evidence = evidence_of(parts)
    bad = [part for part in parts if part.state in (State.FAILED, State.UNKNOWN)]
    if not bad:
        return Outcome(outputs=agreed(by_host), by_host=by_host, evidence=evidence)
    acted = any(part.acted for part in parts)
    effect: Effect = "unknown" if any(part.acted for part in bad) else "partial"
    raise ActionFailed(
        _sentence(parts, bad),
        effect=effect if acted else "none",
        cause=bad[0].cause if len(bad) == 1 and not acted else None,
        exit_code=_common_code(parts),
        unknown=any(part.state is State.UNKNOWN for part in bad),
        evidence=evidence,
        by_host=by_host,
        detail=detail_of(parts),
    )


def evidence_of(parts: Sequence[Part]) -> tuple[Evidence, ...]:
    """Return one line for each host that was tried."""
    return tuple(_evidence(part) for part in parts if part.state is not State.UNTRIED)


def detail_of(parts: Sequence[Part]) -> dict[str, Json]:
    """Return how each host stands, for programs."""
    return {"hosts": {part.host: {"state": part.state.value, "code": part.code} for part in parts}}


def _common_code(parts: Sequence[Part]) -> int | None:
    """Return the exit code when every host gave the same; a mixture has no one meaning."""
    codes = {part.code for part in parts}
    return codes.pop() if len(codes) == 1 else None


def _sentence(parts: Sequence[Part], bad: Sequence[Part]) -> str:
    words = " ".join(part.words for part in bad[:3])
    if len(bad) > 3:
        words += f" And {len(bad) - 3} more hosts did not end well."
    done = [part.host for part in parts if part.state is State.DONE]
    untried = [part.host for part in parts if part.state is State.UNTRIED]
    if done:
        words += f" It ended well on {_named(done)}."
    return f"{words} It was not tried on {_named(untried)}." if untried else words


def _named(hosts: Sequence[str]) -> str:
    return ", ".join(hosts) if len(hosts) <= NAMED else f"{len(hosts)} hosts"


def _evidence(part: Part) -> Evidence:
    ended = f"exit code {part.code}" if part.code is not None else part.words
    tried = f", in try {part.tried}" if part.tried else ""
    return Evidence("exit", f"{part.host}: {ended}{tried}", {"host": part.host, "code": part.code})
