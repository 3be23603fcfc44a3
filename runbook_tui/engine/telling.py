"""Events as lines of text: what headless mode prints. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from runbook_tui.engine import approvals
from state.events import Record
from state.run_state import Question, RunState, StepState


def line(state: RunState, record: Record) -> str | None:
    """Return the line for an event, None for one that says nothing to a reader.

    `state` is the state after the event, or a later one: who drives then may be somebody else.
    """
    tell = _LINES.get(record.kind)
    data = {**record.data, "driver": record.operator}
    text = tell(state, data) if tell is not None else None
    return f"{record.at[11:19]}  {text}" if text else None


def asked(question: Question) -> Iterator[str]:
    """Yield a question with what it shows."""
    yield f"? {question.text}"
    shown = question.shown
    if isinstance(shown.get("reason"), str):
        yield f"  {shown['reason']}"
    if isinstance(shown.get("note"), str):
        yield f"  {shown['note']}"
    for name, label in (("found", "found"), ("missing", "missing"), ("unclear", "not found out")):
        lines = shown.get(name)
        for text in lines if isinstance(lines, list) else ():
            yield f"  {label}: {text}"
    left = shown.get("left")
    if question.asks == "failure" and isinstance(left, list) and left:
        yield f"  run again, only: {', '.join(map(str, left))}"
    if question.asks == approvals.ASKS:
        yield from _who_approves(question)
    if question.asks == "manual":
        for text in str(shown.get("text", "")).splitlines():
            yield f"  {text}"


def _who_approves(question: Question) -> Iterator[str]:
    needed = approvals.needed(question)
    many = "1 other person" if needed == 1 else f"{needed} other people"
    yield f"  {many} must approve it: {approvals.whose(question)} (roles in the database)"
    for one in question.approvals:
        yield f"  approved by {one.operator}@{one.host} ({one.identity}) until {one.until[:19]}Z"


def no_answer(question: Question, run: str) -> str:
    """Return how the question can be answered from the command line."""
    name = question.step or question.asks
    if question.typed is not None:
        return f"  not answered: give --confirm {name}={question.typed}"
    if question.asks == "confirm":
        return f"  not answered: give --yes, or --answer {name}=skip:REASON"
    if question.asks == approvals.ASKS:
        return (
            f'  they run: runbook approve {run} {name} --reason "what I looked at" '
            f"(no: runbook deny); then, within the hour, run: runbook resume {run}"
        )
    return f"  not answered: give --answer {name}=CHOICE, one of {', '.join(question.choices)}"


def store_away(sentence: str | None) -> str:
    """Return the line that says that a run waits for its store, or goes on."""
    if sentence is None:
        return "  the journal is back: the run goes on"
    return f"! {sentence} The run waits; what runs goes on. Leave with Ctrl-C"


def _step(state: RunState, data: Mapping[str, Any]) -> StepState:
    return state.steps[data["step"]]


def _named(step: StepState) -> str:
    """Return a step's name; with its id when it is for one host or item."""
    return f"{step.name} [{step.id}]" if "@" in step.id else step.name


def _fixed(state: RunState, data: Mapping[str, Any]) -> str:
    count = len(data["values"])
    said = f"▸ {_step(state, data).name}: {count} {data['over']}{'s' if count > 1 else ''}"
    at_once = f", {data['batch']} at a time" if data["batch"] > 1 else ""
    return f"{said}{at_once}: {', '.join(data['values'])}"


def _because(data: Mapping[str, Any]) -> str:
    return f": {data['reason']}" if data.get("reason") else ""


def _ended_well(text: str) -> str:
    """Return a text that ends as a sentence does."""
    return text if text.endswith(".") else f"{text}."


def _started(state: RunState, data: Mapping[str, Any]) -> str:
    place = f" in {data['environment']}" if data["environment"] else ""
    return f"run {state.run} started by {data['driver']}: {data['runbook']}{place}"


def _resumed(state: RunState, data: Mapping[str, Any]) -> str:
    said = f"run {state.run} taken up by {data['driver']}"
    if data["program"] != state.started.program:
        said += f" with version {data['program']}; it began with {state.started.program}"
    if data["changed"]:
        what = ", ".join(data["changed"])
        said += f"; changed since: {what}. "
        refused = data.get("refused")
        said += (
            f"That cannot be adopted ({refused}): it goes on with what it had"
            if refused
            else "Unless that is adopted, it goes on with what it had"
        )
    return said


def _adopted(state: RunState, data: Mapping[str, Any]) -> str:
    kept = [id_ for id_ in data["changed"] if id_ in data["kept"]]
    said = f"the change is adopted by {data['driver']}: {', '.join(data['changed'])}"
    return f"{said}; {', '.join(kept)} had begun and stay as they were" if kept else said


def _intended(state: RunState, data: Mapping[str, Any]) -> str:
    step = _step(state, data)
    what = "undo" if data.get("undo") else "try"
    return f"▸ {_named(step)} ({data['action']}), {what} {data['number']}"


def _ended(state: RunState, data: Mapping[str, Any]) -> str:
    step = _step(state, data)
    mark = {"succeeded": "✓", "failed": "✗", "stopped": "✗"}.get(data["status"], "!")
    word = "found done" if data["adopted"] else data["status"]
    return f"{mark} {_named(step)}: {word}{_because(data)}"


def _judged(state: RunState, data: Mapping[str, Any]) -> str:
    step = _step(state, data)
    mark = {"succeeded": "✓", "failed": "✗"}.get(data["status"], "!")
    by = " by a person" if data["proof"] == "person" else ""
    return f"{mark} {_named(step)}: {data['status']}{by}{_because(data)}"


def _answered(state: RunState, data: Mapping[str, Any]) -> str:
    asked_ = state.answered[data["id"]].question
    step = _named(state.steps[asked_.step]) if asked_.step is not None else asked_.asks
    return f"  {step}: {data['choice']}, decided by {data['by']}{_because(data)}"


def _run_ended(state: RunState, data: Mapping[str, Any]) -> str:
    failures = f", {data['failures']} failed" if data["failures"] else ""
    return f"run {state.run} {data['status']}{failures}{_because(data)}"


def _who(data: Mapping[str, Any]) -> str:
    return f"{data['sender']}@{data['host']}"


def _refused(state: RunState, data: Mapping[str, Any]) -> str:
    """What a message brought about stands on lines of its own; here is only what did not count."""
    if not data["refused"]:
        return ""
    return f"  {data['what'].replace('_', ' ')} by {_who(data)} did not count: {data['refused']}"


def _reminded(state: RunState, data: Mapping[str, Any]) -> str:
    question = state.question(data["question"])
    what = f" of: {question.text}" if question is not None else ""
    watch = f" ({', '.join(data['online'])} watch)" if data["online"] else ""
    return f"  those who may approve are reminded{what}{watch}"


_LINES: Final[Mapping[str, Callable[[RunState, Mapping[str, Any]], str]]] = {
    "run_started": _started,
    "run_resumed": _resumed,
    "definition_adopted": _adopted,
    "run_left": lambda state, data: (
        f"run {state.run} left{_ended_well(_because(data))} Come back: runbook resume {state.run}"
    ),
    "run_ended": _run_ended,
    "rollback_begun": lambda state, data: f"rollback begins: run {data['by']}{_because(data)}",
    "run_rolled_back": lambda state, data: f"run {state.run} rolled back by {data['by']}",
    "step_skipped": lambda state, data: f"- {_named(_step(state, data))}: skipped{_because(data)}",
    "instances_fixed": _fixed,
    "attempt_intended": _intended,
    "stop_asked": lambda state, data: f"  {_named(_step(state, data))}: stopping{_because(data)}",
    "attempt_voided": lambda state, data: f"  {_named(_step(state, data))}: void{_because(data)}",
    "attempt_ended": _ended,
    "retry_planned": lambda state, data: (
        f"  {_named(_step(state, data))}: tried again by itself at {data['until'][11:19]}"
    ),
    "wait_begun": lambda state, data: (
        f"▸ {_named(_step(state, data))}: waits until {data['until'][11:19]}"
    ),
    "question_answered": _answered,
    "question_withdrawn": lambda state, data: f"  question withdrawn{_because(data)}",
    "step_judged": _judged,
    "note_added": lambda state, data: f"  note: {data['text']}",
    "note_received": lambda state, data: f"  note by {_who(data)}: {data['text']}",
    "message_taken": _refused,
    "approval_given": lambda state, data: (
        f"  approved by {data['operator']}@{data['host']} ({data['identity']}){_because(data)}"
    ),
    "approvers_reminded": _reminded,
    "taken_over": lambda state, data: (
        f"  taken over from {data['before']}@{data['host']}{_because(data)}"
    ),
    "handed_over": lambda state, data: f"  handed over to {data['to']}{_because(data)}",
}
