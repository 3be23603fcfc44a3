"""The events that a decision amounts to, for all decisions that start and stop no worker."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from runbook_tui.actions.shared import durations
from runbook_tui.definition import when
from runbook_tui.definition.instances import ListError, listed
from runbook_tui.definition.plan import INCLUDE, Plan, PlanStep
from runbook_tui.definition.problems import UsageProblem
from runbook_tui.definition.substitute import MissingValueError, fill
from runbook_tui.engine import (
    approvals,
    asking_others,
    clock,
    endings,
    jobs,
    manuals,
    messages,
    questions,
    showing,
    verifying,
)
from runbook_tui.engine import decisions as d
from runbook_tui.engine.facts import Facts
from runbook_tui.engine.moves import Rest, move
from runbook_tui.engine.plans import LivePlan
from runbook_tui.engine.ports import Remind, TakeBack
from runbook_tui.engine.rollbacks import Rollbacks
from runbook_tui.engine.values import MASK, Values, at_instance, of_instances
from state.events import (
    InstancesFixed,
    NoteAdded,
    Payload,
    QuestionAnswered,
    QuestionAsked,
    QuestionWithdrawn,
    RetryPlanned,
    RollbackBegun,
    RunEnded,
    StepJudged,
    StepSkipped,
    WaitBegun,
    WhenDecided,
)
from state.json_value import Json
from state.run_state import Answered, RunState, StepState
from state.status import StepStatus

ValuesOf = Callable[[PlanStep, bool], Values]


class Acts:
    """Makes events from decisions, with the values that people may see."""

    def __init__(
        self, live: LivePlan, values: ValuesOf, rollbacks: Rollbacks, asker: str | None = None
    ) -> None:
        """`asker` is the role of whoever drives, by the store's word."""
        self._asker = asker
        self._live = live
        self._values = values
        self._rollbacks = rollbacks

    @property
    def _plan(self) -> Plan:
        return self._live.now

    @property
    def _steps(self) -> Mapping[str, PlanStep]:
        return self._live.steps

    def payloads(self, decision: d.Decision, state: RunState) -> Sequence[Payload]:
        """Return the events of a decision, to be journaled in one go."""
        if isinstance(decision, d.AskConfirm | d.AskManual | d.AskFailure):
            return (self._question(decision, state),)
        if isinstance(decision, d.Approve):
            question = state.question_on(decision.step)
            return (approvals.answered(question, clock.utc()),) if question else ()
        if isinstance(decision, d.AskElsewhere):
            return (questions.elsewhere_(self._steps[decision.step], state),)
        if isinstance(decision, d.EvaluateWhen):
            return self._when(self._steps[decision.step], state)
        if isinstance(decision, d.FixList):
            return (self._list(self._steps[decision.step], state),)
        if isinstance(decision, d.PlanRetry):
            return (_retry(decision, state),)
        if isinstance(decision, d.BeginWait | d.EndWait):
            return (self._wait(decision, state),)
        if isinstance(decision, d.RecordManual):
            answer = state.steps[decision.step].answer
            return (_recorded(decision.step, answer),) if answer else ()
        if isinstance(decision, d.Judge):
            return (self._come_to(decision, state),)
        if isinstance(decision, d.Skip | d.Fail):
            return (_judged(decision),)
        return self._of_run(decision, state)

    def _of_run(self, decision: d.Decision, state: RunState) -> Sequence[Payload]:
        if isinstance(decision, d.AskStart):
            return (questions.start(self._plan, state, _steps_of(self._plan)),)
        if isinstance(decision, d.AskRollback):
            return self.ask_rollback(state, decision.reason)
        if isinstance(decision, d.Withdraw):
            return (QuestionWithdrawn(decision.question, decision.reason),)
        if isinstance(decision, d.BeginRollback):
            by = self._rollbacks.next_id(state)
            ended = RunEnded("aborted", state.failures, f"rolled back by {by}: {decision.reason}")
            return (*self._closing(state), RollbackBegun(by, decision.reason), ended)
        if isinstance(decision, d.End):
            ended = RunEnded(decision.status, decision.failures, decision.reason)
            return (*self._closing(state), ended)
        raise TypeError(f"{decision} starts or stops a worker")

    def abort(self, state: RunState, reason: str) -> Sequence[Payload]:
        """Return the events of an operator's wish to end the run."""
        asked = questions.abort(state, reason)
        return (asked, QuestionAnswered(asked.id, "abort", "person", reason))

    def of_approval(
        self, command: Remind | TakeBack, state: RunState, online: Sequence[str]
    ) -> Sequence[Payload]:
        """Return the events of a reminder, or of a question for approval that is taken back."""
        return asking_others.events(command, self._plan, state, online)

    def ask_rollback(self, state: RunState, reason: str) -> Sequence[Payload]:
        """Return the question that confirms a rollback; nothing when it is asked already.

        A rollback that cannot be planned is no way out: what wanted it is asked again, with why.
        """
        if not self._plan.way_back or endings.confirmation(state) is not None or state.final:
            return ()
        try:
            shown = self._rollbacks.shown(state, self._undo_options)
        except UsageProblem as problem:
            note = f"No rollback can be planned: {problem.sentence}. {problem.advice}."
            return self._wishes_again(state, note) or (NoteAdded(note),)
        by = self._rollbacks.next_id(state)
        return (questions.rollback(self._plan, state, reason, by, shown),)

    def _undo_options(self, step: PlanStep) -> Mapping[str, Any]:
        """Return what takes a step back, with the values of this run, as people may see them."""
        return jobs.shown(jobs.act_of(step, undo=True), self._values(step, True))

    def not_now(self, state: RunState, question: str) -> Sequence[Payload]:
        """Return the events that lead back from a rollback's confirmation to where it came from."""
        asked = state.question(question)
        if asked is None or asked.asks != "rollback" or not self._plan.way_back:
            return ()
        return (QuestionWithdrawn(question, "not now"), *self._wishes_again(state))

    def _wishes_again(self, state: RunState, note: str | None = None) -> list[Payload]:
        """Ask again at every step that wanted a rollback, each under an id of its own."""
        wishes = endings.wishes(self._plan, state)
        steps = [self._steps[one.step] for one in wishes if one.step and one.kind == "rollback"]
        again = [self._asked_again(step, state) for step in steps]
        first = int(questions.next_id(state).removeprefix("q"))
        return [
            replace(
                one,
                id=f"q{first + number}",
                shown={**one.shown, "note": note} if note else one.shown,
            )
            for number, one in enumerate(again)
        ]

    def _asked_again(self, step: PlanStep, state: RunState) -> QuestionAsked:
        answer = state.steps[step.id].answer
        kind = answer.question.asks if answer is not None else "failure"
        if kind == asking_others.WITHDRAWN and answer is not None:
            return asking_others.asked_again(self._plan, step, state, answer.question)
        if kind == "manual":
            return self._question(d.AskManual(step.id), state)
        if kind in ("confirm", "typed", approvals.ASKS):
            return self._question(d.AskConfirm(step.id), state)
        return self._question(d.AskFailure(step.id), state)

    def _question(
        self, decision: d.AskConfirm | d.AskManual | d.AskFailure, state: RunState
    ) -> QuestionAsked:
        step = self._steps[decision.step]
        values = self._values(step, False)
        if isinstance(decision, d.AskConfirm):
            shown = showing.before(step, values)
            if step.confirm == approvals.ASKS:
                shown = {**shown, **approvals.shown(step, state, self._asker)}
            return questions.confirm(self._plan, step, state, shown)
        if isinstance(decision, d.AskManual):
            return questions.manual(self._plan, step, state, showing.manual(step, values))
        shown = showing.after(self._plan, step, state, values)
        return questions.failure(self._plan, step, state, shown)

    def _when(self, step: PlanStep, state: RunState) -> Sequence[Payload]:
        values = self._values(step, False)

        def of_step(id_: str) -> when.Facts | None:
            stands = at_instance(state, id_, step.instance)
            if stands is None:
                return _in_common(of_instances(state, id_).values())
            return when.Facts(stands.status.value, stands.outputs.get("choice"))

        try:
            found = when.decide(step.when, values.real, of_step)
        except (when.ConditionTextError, MissingValueError) as problem:
            reason = f"{step.name}: its `when` cannot be decided: {problem}."
            return (StepJudged(step.id, StepStatus.FAILED.value, reason=reason),)
        secret = {one.name for one in self._plan.parameters.values() if one.secret}
        seen = {name: MASK if name in secret else text for name, text in found.values.items()}
        decided = WhenDecided(step.id, found.result, seen)
        if found.result:
            return (decided,)
        said = ", ".join(f"{name} is {text or 'empty'}" for name, text in seen.items())
        return (decided, StepSkipped(step.id, f"its condition is not met ({said})", "when"))

    def _list(self, step: PlanStep, state: RunState) -> Payload:
        """Fix what an `each` is repeated for; a list that cannot be made fails its line."""
        [each] = [group.each for group in self._plan.groups() if group.id == step.id]
        if each is None:
            raise ValueError(f"{step.id} repeats nothing")
        place = self._plan.environments[step.environment]
        try:
            found = listed(each, place, self._values(step, False).real)
        except (ListError, MissingValueError) as problem:
            reason = f"{step.name}: its list cannot be made: {problem}."
            return StepJudged(step.id, StepStatus.FAILED.value, reason=reason)
        return InstancesFixed(
            step.id,
            each.over,
            tuple(one.name for one in found.instances),
            tuple(one.value for one in found.instances),
            found.batch,
            found.max_failures,
        )

    def _wait(self, decision: d.BeginWait | d.EndWait, state: RunState) -> Payload:
        step = self._steps[decision.step]
        if isinstance(decision, d.EndWait):
            until = state.steps[step.id].wait_until
            return StepJudged(step.id, StepStatus.SUCCEEDED.value, reason=f"waited until {until}")
        try:
            options: dict[str, Any] = fill(step.options, self._values(step, False).real)
            seconds = durations.seconds(str(options["for"]))
        except (MissingValueError, ValueError) as problem:
            reason = f"{step.name} cannot begin: {problem}."
            return StepJudged(step.id, StepStatus.FAILED.value, reason=reason)
        since = at_instance(state, str(options.get("since") or ""), step.instance)
        begun = (since and since.ended_at) or clock.utc()
        until = clock.write(clock.read(begun) + timedelta(seconds=seconds))
        return WaitBegun(step.id, until)

    def _come_to(self, decision: d.Judge, state: RunState) -> Payload:
        """Return how a step or group ended; an include with its outputs, as far as they are."""
        step = self._steps.get(decision.step)
        outputs: dict[str, str] = {}
        if step is None or step.action != INCLUDE:
            return StepJudged(decision.step, decision.status)
        values = self._values(step, False)
        for name, text in step.options["outputs"].items():
            try:
                outputs[name] = fill(text, values.real)
            except MissingValueError:
                continue
        return StepJudged(step.id, decision.status, outputs=outputs)

    def _closing(self, state: RunState) -> list[Payload]:
        """Return what is still to be said before the end.

        The choice of a `manual` step that ends the run is recorded; who wanted to drive need not.
        """
        facts = Facts(clock.utc())
        said: list[Payload] = [
            QuestionWithdrawn(one.id, "the run is over")
            for one in state.questions
            if one.asks == messages.TAKEOVER
        ]
        return said + [
            _recorded(step.id, answer)
            for step in self._plan.steps()
            if step.action == "manual"
            and (answer := state.steps[step.id].answer) is not None
            and answer.choice in manuals.offered(step)
            and move(step, state, facts) is Rest.ENDING
        ]


def _in_common(found: Collection[StepState]) -> when.Facts | None:
    """Return how all of the steps stand that `each` made of one; None when they differ."""
    stands = {one.status.value for one in found}
    choices = {one.outputs.get("choice") for one in found}
    if len(stands) != 1:
        return None
    return when.Facts(stands.pop(), choices.pop() if len(choices) == 1 else None)


def _steps_of(plan: Plan) -> Mapping[str, Json]:
    return {"steps": [[step.id, step.name] for step in plan.steps()]}


def _retry(decision: d.PlanRetry, state: RunState) -> RetryPlanned:
    reason = state.steps[decision.step].reason or "failed"
    return RetryPlanned(decision.step, clock.utc(decision.delay), reason)


def _judged(decision: d.Skip | d.Fail) -> Payload:
    if isinstance(decision, d.Skip):
        return StepSkipped(decision.step, decision.reason, decision.by)
    return StepJudged(decision.step, StepStatus.FAILED.value, reason=decision.reason)


def _recorded(step: str, answer: Answered) -> StepJudged:
    choice = answer.choice or ""
    evidence: list[Mapping[str, Json]] = [
        {"kind": "record", "summary": f"{name}: {text}", "data": {name: text}}
        for name, text in answer.fields.items()
    ]
    if answer.reason:
        evidence.insert(0, {"kind": "person", "summary": answer.reason, "data": {}})
    return StepJudged(
        step,
        StepStatus.SUCCEEDED.value,
        reason=answer.reason,
        proof=verifying.person(answer),
        outputs={"choice": choice, **answer.fields},
        evidence=tuple(evidence),
    )
