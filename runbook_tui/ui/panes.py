"""What the tabs of a step show: plan, evidence, notes, hosts, help, failure. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from textual.content import Content

from runbook_tui.definition.patterns import matches
from runbook_tui.ui.backend import Audited
from runbook_tui.ui.clock import local
from runbook_tui.ui.model import Peek, Scene
from state.run_state import DRIFT, Question, RunState, StepState
from state.status import DONE_STEP, StepStatus
from widgets.durations import lasting
from widgets.failure_panel import Failure, call_lines
from widgets.glyphs import MARK_STYLES, WORDS
from widgets.rows import text
from widgets.safe import safe, safe_lines
from widgets.text_pane import Section

if TYPE_CHECKING:
    from runbook_tui.definition.plan import PlanStep

LABEL = 13
"""Cells of the label column."""

_NO_LOOK = "Nothing can tell whether it ran: the step has no check."

_DIGEST = re.compile(r"(sha256:[0-9a-f]{12})[0-9a-f]{52}")
_REFERENCE = re.compile(r"\$\{\{\s*([\w.-]+)\s*(?:\|[^}]*)?\}\}")


def labelled(label: str, words: str, *, short: bool = False) -> Content:
    """Return one line with its label in a column of its own; digests are cut when `short`."""
    shown = _DIGEST.sub(r"\1…", words) if short else words
    return safe(f"{label:<{LABEL - 2}}  ").stylize("$rb-muted") + safe(shown)


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
    lines = [*_standing(stands), *_shown_rows(scene, step, short=short)]
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


def _standing(stands: StepState | None) -> Iterator[Content]:
    if stands is None or stands.status is StepStatus.PENDING:
        return
    word = "found done" if stands.adopted else WORDS[stands.status]
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


def shown_lines(shown: Mapping[str, Any], *, short: bool = False) -> Iterator[Content]:
    """Return what a question shows: rows of label and text, lines, or values by name."""
    for name, value in shown.items():
        if isinstance(value, bool) or value is None:
            continue
        if isinstance(value, str | int | float):
            yield labelled(name.replace("_", " ").capitalize(), str(value))
        elif isinstance(value, Mapping):
            yield from (labelled(str(key), str(each)) for key, each in value.items())
        elif isinstance(value, Sequence):
            yield from (_shown_item(item, short=short) for item in value)


def _shown_item(item: object, *, short: bool) -> Content:
    if isinstance(item, Mapping):
        if {"label", "text"} <= item.keys():
            return labelled(str(item["label"]), str(item["text"]), short=short)
        return safe("  ".join(str(value) for value in item.values() if value is not None))
    if isinstance(item, Sequence) and not isinstance(item, str) and len(item) == 2:
        return labelled(str(item[0]), str(item[1]), short=short)
    return safe(str(item))


def _rules(step: PlanStep) -> Iterator[Content]:
    asks = {"typed": "the environment's name is typed", "ask": "asks before it begins"}
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
    return Failure(
        sentence=reason or f"{stands.name} {WORDS[stands.status]}.",
        facts=f" {scene.glyphs.dot} ".join(facts),
        unknown=unknown,
        found=found,
        missing=missing,
        unclear=unclear,
        last=scene.peeks.get(stands.id, Peek()).last,
        help=_help(question, step),
        contacts=contacts(scene),
    )


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


def resume_sections(
    scene: Scene, before: RunState | None, audited: Audited | None
) -> tuple[Section, ...]:
    """Return "While you were away": what was found at the steps that were in flight."""
    state = scene.state
    lines: list[Content] = []
    was = [stands.id for stands, _ in before.open_attempts()] if before is not None else []
    for step in was:
        stands = state.steps[step]
        mark = text((scene.glyphs.marks[stands.status], MARK_STYLES[stands.status]), " ")
        when = f"ended {local(stands.ended_at)}" if stands.done else WORDS[stands.status]
        if stands.open_attempt is not None:
            question = state.question_on(step)
            there = question is not None and question.asks == "elsewhere"
            when = f"goes on, on {stands.open_attempt.host}" if there else "goes on"
        lines.append(mark + safe(f"{stands.name:<26} {when}"))
        how = "found done, by looking" if stands.adopted else stands.reason
        if how:
            lines.append(text("    ") + safe(how))
    if not lines:
        lines.append(text("No step was running."))
    half = {one.step for one in state.questions if one.asks == "partial"}
    unknown = [
        f"{stands.name} (half done)" if stands.id in half else stands.name
        for stands in state.steps.values()
        if stands.status == "unknown"
    ]
    away = ", ".join(
        str(one.shown.get("host")) for one in state.questions if one.asks == "elsewhere"
    )
    tail = (
        safe(f"Not clear by itself: {', '.join(unknown)}. You are asked.")
        if unknown
        else safe(f"What happens on {away} cannot be seen from here: you are asked.")
        if away
        else text("Nothing was run twice. Nothing is unknown."),
        *_definition(state),
        *_chain(state.run, audited),
    )
    seen = before or state
    last = f"Last seen {local(seen.at)}, {seen.driver}."
    return (Section((safe(last), text(), *lines, text(), *tail), indent=4),)


MOST_LINES = 60
"""So many lines of what has changed are shown."""


def _definition(state: RunState) -> Iterator[Content]:
    """Say which definition goes on, how the files differ from it, and which program drives."""
    if state.program != state.started.program:
        yield safe(
            f"It began with version {state.started.program} of this program and goes on with "
            f"{state.program}."
        )
    goes_by = "as it was at the start"
    if state.adopted:
        last = state.adopted[-1]
        goes_by = f"as {last.operator} took it on {local(last.at)}"
    question = next((one for one in state.questions if one.asks == DRIFT), None)
    if not state.changed:
        yield safe(f"The run goes on with the runbook {goes_by}.")
        return
    if question is None:
        changed = ", ".join(state.changed)
        yield safe(f"The runbook has changed at: {changed}. The run keeps its own, {goes_by}.")
        if state.refused:
            yield safe(f"The change cannot be taken on: {state.refused}.")
        return
    yield safe("The runbook has changed. Nothing starts until you decide (d).")
    yield safe(f"What is safe: the run goes on with it {goes_by}. What differs:")
    lines = question.shown.get("lines")
    found = [str(line) for line in lines] if isinstance(lines, list | tuple) else []
    yield from (safe(f"  {line}") for line in found[:MOST_LINES])
    if len(found) > MOST_LINES:
        yield safe(f"  and {len(found) - MOST_LINES} lines more")


def _chain(run: str, audited: Audited | None) -> Iterator[Content]:
    """Say whether the journal is as it was written."""
    if audited is None:
        return
    events = f"Events 1–{audited.events}"
    if not audited.faults:
        yield text(f"{events} verified: chain is whole.")
        return
    yield text((f"{events}: the chain is NOT whole.", "bold $rb-bad"))
    yield safe(audited.faults[0])
    yield safe(f"See: runbook audit {run}")


def manual_sections(question: Question) -> tuple[Section, ...]:
    """Return what a person is to do, as its author wrote it."""
    return (Section(tuple(safe_lines(str(question.shown.get("text") or "")))),)


def pattern_check(pattern: str) -> Callable[[str], str]:
    """Return a check of what is typed against an author's pattern; the engine checks again."""
    if not pattern:
        return lambda value: ""
    return lambda value: "" if matches(pattern, value) else f"must match {pattern}"
