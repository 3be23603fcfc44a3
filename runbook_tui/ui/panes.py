"""What the tabs of a step show: plan, evidence, notes, hosts, help. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from textual.content import Content

from runbook_tui.definition.patterns import matches
from runbook_tui.engine import approvals
from runbook_tui.ui import asking_others
from runbook_tui.ui.clock import local
from runbook_tui.ui.heading import waits_for
from runbook_tui.ui.labels import LABEL, labelled, shown_lines
from runbook_tui.ui.scene import Scene
from state.run_state import Question, RunState, StepState
from state.status import DONE_STEP, StepStatus
from widgets.durations import lasting
from widgets.failure_panel import call_lines
from widgets.glyphs import WORDS
from widgets.rows import text
from widgets.safe import safe, safe_lines
from widgets.text_pane import Section

if TYPE_CHECKING:
    from runbook_tui.definition.plan import PlanStep


_REFERENCE = re.compile(r"\$\{\{\s*([\w.-]+)\s*(?:\|[^}]*)?\}\}")


def filled(scene: Scene, step: PlanStep, words: str) -> str:
    """Return words with the references that are known by now filled in; secrets never are."""

    def value(match: re.Match[str]) -> str:
        path = match[1]
        parameter = scene.plan.parameters.get(path)
        if parameter is not None and not parameter.secret:
            return parameter.value
        kind, _, rest = path.partition(".")
        place = scene.plan.environments.get(step.environment)
        if kind == "env" and place is not None:
            return place.vars.get(rest, match[0])
        before, _, output = rest.partition(".")
        stands = scene.state.steps.get(before)
        if kind == "steps" and stands is not None:
            return stands.outputs.get(output, match[0])
        return match[0]

    return _REFERENCE.sub(value, words)


def plan_sections(
    scene: Scene,
    step: PlanStep,
    described: Sequence[tuple[str, str]],
    *,
    short: bool = False,
) -> tuple[Section, ...]:
    """Return what a step will do. `described` are the action's own rows, references filled in."""
    stands = scene.state.steps.get(step.id)
    asked = scene.state.question_on(step.id)
    lines = [*_standing(scene, stands, asked), *_shown_rows(scene, step, short=short)]
    if asked is not None and asked.asks == approvals.ASKS and not short:
        lines += asking_others.pane_lines(asked, scene)
    if scene.state.question_on(step.id) is None:
        lines += [
            labelled(label, filled(scene, step, words), short=short) for label, words in described
        ]
    place = step.environment or scene.plan.environment
    rules = [labelled("Where", place)] if place else []
    rules += list(_rules(step))
    if step.refs:
        rules.append(labelled("Proves", ", ".join(step.refs)))
    return (Section(tuple(lines), indent=LABEL), Section(tuple(rules), indent=LABEL))


def _standing(scene: Scene, stands: StepState | None, asked: Question | None) -> Iterator[Content]:
    if stands is None or stands.status is StepStatus.PENDING:
        return
    word = "found done" if stands.adopted else WORDS[stands.status]
    if asked is not None and stands.status is StepStatus.WAITING:
        whom = waits_for(scene, asked)
        word = whom[:1].lower() + whom[1:]
    why = stands.reason if stands.status in DONE_STEP else None
    yield labelled("Stands", f"{word}: {why}" if why else word)
    if stands.proof == "person":
        yield labelled("Proof", "by a person")
    elif stands.proof == "machine":
        yield labelled("Proof", "by the machine")


def _shown_rows(scene: Scene, step: PlanStep, *, short: bool) -> list[Content]:
    question = scene.state.question_on(step.id)
    rows = question.shown.get("rows") if question is not None else None
    return list(shown_lines({"rows": rows}, short=short)) if rows else []


def _rules(step: PlanStep) -> Iterator[Content]:
    asks = {
        "typed": "the environment's name is typed",
        "ask": "asks before it begins",
        "approval": "when others have approved it",
    }
    if step.confirm in asks:
        yield labelled("Begins", asks[step.confirm])
    if step.timeout is not None:
        yield labelled("Each try", f"ends at {lasting(step.timeout)}")
    if step.retries is not None:
        yield labelled("Again", f"by itself, {step.retries.times} more")
    if step.on_failure != "ask":
        yield labelled("If it fails", step.on_failure)
    if step.verify is not None:
        yield labelled("Checked by", step.verify.action)
    if step.undo is not None:
        yield labelled("Way back", f"undone by {step.undo.action}")
    if step.no_return:
        yield labelled("No return", step.no_return)
    if step.overlaid:
        yield labelled("Overlaid", ", ".join(step.overlaid))


def evidence_sections(stands: StepState | None) -> tuple[Section, ...]:
    """Return what proves the step, or say that nothing does yet."""
    return proofs(stands) or (Section((text("No evidence yet."),)),)


def proofs(stands: StepState | None) -> tuple[Section, ...]:
    """Return evidence and outputs of the attempts and judgements of a step; nothing without any."""
    if stands is None:
        return ()
    sections = []
    for attempt in stands.attempts:
        lines = list(_evidence(attempt.evidence))
        if attempt.verdict:
            lines.insert(0, labelled("Verdict", attempt.verdict))
        if attempt.exit_code is not None:
            lines.insert(0, labelled("Exit code", str(attempt.exit_code)))
        if lines:
            title = text(f"Try {attempt.number}")
            words = attempt.status.value if not attempt.open else "running"
            sections.append(Section(tuple(lines), title, words, indent=LABEL))
    shown = {id(item) for attempt in stands.attempts for item in attempt.evidence}
    left = [
        item
        for item in stands.evidence
        if id(item) not in shown and not _is_output(item, stands.outputs)
    ]
    own = [*_evidence(left), *(labelled(n, v) for n, v in stands.outputs.items())]
    if own:
        by = f"by a {stands.proof}" if stands.proof else ""
        sections.append(Section(tuple(own), text("Result"), by, indent=LABEL))
    return tuple(sections)


def _is_output(item: Mapping[str, Any], outputs: Mapping[str, str]) -> bool:
    """Whether a record only says what stands among the outputs too."""
    data = item.get("data")
    if item.get("kind") != "record" or not isinstance(data, Mapping) or not data:
        return False
    return all(outputs.get(name) == value for name, value in data.items())


def _evidence(evidence: Sequence[Mapping[str, Any]]) -> Iterator[Content]:
    for item in evidence:
        yield labelled(str(item.get("kind", "")), str(item.get("summary", "")))


def notes_section(state: RunState) -> Section:
    """Return all notes, the newest first."""
    notes = [*state.notes, *(note for stands in state.steps.values() for note in stands.notes)]
    lines: list[Content] = []
    for note in sorted(notes, key=lambda note: note.at, reverse=True):
        stands = state.steps.get(note.step or "")
        on = f" on {stands.name}" if stands else ""
        lines.append(safe(f"{local(note.at)} {note.operator}{on}").stylize("$rb-muted"))
        lines.extend(text("  ") + line for line in safe_lines(note.text))
    return Section(tuple(lines) or (text("No notes yet."),), indent=2)


def hosts_sections(scene: Scene, step: str) -> tuple[Section, ...]:
    """Return what each host of a step gave, where nothing is known of how it went there."""
    stands = scene.state.steps.get(step)
    if stands is not None and stands.by_host:
        lines = [
            safe(f"{host}  ") + safe("  ".join(f"{k}={v}" for k, v in values.items()))
            for host, values in stands.by_host.items()
        ]
        return (Section(tuple(lines)),)
    return (Section((text("This step runs on no hosts, or has not come to them yet."),)),)


def help_sections(scene: Scene, step: PlanStep | None) -> tuple[Section, ...]:
    """Return the author's help, links, and whom to call."""
    sections = []
    if step is not None and step.help:
        sections.append(Section(tuple(safe_lines(step.help)), text("Author's help")))
    links = {**scene.plan.links, **(step.links if step else {})}
    if links:
        lines = tuple(labelled(title, url) for title, url in links.items())
        sections.append(Section(lines, text("Links"), indent=LABEL))
    if scene.plan.contacts:
        sections.append(Section(call_lines(contacts(scene)), text("Call"), indent=2))
    return tuple(sections) or (Section((text("The author wrote no help for this step."),)),)


def contacts(scene: Scene) -> tuple[tuple[str, str, str], ...]:
    """Return role, name and reach of those to call."""
    return tuple((who.role, who.name, who.reach) for who in scene.plan.contacts)


def manual_sections(question: Question) -> tuple[Section, ...]:
    """Return what a person is to do, as its author wrote it."""
    return (Section(tuple(safe_lines(str(question.shown.get("text") or "")))),)


def pattern_check(pattern: str) -> Callable[[str], str]:
    """Return a check of what is typed against an author's pattern; the engine checks again."""
    if not pattern:
        return lambda value: ""
    return lambda value: "" if matches(pattern, value) else f"must match {pattern}"
