"""The answers that a question offers: their words, their letters, what they still need."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from runbook_tui.engine import approvals
from runbook_tui.engine.asking_others import WITHDRAWN
from runbook_tui.engine.drift import KEEP
from runbook_tui.ui import asking_others, leftovers
from runbook_tui.ui.scene import Scene
from state.run_state import ADOPT, DRIFT, Question
from widgets.choices import Choice

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

LOOKED_INTO = ("failure", "partial", "unknown")
"""Questions that somebody may want to look into first."""

SHELL = "open a shell"
"""The choice that decides nothing: a shell where the step stands, and then the question again."""


def choices(scene: Scene, question: Question) -> tuple[Choice, ...]:
    """Return the answers to a question, the safe one first."""
    found = [Choice("", SAFE.get(question.asks, "Not yet: wait here"))]
    if question.asks == approvals.ASKS:
        found += [asking_others.REMIND, asking_others.TAKE_BACK]
    if question.asks == "takeover":
        found += _giving(question)
    else:
        left = leftovers.of(scene, question)
        special = _OF_UNDO if question.shown.get("undoes") else _ABOUT_FILES
        offers = {offer.name: offer for offer in manual_offers(question)}
        found += [
            _offered(offers[word], only=len(offers) == 1)
            if word in offers
            else special.get(word) or _choice(word, question, left)
            for word in _chosen_from(question)
        ]
    if question.asks in LOOKED_INTO and question.step is not None:
        last = next((i for i, one in enumerate(found) if one.value == "abort"), len(found))
        found.insert(last, Choice(SHELL, "Open a shell here", "o"))
    return tuple(found)


def _chosen_from(question: Question) -> tuple[str, ...]:
    """Return the words to choose from: what is typed, or given elsewhere, is none of them."""
    if question.typed is not None and question.asks in ("typed", "start", "rollback"):
        return tuple(word for word in question.choices if word not in ("yes", "rollback"))
    if question.asks == approvals.ASKS:
        return tuple(word for word in question.choices if word not in ("approve", "deny"))
    return _in_order(question.choices, question)


def _in_order(words: tuple[str, ...], question: Question) -> tuple[str, ...]:
    """Put running it again last where nobody knows whether it ran; drop it where going on does it.

    What is partly done is begun again in either case, and does only what is missing.
    """
    if question.asks == "partial" and "continue" in words:
        return tuple(word for word in words if word != "retry")
    if question.asks == "unknown" and "retry" in words:
        return (*(word for word in words if word != "retry"), "retry")
    return words


@dataclass(frozen=True, slots=True)
class Offer:
    """What a `manual` step's author offers as one answer."""

    name: str
    label: str
    reason: str = "none"


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
_OF_UNDO: Mapping[str, Choice] = {
    "yes": Choice("yes", "Take it back", "y"),
    "skip": Choice(
        "skip", "Leave it, with a reason", "s", reason="required", prompt="Why leave it"
    ),
}
"""What an undo that removes something is asked before it begins."""


def _choice(word: str, question: Question, left: leftovers.Left) -> Choice:
    unknown = question.asks in ("unknown", "partial")
    if word == "yes":
        return Choice(word, "Start" if question.asks == "start" else "Begin it", "y")
    if word == "retry":
        return _retry(question, left, unknown=unknown)
    if word == "continue":
        return Choice(word, f"Go on: only {left.short(leftovers.GO_ON)}", "r")
    if word == "verified":
        label = "It is done, with evidence" if unknown else "I fixed it: check and go on"
        if question.asks == "partial":
            label = "It is right as it is, I know"
        need = "required" if unknown else "optional"
        prompt = "How you know"
        return Choice(word, label, "v", reason=need, prompt=prompt)  # type: ignore[arg-type]  # both words are allowed
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


def _retry(question: Question, left: leftovers.Left, *, unknown: bool) -> Choice:
    if question.asks == WITHDRAWN:
        return Choice("retry", "Ask them again", "r")
    if not unknown:
        what = f"Run it again: only {left.short(leftovers.AGAIN)}" if left else "Run it again"
        return Choice("retry", what, "r")
    where = f" on {left.short(leftovers.AGAIN)}" if left else ""
    label, risk = "Run it again: it may happen twice", "It may then have happened twice."
    if question.shown.get("records"):
        label = "Run it again: its record is read first"
        risk = "Where its record does not tell, it may happen twice."
    return Choice("retry", label, "r", again=f"Run it again{where}? {risk}", do="Run it again")


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
