"""What the failure panel shows of a step: why it failed, and what a look found. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from runbook_tui.ui import host_lines
from runbook_tui.ui.panes import contacts
from runbook_tui.ui.scene import Peek, Scene
from state.run_state import Question, StepState
from state.status import StepStatus
from widgets.failure_panel import Failure
from widgets.glyphs import WORDS

if TYPE_CHECKING:
    from runbook_tui.definition.plan import PlanStep


_NO_LOOK = "Nothing can tell whether it ran: the step has no check."


def failure(scene: Scene, stands: StepState, step: PlanStep | None) -> Failure:
    """Return what the failure panel shows of a step."""
    question = scene.state.question_on(stands.id)
    last = stands.last
    unknown = stands.status is StepStatus.UNKNOWN or (
        question is not None and question.asks in ("unknown", "partial")
    )
    reason = stands.reason or (last.reason if last else None)
    facts = []
    if last is not None and last.exit_code is not None:
        facts.append(f"exit {last.exit_code}")
    if stands.attempts:
        facts.append(f"{len(stands.attempts)} tr{'y' if len(stands.attempts) == 1 else 'ies'}")
    effect = {"none": "it had no effect", "done": "its effect is there", "partial": "half done"}
    if last is not None and last.effect in effect:
        facts.append(effect[last.effect])
    found, missing, unclear = _findings(question, stands)
    hosts, lines = _trouble(scene, stands.id)
    return Failure(
        sentence=reason or f"{stands.name} {WORDS[stands.status]}.",
        facts=f" {scene.glyphs.dot} ".join(facts),
        unknown=unknown,
        found=found,
        missing=missing,
        unclear=unclear,
        hosts=hosts,
        last=lines,
        help=_help(question, step),
        contacts=contacts(scene),
    )


def _trouble(scene: Scene, step: str) -> tuple[tuple[tuple[str, str], ...], tuple[str, ...]]:
    """Return the hosts in trouble, of several, and the last lines: of these hosts only."""
    told, peek = host_lines.hosts(scene, step), scene.peeks.get(step, Peek())
    bad = [host for host in told if host.state in ("failed", "unknown")]
    if len(told) < 2 or not bad:
        return (), peek.last
    starts = tuple(f"{host.host} {sign} " for host in bad for sign in "|~")
    lines = tuple(line for line in peek.last if line.startswith(starts))
    return tuple((host.host, host.text) for host in bad), lines


def _help(question: Question | None, step: PlanStep | None) -> str:
    shown = question.shown.get("help") if question is not None else None
    return str(shown or (step.help if step else "") or "")


def _findings(question: Question | None, stands: StepState) -> tuple[tuple[str, ...], ...]:
    """Return what a look found, what it did not find, and what it could not find out."""
    detail: Mapping[str, Any] = stands.last.detail if stands.last is not None else {}
    shown: Mapping[str, Any] = question.shown if question is not None else {}
    found, missing, unclear = (
        tuple(dict.fromkeys([*_texts(shown.get(name)), *_texts(detail.get(name))]))
        for name in ("found", "missing", "unclear")
    )
    asks = question.asks if question is not None else ""
    if not found and stands.last is not None and asks in ("partial", "unknown"):
        found = tuple(str(item.get("summary", "")) for item in stands.last.evidence)
    if asks == "unknown" and not (found or missing or unclear) and stands.last is not None:
        unclear = (_NO_LOOK,) if stands.last.verdict is None else ()
    return found, missing, unclear


def _texts(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, Sequence):
        return [str(item) for item in value]
    return []
