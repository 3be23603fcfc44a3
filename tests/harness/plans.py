"""Plans made in a line, and what happened to them told event by event."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

from runbook_tui.definition.plan import Each, Plan, PlanEnvironment, PlanGroup, PlanPhase, PlanStep
from runbook_tui.engine import outline
from runbook_tui.engine.decide import decide
from runbook_tui.engine.decisions import Decision
from runbook_tui.engine.facts import Facts
from runbook_tui.engine.repository import Checkout
from state import fold
from state.codec import EMPTY, chain, head_of
from state.events import (
    AttemptEnded,
    AttemptIntended,
    AttemptVoided,
    Payload,
    QuestionAnswered,
    QuestionAsked,
    Record,
)
from state.run_state import RunState

RUN = "1123-k7f3"
FOLDER = Checkout(Path("/"))


def step(id_: str, action: str = "run", **given: Any) -> PlanStep:
    """Return a step; a `run` needs no more than its id."""
    options: Mapping[str, Any] = given.pop("options", {"script": f"echo {id_}"})
    named = {"name": id_.capitalize(), "phase": "All", "environment": "", **given}
    return PlanStep(id=id_, action=action, options=options, **named)


def manual(id_: str, **given: Any) -> PlanStep:
    """Return a `manual` step; `choices` and `record` as in the format."""
    options: dict[str, Any] = {"text": f"Look at {id_}"}
    options |= {key: given.pop(key) for key in ("choices", "record") if key in given}
    return step(id_, "manual", options=options, **given)


def group(id_: str, *steps: PlanStep, fail_fast: bool = False) -> PlanGroup:
    """Return a group of steps."""
    inside = tuple(replace(one, group=id_) for one in steps)
    return PlanGroup(id_, id_.capitalize(), "All", inside, fail_fast)


def each(id_: str, *steps: PlanStep, **given: Any) -> PlanGroup:
    """Return a group that repeats its steps, for the items x and y unless it is told otherwise.

    `head` are keys of its own line.
    """
    head = step(id_, "each", options={}, **given.pop("head", {}))
    inside = tuple(replace(one, group=id_, background=head.background) for one in steps)
    made = {"over": "item", "names": ("x", "y"), **given}
    return PlanGroup(id_, head.name, "All", inside, each=Each(head, templates=inside, **made))


def environment(name: str = "", **given: Any) -> PlanEnvironment:
    """Return an environment without anything in it."""
    empty: dict[str, Any] = {"vars": {}, "groups": {}, "secrets": {}}
    return PlanEnvironment(name=name, **{"protected": False, "lock": name, **empty, **given})


def plan(*items: PlanStep | PlanGroup, **given: Any) -> Plan:
    """Return a plan of one phase, in an environment without a name unless `home` is given."""
    home: PlanEnvironment = given.pop("home", environment())
    return Plan(
        runbook="Test",
        description="",
        file="test.yaml",
        environment=home.name,
        parameters=given.pop("parameters", {}),
        phases=(PlanPhase("All", items),),
        environments={home.name: home},
        sources={"test.yaml": b""},
        **given,
    )


class Story:
    """A run as its events make it; each event comes a second after the one before."""

    def __init__(self, made: Plan) -> None:
        self.plan = made
        self.records: list[Record] = []
        self.day = 23
        self.tell(outline.started(made, FOLDER))

    def tell(self, *payloads: Payload) -> Self:
        """Let events happen."""
        for payload in payloads:
            at = self.now()
            head = head_of(self.records[-1]) if self.records else EMPTY
            self.records.append(
                chain(head, RUN, at, payload, operator="dana", host="here", token=1)
            )
        return self

    def now(self) -> str:
        """Return the time, as told."""
        count = len(self.records)
        time = f"{count // 3600:02}:{count // 60 % 60:02}:{count % 60:02}"
        return f"2026-11-{self.day}T{time}.000000Z"

    def set_back(self) -> Self:
        """Let the clock jump back by a day."""
        self.day -= 1
        return self

    @property
    def state(self) -> RunState:
        """The run as it stands."""
        return fold.fold(self.records)

    def intended(self, id_: str, **given: Any) -> Self:
        """Let an attempt be intended."""
        number = len(self.state.steps[id_].attempts) + 1
        return self.tell(AttemptIntended(id_, number, "run", "d", "m", "b", **given))

    def ended(self, id_: str, status: str = "succeeded", **given: Any) -> Self:
        """Let the open attempt end."""
        number = len(self.state.steps[id_].attempts)
        return self.tell(AttemptEnded(id_, number, status, **given))

    def tried(self, id_: str, status: str = "succeeded", **given: Any) -> Self:
        """Let an attempt be made and end."""
        intent = {name: given.pop(name) for name in ("reads", "undo", "before") if name in given}
        return self.intended(id_, **intent).ended(id_, status, **given)

    def voided(self, id_: str) -> Self:
        """Let an attempt be made whose worker never begins."""
        self.intended(id_)
        return self.tell(AttemptVoided(id_, len(self.state.steps[id_].attempts), "gone"))

    def asked(self, id_: str | None, asks: str, *choices: str) -> Self:
        """Let a question be asked, under the next number."""
        number = len(self.state.answered) + len(self.state.questions) + 1
        return self.tell(QuestionAsked(f"q{number}", id_, asks, "What?", choices))

    def answered(self, choice: str, **given: Any) -> Self:
        """Let the newest question be answered."""
        question = self.state.questions[-1]
        return self.tell(QuestionAnswered(question.id, choice, "person", **given))

    def decided(self, id_: str | None, asks: str, choice: str, **given: Any) -> Self:
        """Let a question be asked and answered."""
        return self.asked(id_, asks, choice).answered(choice, **given)

    def next(self, *busy: str, held: bool = False) -> tuple[Decision, ...]:
        """Return what may happen next."""
        return decide(self.plan, self.state, Facts(self.now(), frozenset(busy), held))
