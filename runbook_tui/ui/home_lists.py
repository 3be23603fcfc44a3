"""Home's lists from the recorded runs and the runbook files."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from runbook_tui.definition import loader
from runbook_tui.definition.problems import DefinitionError
from runbook_tui.ui import clock
from runbook_tui.ui.attention import first_question
from runbook_tui.ui.backend import Entry, HomeView
from state.run_state import RunState
from state.status import RunStatus, StepStatus
from widgets.durations import ago, lasting

MOST_RUNS = 200
"""Runs that Home reads."""

MOST_WORDS = 40
"""Letters of a description that stand beside a runbook's name."""

OVERDUE = "overdue"

CADENCES = {"daily": 86400.0, "weekly": 7 * 86400.0, "monthly": 31 * 86400.0}

_MARKS = {
    RunStatus.RUNNING: StepStatus.RUNNING,
    RunStatus.WAITING: StepStatus.WAITING,
    RunStatus.FAILED: StepStatus.FAILED,
    RunStatus.SUCCEEDED: StepStatus.SUCCEEDED,
    RunStatus.ABORTED: StepStatus.SKIPPED,
    RunStatus.ROLLED_BACK: StepStatus.UNDONE,
    RunStatus.INTERRUPTED: StepStatus.INTERRUPTED,
}


def view(
    states: Sequence[RunState],
    broken: Mapping[str, str],
    driven: Collection[str],
    past: Collection[str],
    folders: Sequence[Path],
) -> HomeView:
    """Return the three lists. `states` are the newest runs, newest first; `broken` those whose
    record cannot be read, and why; `driven` those that a driver has now; `past` those that
    nobody goes on with here: they are over, or another machine's history."""
    now = clock.now_utc()
    runbooks = tuple(_runbooks(states, folders, now))
    needs = [
        _need(state, now, state.run in driven)
        for state in states
        if state.run not in past and not (state.run in driven and first_question(state) is None)
    ]
    needs += [_broken(run, why) for run, why in broken.items()]
    needs += [
        replace(entry, status=StepStatus.INTERRUPTED, words=entry.below, when="", below="")
        for entry in runbooks
        if entry.below.startswith(OVERDUE)
    ]
    history = tuple(_past(state, now) for state in states if state.run in past)
    return HomeView(tuple(needs), runbooks, history, len(driven))


def _broken(run: str, why: str) -> Entry:
    below = f"{why}. Look with: runbook audit {run}"
    return Entry(run, "run", "", StepStatus.UNKNOWN, words="record not intact", below=below)


def _title(state: RunState) -> str:
    version = state.started.parameters.get("version", "")
    return f"{state.started.runbook} {version}".strip()


def _need(state: RunState, now: datetime, alive: bool) -> Entry:
    question = first_question(state)
    since = clock.between(state.at, None, now) or 0.0
    below = question.text if question is not None else (state.reason or state.left or "")
    if question is not None and question.asks in ("unknown", "partial"):
        status, words = StepStatus.UNKNOWN, "outcome unknown"
    elif question is not None and question.asks == "elsewhere":
        status, words = StepStatus.RUNNING, f"runs on {question.shown.get('host')}"
    elif question is not None and question.asks == "failure":
        status, words = StepStatus.FAILED, "failed"
    elif question is not None:
        status, words = StepStatus.WAITING, "waits for you"
    elif state.status is RunStatus.FAILED:
        status, words = StepStatus.FAILED, "failed"
    else:
        status, words = StepStatus.INTERRUPTED, "interrupted"
    driver = f"{below} Driver: {state.driver}".strip() if alive else below
    return Entry(
        state.run,
        "run",
        _title(state),
        status,
        state.started.environment,
        state.started.protected,
        words,
        ago(since),
        driver,
    )


def _past(state: RunState, now: datetime) -> Entry:
    took = clock.between(state.started_at, state.ended_at or state.at, now) or 0.0
    began = clock.moment(state.started_at)
    when = began.astimezone().strftime("%a %H:%M") if began else ""
    return Entry(
        state.run,
        "run",
        _title(state),
        _MARKS[state.status],
        state.started.environment,
        state.started.protected,
        lasting(took),
        f"{when} {state.driver}",
    )


def _runbooks(
    states: Sequence[RunState], folders: Sequence[Path], now: datetime
) -> Iterator[Entry]:
    for file in _files(folders):
        try:
            loaded = loader.load(file)
        except DefinitionError as error:
            first = error.problems[0]
            words = f"line {first.line}: {first.message}"
            yield Entry(str(file), "runbook", file.name, StepStatus.UNKNOWN, words=_short(words))
            continue
        except OSError as problem:
            why = problem.strerror or str(problem)
            yield Entry(str(file), "runbook", file.name, StepStatus.UNKNOWN, words=why)
            continue
        last = next((s for s in states if s.started.file == str(file.absolute())), None)
        yield Entry(
            str(file),
            "runbook",
            loaded.runbook.name,
            _MARKS[last.status] if last is not None else None,
            words=_short(loaded.runbook.header.description),
            when=_last_words(last, now),
            below=_due(loaded.runbook.header.cadence, last, now),
        )


def _short(text: str) -> str:
    """Return the beginning of a text, marked as cut when it is."""
    return text if len(text) <= MOST_WORDS else f"{text[: MOST_WORDS - 1].rstrip()}…"


def _last_words(last: RunState | None, now: datetime) -> str:
    if last is None:
        return "never run"
    return ago(clock.between(last.started_at, None, now) or 0.0)


def _due(cadence: str | None, last: RunState | None, now: datetime) -> str:
    """Return that a runbook is overdue by its cadence, or nothing."""
    if cadence not in CADENCES:
        return ""
    gone = clock.between(last.ended_at or last.at, None, now) if last is not None else None
    if gone is None:
        return f"{cadence}: never done"
    late = gone - CADENCES[cadence]
    return f"{OVERDUE}: {cadence}, due {ago(late)}" if late > 0 else ""


def _files(folders: Sequence[Path]) -> Iterator[Path]:
    """Yield the runbooks in the folders; environments files and rollbacks are not listed."""
    for folder in folders:
        for file in sorted(folder.rglob("*.yaml")):
            if file.name in ("environments.yaml", "rollback.yaml"):
                continue
            if _is_runbook(file):
                yield file


def _is_runbook(file: Path) -> bool:
    """Tell whether a file says that it is one; what cannot be read is listed, with why."""
    if file.is_dir():
        return False
    try:
        with file.open("rb") as handle:
            return b"\nrunbook:" in b"\n" + handle.read(4096)
    except OSError:
        return True
