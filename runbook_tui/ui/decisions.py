"""The only place where a key becomes a command: questions to choices, choices to commands.

The words of the choices are the command line's; what stands on the screen is said here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from textual.content import Content

from runbook_tui.engine import approvals
from runbook_tui.engine.drift import KEEP
from runbook_tui.engine.ports import (
    Abort,
    Answer,
    Command,
    HandOver,
    Hold,
    Release,
    RollBack,
    StopStep,
)
from runbook_tui.ui import instances, leftovers
from runbook_tui.ui.attention import questions
from runbook_tui.ui.clock import local
from runbook_tui.ui.labels import shown_lines
from runbook_tui.ui.now_bar import several
from runbook_tui.ui.scene import Scene
from state.run_state import ADOPT, DRIFT, Question, RunState
from widgets.choices import Choice
from widgets.decision_bar import Ask
from widgets.rows import text
from widgets.safe import safe

ACTING: Mapping[str, str] = {
    "y": "say yes",
    "r": "run again",
    "v": "it is done, I checked",
    "s": "skip",
    "b": "roll back",
    "u": "undo this step",
    "x": "stop the step",
    "p": "pause after it",
    "o": "open a shell",
    "t": "hand over or take over",
    "f": "take changed files on",
    "a": "abort",
}
"""The letters that act, each only after `d`."""

SAFE = {
    "confirm": "Not yet: wait here",
    "typed": "Not yet: wait here",
    "start": "Not yet: wait here",
    "manual": "Not yet: keep it open",
    "rollback": "Not now: back to the run",
    "failure": "Leave it so: decide later",
    "partial": "Leave it so: look first",
    "unknown": "Leave it so: look first",
    "elsewhere": "Keep waiting: look there first",
    "approval": "Keep waiting",
    "takeover": "Not yet: 30 s are left",
    DRIFT: "Not yet: look first",
}

MENU = "menu"
"""The id of the list of what can be done while no question is open."""

HANDING_OVER = "handing over"
"""The id of the question to whom the run is handed over by somebody who leaves."""

_HAND_OVER = Choice("hand_over", "Hand over …", "t", reason="required", prompt="To whom, and why")

LOOKED_INTO = ("failure", "partial", "unknown")
"""Questions that somebody may want to look into first."""

_ALL = 150
"""Cells for names in a sentence of two rows."""

SHELL = "shell"
"""The choice that decides nothing: a shell where the step stands, and then the question again."""


@dataclass(frozen=True, slots=True)
class Offer:
    """What a `manual` step's author offers as one answer."""

    name: str
    label: str
    reason: str = "none"


def ask(scene: Scene, question: Question, place: str = "") -> Ask:
    """Return a question as the bar shows it."""
    choices = [Choice("", SAFE.get(question.asks, "Not yet: wait here"))]
    offers = {offer.name: offer for offer in manual_offers(question)}
    if question.typed is None or question.asks not in ("typed", "start", "rollback"):
        words = _in_order(question.choices, question)
    else:
        words = tuple(word for word in question.choices if word not in ("yes", "rollback"))
    if question.asks == "approval":
        words = tuple(word for word in words if word not in ("approve", "deny"))
    if question.asks == "takeover":
        words, choices = (), [*choices, *_giving(question)]
    unknown = question.asks in ("unknown", "partial")
    choices += [
        _offered(offers[word], only=len(offers) == 1)
        if word in offers
        else _choice(word, question, leftovers.of(scene, question), unknown=unknown)
        for word in words
    ]
    if question.asks in LOOKED_INTO and question.step is not None:
        last = next((i for i, one in enumerate(choices) if one.value == "abort"), len(choices))
        choices.insert(last, Choice(SHELL, "Open a shell here", "o"))
    return Ask(
        id=question.id,
        question=safe(_words(scene, question)),
        rows=_rows(question),
        lines=_lines(scene, question),
        choices=tuple(choices),
        typed=question.typed or "",
        value="rollback" if question.asks == "rollback" else "yes",
        place=place,
        form=question.asks == "manual",
    )


def _in_order(words: tuple[str, ...], question: Question) -> tuple[str, ...]:
    """Put running it again last where nobody knows whether it ran; drop it where going on does it.

    What is partly done is begun again in either case, and does only what is missing.
    """
    if question.asks == "partial" and "continue" in words:
        return tuple(word for word in words if word != "retry")
    if question.asks == "unknown" and "retry" in words:
        return (*(word for word in words if word != "retry"), "retry")
    return words


def manual_offers(question: Question) -> tuple[Offer, ...]:
    """Return the answers that a `manual` step's author offers."""
    given = question.shown.get("choices") if question.asks == "manual" else None
    if not isinstance(given, Mapping):
        return ()
    return tuple(
        Offer(name, str(what.get("label", name)), str(what.get("reason") or "none"))
        for name, what in given.items()
        if isinstance(what, Mapping)
    )


def _offered(offer: Offer, *, only: bool) -> Choice:
    label = "Record as done" if only and offer.name == "done" else offer.label
    key = "y" if only else ""
    if offer.reason == "required":
        return Choice(offer.name, label, key, reason="required")
    if offer.reason == "optional":
        return Choice(offer.name, label, key, reason="optional")
    return Choice(offer.name, label, key)


def _words(scene: Scene, question: Question) -> str:
    if question.asks == "approval" and question.step is not None:
        return f"Another operator must approve: {scene.state.steps[question.step].name}"
    return question.text


def _giving(question: Question) -> tuple[Choice, ...]:
    """Return the answers to somebody who wants to drive."""
    who = question.shown.get("to") or question.shown["by"]
    stays = Choice("stay", "Go on driving, and say why", reason="optional", prompt="Why")
    return (Choice("yield", f"Let {who} drive", "y"), stays)


_ABOUT_FILES = {
    KEEP: Choice(KEEP, "Keep what it began with", "y"),
    ADOPT: Choice(
        ADOPT,
        "Take the change on",
        "f",
        again="Take the change on? It counts for every step that has not begun.",
        do="Take it on",
    ),
}


def _choice(word: str, question: Question, left: leftovers.Left, *, unknown: bool) -> Choice:
    if word == "yes":
        return Choice(word, "Start" if question.asks == "start" else "Begin it", "y")
    if word == "retry":
        return _retry(left, unknown=unknown)
    if word == "continue":
        return Choice(word, f"Go on: only {left.short(leftovers.GO_ON)}", "r")
    if word == "verified":
        label = "It is done, with evidence" if unknown else "I fixed it: check and go on"
        if question.asks == "partial":
            label = "It is right as it is, I know"
        need = "required" if unknown else "optional"
        prompt = "How you know"
        return Choice(word, label, "v", reason=need, prompt=prompt)  # type: ignore[arg-type]  # both words are allowed
    if word in _ABOUT_FILES:
        return _ABOUT_FILES[word]
    if word == "dead":
        label = f"{question.shown.get('host', 'That machine')} is dead: look what it did"
        return Choice(word, label, "y", reason="required", prompt="How you know")
    if word == "skip":
        return Choice(word, "Skip, with a reason", "s", reason="required", prompt="Why skip")
    if word == "undo":
        way = question.shown.get("way_back")
        named, what = (f"Undo it: {way}", f": {way}") if way else ("Undo this step", "")
        return Choice(word, named, "u", again=f"Undo this step now{what}?", do="Undo it")
    if word == "rollback":
        again = question.asks == "rollback"
        return Choice(word, "Roll back" if again else "Roll back …", "y" if again else "b")
    if word == "abort":
        return Choice(
            word,
            "Abort: stop here, undo nothing",
            "a",
            again="Abort the run here? What is done stays done.",
            do="Abort",
        )
    return Choice(word, word)


def _retry(left: leftovers.Left, *, unknown: bool) -> Choice:
    if not unknown:
        what = f"Run it again: only {left.short(leftovers.AGAIN)}" if left else "Run it again"
        return Choice("retry", what, "r")
    label = "Run it again: it may happen twice"
    where = f" on {left.short(leftovers.AGAIN)}" if left else ""
    asked = f"Run it again{where}? It may then have happened twice."
    return Choice("retry", label, "r", again=asked, do="Run it again")


def _meanwhile(scene: Scene, step: str) -> str:
    """Say whether anything new begins before a failure is decided."""
    groups = (group for group in scene.plan.groups() if group.each is not None)
    group = next((one for one in groups if any(each.id == step for each in one.steps)), None)
    if group is not None and group.each is not None and instances.may_go_on(group, scene.state):
        failed = instances.failed(group, scene.state)
        return f"So do the other {group.each.over}s: {instances.of_most(group, failed)}."
    return "Nothing later starts until you have decided."


def _lines(scene: Scene, question: Question) -> tuple[Any, ...]:
    if question.asks == "rollback":
        return (safe("A run of its own takes back what this run did, newest first."),)
    if question.asks == "approval":
        return _approval(question, scene)
    if question.asks == "takeover":
        by = f"{question.shown['by']}@{question.shown['host']}"
        why = safe(f'{by}: "{question.shown["reason"]}"')
        then = "Without an answer in 30 s this screen becomes read only. Running steps go on."
        return (why, text(then))
    if question.asks == "elsewhere":
        begun, heard = (local(str(question.shown.get(name, ""))) for name in ("since", "heard"))
        words = f"Begun there {begun}, last heard from {heard}. From here nobody can see what"
        return (safe(f"{words} it does; its result is taken as soon as it comes."),)
    if question.asks == DRIFT:
        return (text("What has begun stays as it was. Nothing starts until you have decided."),)
    if question.asks == "manual":
        return (text("An item for a person. Your words and name go into the report."),)
    if question.asks in LOOKED_INTO:
        return tuple(safe(words) for words in _after_failure(scene, question))
    no_return = question.shown.get("no_return")
    return (safe(f"No way back: {no_return}"),) if no_return else ()


def _after_failure(scene: Scene, question: Question) -> Iterator[str]:
    """Yield what is worth knowing before one decides, in a line or two."""
    note = question.shown.get("note")
    if note:
        yield str(note)
    running = [stands for stands, _ in scene.state.open_attempts()]
    if running:
        go = "goes on" if len(running) == 1 else "go on"
        yield f"{several(running)} {go}. {_meanwhile(scene, question.step or '')}"
    elif question.asks == "partial":
        names = leftovers.of(scene, question).short(_ALL)
        yield f"Going on does only what is not done: {names}."
    elif question.asks == "unknown" and not note:
        yield "Nothing runs again by itself. Run it again only if you know that it did not happen."
    if question.asks == "failure" and (told := leftovers.of(scene, question).told()):
        yield told


def _approval(question: Question, scene: Scene) -> tuple[Any, ...]:
    shown, run = question.shown, scene.state.run
    roles = approvals.roles_of(question)
    whose = f"anybody but you in {' or '.join(roles)}" if roles else "anybody but you"
    given = ", ".join(f"{one.operator}@{one.host}" for one in question.approvals)
    so_far = f"; so far {given}" if given else ""
    return (
        safe(f"{shown.get('count', 1)} must say yes: {whose}{so_far}."),
        safe(f"They run:  runbook watch {run}  and press  d  then  y"),
    )


def _rows(question: Question) -> tuple[Content, ...]:
    """Return what a confirmation tells of the step: label and text, a row each."""
    if question.asks not in ("confirm", "typed", "start", "approval", DRIFT):
        return ()
    told = ("rows", "steps", "lines")
    rows = {name: question.shown[name] for name in told if name in question.shown}
    return tuple(shown_lines(rows, short=True))


def menu(scene: Scene, step: str | None) -> Ask:
    """Return the list of what can be done while nothing is asked."""
    state = scene.state
    running = [stands for stands, _ in state.open_attempts()]
    choices = [Choice("", "Keep going" if not scene.held else "Leave it paused")]
    if scene.held:
        choices.append(Choice("release", "Go on with the next step", "p"))
    else:
        choices.append(Choice("hold", "Pause after it" if running else "Pause here", "p"))
    chosen = next((stands for stands in running if stands.id == step), None) or (
        running[0] if running else None
    )
    if chosen is not None:
        choices.append(
            Choice(
                f"stop {chosen.id}",
                f"Stop {chosen.name} …",
                "x",
                reason="required",
                prompt="Why stop it",
            )
        )
    if scene.plan.way_back:
        choices.append(Choice("rollback", "Roll back …", "b", reason="required", prompt="Why"))
    choices.append(_HAND_OVER)
    choices.append(Choice("abort", "Abort …", "a", reason="required", prompt="Why abort"))
    lines = (text("Stopping is an interrupt, 10 s, then kill. Rolling back asks again."),)
    return Ask(MENU, text("What now?"), lines, tuple(choices))


def handing_over(scene: Scene) -> Ask:
    """Return what somebody is asked who leaves by handing over."""
    return Ask(
        HANDING_OVER,
        safe(f"Hand over run {scene.state.run}, and leave?"),
        (text("Running steps go on; nothing new starts until the run is taken up."),),
        (Choice("", "Stay"), _HAND_OVER),
    )


def placed(state: RunState, question: Question) -> str:
    """Return `1 of 2` when several questions are open."""
    open_ = questions(state)
    if len(open_) < 2:
        return ""
    return f"{[each.id for each in open_].index(question.id) + 1} of {len(open_)}"


def command(
    asked: Ask, choice: str, reason: str, fields: Mapping[str, str] | None = None
) -> Command:
    """Return the command that a choice stands for."""
    if asked.id in (MENU, HANDING_OVER):
        return _from_menu(choice, reason)
    given = dict(fields or {})
    if asked.typed and choice == asked.value:
        given["typed"] = asked.typed
    return Answer(asked.id, choice, "person", reason or None, given)


def _from_menu(choice: str, reason: str) -> Command:
    if choice.startswith("stop "):
        return StopStep(choice.removeprefix("stop "), reason)
    if choice == "rollback":
        return RollBack(reason)
    if choice == "hand_over":
        to, _, why = reason.replace(":", " ", 1).partition(" ")
        return HandOver(to, why.strip() or "asked for")
    if choice == "abort":
        return Abort(reason)
    return Release() if choice == "release" else Hold()


def recorded_fields(question: Question) -> Sequence[tuple[str, str, bool, str]]:
    """Return what a `manual` step records: name, prompt, required, pattern."""
    record = question.shown.get("record")
    if not isinstance(record, Mapping):
        return ()
    return [
        (name, str(what["prompt"]), not what.get("optional"), str(what.get("pattern") or ""))
        for name, what in record.items()
        if isinstance(what, Mapping)
    ]
