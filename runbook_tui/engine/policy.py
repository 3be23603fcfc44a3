"""What the operator said in advance: `--yes`, `--confirm STEP=TEXT`, `--answer STEP[.FIELD]=…`.

Each answer is used once (`STEP=retry*3` three times), in the order given; what is typed to confirm
is typed whenever it is asked for.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from runbook_tui.definition.ids import template_of
from runbook_tui.definition.problems import UsageProblem, did_you_mean
from runbook_tui.engine import approvals, asking_others, elsewhere
from runbook_tui.engine.ports import Answer, NoAnswer
from state.run_state import DRIFT, Question

_ANSWER: Final = re.compile(
    r"(?P<step>[a-z0-9-]+(?:/[a-z0-9-]+)*(?:@[A-Za-z0-9_.:-]+)?)"
    r"(?:\.(?P<field>[a-z][a-z0-9_-]*))?=(?P<said>.*)",
    re.DOTALL,
)
_CHOICE: Final = re.compile(
    r"(?P<choice>[A-Za-z][A-Za-z0-9_-]*)(?:\*(?P<times>[1-9]\d{0,2}))?(?::(?P<reason>.*))?",
    re.DOTALL,
)
_FIELD: Final = re.compile(r"[a-z][a-z0-9_-]*")
_OF_RUN: Final = ("start", "rollback")
_BEFORE: Final = frozenset(
    {"confirm", "typed", "start", approvals.ASKS, asking_others.WITHDRAWN, elsewhere.ASKS}
)


@dataclass(slots=True)
class Given:
    """One answer given in advance, and how often it may still be used."""

    choice: str
    reason: str | None
    left: int = 1


@dataclass(slots=True)
class Policy:
    """Answers questions from what was said in advance, or raises NoAnswer."""

    yes: bool = False
    typed: Mapping[str, str] = field(default_factory=dict)
    answers: Mapping[str, list[Given]] = field(default_factory=dict)
    fields: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def names(self) -> bool:
        """Whether any answer is for a step by its name."""
        return bool(self.typed or self.answers or self.fields)

    def insist(self, steps: Sequence[str]) -> None:
        """Raise UsageProblem for an answer to a step that is none of these: it would never count,
        and the run would stop where it was meant to go on.
        """
        named = {"--confirm": [*self.typed], "--answer": [*self.answers, *self.fields]}
        for option, names in named.items():
            known = (*steps, *_OF_RUN) if option == "--confirm" else steps
            for name in names:
                if not _exists(name, known):
                    advice = did_you_mean(name, known) or "See the ids with: runbook plan FILE"
                    raise UsageProblem(f"{option} {name}=…: there is no step {name}", advice)

    def answer(self, question: Question) -> Answer:
        """Return the answer to a question. Raises NoAnswer."""
        if question.step is None:
            return self._of_run(question)
        given = self._given(question)
        if given is not None:
            given.left -= 1
            return Answer(
                question.id, given.choice, "person", given.reason, self._fields(question, given)
            )
        if question.asks == "confirm" and self.yes:
            return Answer(question.id, "yes", "policy", "--yes")
        typed = self._typed(question.step)
        if question.asks == "typed" and typed is not None:
            return Answer(question.id, "yes", "person", fields={"typed": typed})
        raise NoAnswer

    def _of_run(self, question: Question) -> Answer:
        if question.asks == DRIFT:
            raise NoAnswer
        name = "rollback" if question.asks == "rollback" else "start"
        choice = "rollback" if name == "rollback" else "yes"
        if question.typed is None:
            return Answer(question.id, choice, "policy", "chosen when it was asked for")
        if name in self.typed:
            return Answer(question.id, choice, "person", fields={"typed": self.typed[name]})
        raise NoAnswer

    def _given(self, question: Question) -> Given | None:
        """Return the first answer left for the step; before a step only those that fit there.

        An answer to a failure (`retry`) may be given together with a confirmation, and waits.
        """
        for one in self._of(question.step or ""):
            waits = question.asks in _BEFORE or one.choice == elsewhere.DEAD
            if one.left and (one.choice in question.choices or not waits):
                return one
        return None

    def _fields(self, question: Question, given: Given) -> Mapping[str, str]:
        step = question.step or ""
        typed = self._typed(step)
        if given.choice == "yes" and typed is not None:
            return {"typed": typed}
        if question.asks != "manual":
            return {}
        return {**self.fields.get(template_of(step), {}), **self.fields.get(step, {})}

    def _of(self, step: str) -> Iterator[Given]:
        """Yield what was said for a step; of a repeated one, for this host or item, then for all.

        `STEP@HOST` of a step that goes to several hosts at once is an answer for that step.
        """
        yield from self.answers.get(step, ())
        if "@" in step:
            yield from self.answers.get(template_of(step), ())
            return
        for name, given in self.answers.items():
            if name != step and template_of(name) == step:
                yield from given

    def _typed(self, step: str) -> str | None:
        return self.typed.get(step, self.typed.get(template_of(step)))


def _exists(name: str, steps: Sequence[str]) -> bool:
    """Tell whether there is, or may be, such a step: some lists are made only in the run."""
    if name in steps:
        return True
    step, at, host = name.partition("@")
    if not at or step not in steps:
        return False
    others = [one for one in steps if template_of(one) == step and one != step]
    return not others or any(host.startswith(one.partition("@")[2] + ".") for one in others)


def parse(*, yes: bool, confirms: Iterable[str], answers: Iterable[str]) -> Policy:
    """Return the policy that the options say. Raises UsageProblem for one that says nothing."""
    typed: dict[str, str] = {}
    for text in confirms:
        step, equals, name = text.partition("=")
        if not equals or not step or not name:
            raise UsageProblem(f"--confirm {text} is not STEP=TEXT", "Write --confirm STEP=TEXT")
        typed[step] = name
    given: dict[str, list[Given]] = {}
    fields: dict[str, dict[str, str]] = {}
    for text in answers:
        step, field_name, said = _split(text)
        if field_name is not None:
            fields.setdefault(step, {})[field_name] = said
            continue
        # A host's name may hold dots: what looks like a part of it may be a field.
        at, dot, last = step.rpartition(".")
        if dot and _FIELD.fullmatch(last):
            fields.setdefault(at, {})[last] = said
            if not _CHOICE.fullmatch(said):
                continue
        given.setdefault(step, []).append(_given(text, said))
    return Policy(yes, typed, given, fields)


def _split(text: str) -> tuple[str, str | None, str]:
    match = _ANSWER.fullmatch(text)
    if match is None:
        raise _wrong(text)
    return match["step"], match["field"], match["said"]


def _given(text: str, said: str) -> Given:
    match = _CHOICE.fullmatch(said)
    if match is None:
        raise _wrong(text)
    return Given(match["choice"], match["reason"] or None, int(match["times"] or 1))


def _wrong(text: str) -> UsageProblem:
    return UsageProblem(
        f"--answer {text} is not STEP=CHOICE",
        "Write --answer STEP=CHOICE, STEP=CHOICE*3, STEP=CHOICE:REASON or STEP.FIELD=TEXT",
    )
