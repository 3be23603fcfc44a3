"""What may happen next: order, conditions, confirmations, groups, failures, early ends."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from runbook_tui.definition.plan import Condition, Retries, Undo, Verify, When
from runbook_tui.engine.decisions import (
    AskConfirm,
    AskFailure,
    AskManual,
    AskRollback,
    AskStart,
    Begin,
    BeginRollback,
    BeginWait,
    Decision,
    End,
    EndWait,
    EvaluateWhen,
    Fail,
    Judge,
    PlanRetry,
    RecordManual,
    Skip,
    StopAttempt,
    Withdraw,
)
from runbook_tui.engine.decisions import (
    Verify as Look,
)
from state.events import (
    RetryPlanned,
    StepJudged,
    StepSkipped,
    StopAsked,
    WaitBegun,
    WhenDecided,
)
from tests.harness.plans import Story, environment, group, manual, plan, step

EARLY, LATE = "2026-11-22T00:00:00.000000Z", "2026-11-24T00:00:00.000000Z"
IF_SET = (When((Condition(value="flag", truth=True),)),)
LOOKS = Verify("run", {"run": "true"})
RETRY = Retries(2, 5.0, 3.0)


def one(**given: Any) -> Story:
    return Story(plan(step("a", **given), step("b")))


CASES: dict[str, tuple[Callable[[], Story], tuple[Decision, ...]]] = {
    "the first step begins": (one, (Begin("a"),)),
    "then the second": (lambda: one().tried("a"), (Begin("b"),)),
    "then it is over": (lambda: one().tried("a").tried("b"), (End("succeeded", 0),)),
    "a running step is awaited": (lambda: one().intended("a"), ()),
    "a condition is evaluated first": (lambda: one(when=IF_SET), (EvaluateWhen("a"),)),
    "met, the step begins": (
        lambda: one(when=IF_SET).tell(WhenDecided("a", True, {})),
        (Begin("a"),),
    ),
    "skipped, the next begins": (
        lambda: one(when=IF_SET).tell(
            WhenDecided("a", False, {}), StepSkipped("a", "unmet", "when")
        ),
        (Begin("b"),),
    ),
    "a confirmation is asked": (lambda: one(confirm="ask"), (AskConfirm("a"),)),
    "and awaited": (lambda: one(confirm="ask").asked("a", "confirm", "yes"), ()),
    "yes begins": (lambda: one(confirm="ask").decided("a", "confirm", "yes"), (Begin("a"),)),
    "skip skips": (
        lambda: one(confirm="ask").decided("a", "confirm", "skip", reason="not today"),
        (Skip("a", "not today", "person"),),
    ),
    "a manual step is asked": (lambda: Story(plan(manual("a"))), (AskManual("a"),)),
    "its answer is recorded": (
        lambda: Story(plan(manual("a"))).decided("a", "manual", "done"),
        (RecordManual("a"),),
    ),
    "a wait begins": (lambda: Story(plan(step("a", "wait"))), (BeginWait("a"),)),
    "goes on": (lambda: Story(plan(step("a", "wait"))).tell(WaitBegun("a", LATE)), ()),
    "and ends": (
        lambda: Story(plan(step("a", "wait"))).tell(WaitBegun("a", EARLY)),
        (EndWait("a"),),
    ),
    "a failure is asked about": (lambda: one().tried("a", "failed"), (AskFailure("a"),)),
    "an unknown outcome too": (
        lambda: one(on_failure="continue").tried("a", "unknown"),
        (AskFailure("a"),),
    ),
    "and a stopped step": (
        lambda: one(on_failure="abort").tried("a", "stopped"),
        (AskFailure("a"),),
    ),
    "continue goes on": (lambda: one(on_failure="continue").tried("a", "failed"), (Begin("b"),)),
    "and counts": (
        lambda: one(on_failure="continue").tried("a", "failed").tried("b"),
        (End("succeeded", 1),),
    ),
    "abort ends": (
        lambda: one(on_failure="abort").tried("a", "failed"),
        (End("aborted", 1, "A failed, and its on_failure says abort"),),
    ),
    "rollback asks": (
        lambda: one(on_failure="rollback").tried("a", "failed"),
        (AskRollback("A failed, and its on_failure says rollback"),),
    ),
    "and waits for the answer": (
        lambda: one(on_failure="rollback").tried("a", "failed").asked(None, "rollback", "rollback"),
        (),
    ),
    "then begins": (
        lambda: (
            one(on_failure="rollback")
            .tried("a", "failed")
            .decided(None, "rollback", "rollback", reason="broken")
        ),
        (BeginRollback("broken"),),
    ),
    "retry begins again": (
        lambda: one().tried("a", "failed").decided("a", "failure", "retry"),
        (Begin("a"),),
    ),
    "after its confirmation": (
        lambda: one(confirm="ask").tried("a", "failed").decided("a", "failure", "retry"),
        (AskConfirm("a"),),
    ),
    "verified looks": (
        lambda: one().tried("a", "failed").decided("a", "failure", "verified"),
        (Look("a"),),
    ),
    "undo takes back": (
        lambda: one(undo=Undo("run", {})).tried("a", "failed").decided("a", "failure", "undo"),
        (Begin("a", undo=True),),
    ),
    "what is undone is asked about": (
        lambda: one().tried("a", "failed").tried("a", "succeeded", undo=True),
        (AskFailure("a"),),
    ),
    "a failure before the intent": (
        lambda: one(on_failure="abort").tell(StepJudged("a", "failed", reason="no value")),
        (End("aborted", 1, "A failed, and its on_failure says abort"),),
    ),
    "a harmless failure is tried again": (
        lambda: one(retries=RETRY, verify=LOOKS).tried("a", "failed", effect="none"),
        (PlanRetry("a", 5.0),),
    ),
    "later the second time": (
        lambda: (
            one(retries=RETRY, verify=LOOKS)
            .tried("a", "failed", effect="none")
            .tried("a", "failed", effect="none")
        ),
        (PlanRetry("a", 15.0),),
    ),
    "and no more": (
        lambda: (
            one(retries=RETRY, verify=LOOKS)
            .tried("a", "failed", effect="none")
            .tried("a", "failed", effect="none")
            .tried("a", "failed", effect="none")
        ),
        (AskFailure("a"),),
    ),
    "a person's retry counts anew": (
        lambda: (
            one(retries=Retries(1, 7.0), verify=LOOKS)
            .tried("a", "failed", effect="none")
            .tried("a", "failed", effect="none")
            .decided("a", "failure", "retry")
            .tried("a", "failed", effect="none")
        ),
        (PlanRetry("a", 7.0),),
    ),
    "a clock that is set back gives no tries more": (
        lambda: (
            one(retries=Retries(1, 7.0), verify=LOOKS)
            .tried("a", "failed", effect="none")
            .tried("a", "failed", effect="none")
            .decided("a", "failure", "retry")
            .set_back()
            .tried("a", "failed", effect="none")
            .tried("a", "failed", effect="none")
        ),
        (AskFailure("a"),),
    ),
    "a run without verify never retries": (
        lambda: one(retries=RETRY).tried("a", "failed", effect="none"),
        (AskFailure("a"),),
    ),
    "nor does an unclear effect": (
        lambda: one(retries=RETRY, verify=LOOKS).tried("a", "failed"),
        (AskFailure("a"),),
    ),
    "a named cause does": (
        lambda: one(retries=Retries(1, on=("timeout",)), verify=LOOKS).tried(
            "a", "failed", cause="timeout", effect="none"
        ),
        (PlanRetry("a", 1.0),),
    ),
    "another cause does not": (
        lambda: one(retries=Retries(1, on=("timeout",)), verify=LOOKS).tried(
            "a", "failed", cause="other", effect="none"
        ),
        (AskFailure("a"),),
    ),
    "what reads retries": (
        lambda: one(retries=RETRY).tried("a", "failed", reads=True),
        (PlanRetry("a", 5.0),),
    ),
    "a retry waits": (
        lambda: one().tried("a", "failed").tell(RetryPlanned("a", LATE, "again")),
        (),
    ),
    "and begins without a confirmation": (
        lambda: one(confirm="typed").tried("a", "failed").tell(RetryPlanned("a", EARLY, "again")),
        (Begin("a"),),
    ),
    "a worker that never began": (lambda: one(confirm="ask").voided("a"), (Begin("a"),)),
    "at most twice again": (
        lambda: one().voided("a").voided("a").voided("a"),
        (Fail("a", "A: its worker ended 3 times before it began."),),
    ),
    "dead without effect: asked again": (
        lambda: one(confirm="ask").tried("a", "failed", cause="interrupted", effect="none"),
        (AskConfirm("a"),),
    ),
    "a dead look runs at once": (
        lambda: one(confirm="ask").tried("a", "failed", cause="interrupted", reads=True),
        (Begin("a"),),
    ),
    "but not for ever": (
        lambda: (
            one()
            .tried("a", "failed", cause="interrupted", effect="none")
            .voided("a")
            .tried("a", "failed", cause="interrupted", effect="none")
        ),
        (AskFailure("a"),),
    ),
    "an answered abort": (
        lambda: one().tried("a", "failed").decided("a", "failure", "abort", reason="enough"),
        (End("aborted", 1, "enough"),),
    ),
    "an answered rollback": (
        lambda: one().tried("a", "failed").decided("a", "failure", "rollback"),
        (AskRollback("decided at A"),),
    ),
    "the operator's abort stops": (
        lambda: one().intended("a").decided(None, "abort", "abort", reason="enough"),
        (StopAttempt("a", "the run ends: enough"),),
    ),
    "and waits": (
        lambda: (
            one()
            .intended("a")
            .decided(None, "abort", "abort", reason="enough")
            .tell(StopAsked("a", 1, "the run ends"))
        ),
        (),
    ),
    "open questions are withdrawn": (
        lambda: (
            one(confirm="ask")
            .asked("a", "confirm", "yes")
            .decided(None, "abort", "abort", reason="enough")
        ),
        (Withdraw("q1", "the run ends: enough"),),
    ),
    "what waits is cut short": (
        lambda: (
            Story(plan(step("a", "wait"), step("b")))
            .tell(WaitBegun("a", LATE))
            .decided(None, "abort", "abort", reason="enough")
        ),
        (Skip("a", "the run ends: enough", "end"),),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_one_step_after_another(name: str) -> None:
    tell, expected = CASES[name]
    assert tell().next() == expected


ENDING = {"stop": {"label": "Stop here", "then": "end"}, "back": {"label": "B", "then": "rollback"}}


def test_a_choice_that_ends_the_run_skips_the_rest() -> None:
    story = Story(plan(manual("a", choices=ENDING), step("b"), group("g", step("c"), step("d"))))
    story.decided("a", "manual", "stop", reason="seen enough")
    assert story.next() == (RecordManual("a"),)
    story.tell(StepJudged("a", "succeeded", reason="seen enough", outputs={"choice": "stop"}))
    assert story.next() == tuple(Skip(id_, "seen enough", "end") for id_ in ("b", "c", "d"))
    story.tell(*(StepSkipped(id_, "seen enough", "end") for id_ in ("b", "c", "d")))
    assert story.next() == (Skip("g", "all of its steps were skipped", "end"),)
    story.tell(StepSkipped("g", "seen enough", "end"))
    assert story.next() == (End("succeeded", 0, "seen enough"),)


def test_a_choice_that_ends_the_run_leaves_nothing_unknown_behind() -> None:
    story = Story(plan(group("g", manual("a", choices=ENDING), step("b"), step("c"))))
    story.tried("b", "unknown").intended("c").decided("a", "manual", "stop")
    story.tell(StepJudged("a", "succeeded", outputs={"choice": "stop"}))
    assert story.next() == (AskFailure("b"),)
    story.decided("b", "unknown", "skip", reason="it is fine")
    story.tell(StepSkipped("b", "it is fine", "person"))
    assert story.next() == ()
    story.ended("c")
    assert story.next() == (Judge("g", "succeeded"),)


def test_a_choice_that_rolls_back_is_confirmed_first() -> None:
    story = Story(plan(manual("a", choices=ENDING))).decided("a", "manual", "back")
    assert story.next() == (AskRollback("decided at A"),)
    story.decided(None, "rollback", "rollback")
    assert story.next() == (BeginRollback("decided by a person"),)


def test_a_protected_environment_asks_for_the_start() -> None:
    story = Story(plan(step("a"), home=environment("production", protected=True)))
    assert story.next() == (AskStart(),)
    assert story.asked(None, "start", "yes", "abort").next() == ()
    assert story.answered("yes").next() == (Begin("a"),)


def test_a_rollback_asks_for_its_start_and_knows_no_way_back() -> None:
    story = Story(plan(step("a", on_failure="rollback"), way_back=False))
    assert story.next() == (AskStart(),)
    story.decided(None, "rollback", "rollback")
    assert story.next() == (Begin("a"),)
    assert story.tried("a", "failed").next() == (AskFailure("a"),)


def test_a_held_run_starts_nothing_new() -> None:
    assert one().next(held=True) == ()
    assert one(confirm="ask").next(held=True) == ()
    assert one().tried("a", "failed").next(held=True) == (AskFailure("a"),)


def test_what_is_looked_at_is_awaited() -> None:
    assert one().next("a") == ()


class TestGroups:
    def test_all_begin_and_the_group_is_judged(self) -> None:
        story = Story(plan(group("g", step("a"), step("b")), step("c")))
        assert story.next() == (Begin("a"), Begin("b"))
        story.intended("a").intended("b").ended("a")
        assert story.next() == ()
        assert story.ended("b").next() == (Judge("g", "succeeded"),)
        story.tell(StepJudged("g", "succeeded"))
        assert story.next() == (Begin("c"),)

    def test_conditions_come_first_and_an_empty_group_is_skipped(self) -> None:
        story = Story(plan(group("g", step("a", when=IF_SET), step("b", when=IF_SET))))
        assert story.next() == (EvaluateWhen("a"), EvaluateWhen("b"))
        for id_ in ("a", "b"):
            story.tell(WhenDecided(id_, False, {}), StepSkipped(id_, "unmet", "when"))
        assert story.next() == (Skip("g", "all of its steps were skipped", "when"),)

    def test_confirmations_are_asked_before_the_first_starts(self) -> None:
        story = Story(plan(group("g", step("a"), step("b", confirm="ask"), manual("c"))))
        assert story.next() == (AskConfirm("b"), AskManual("c"))
        story.asked("c", "manual", "done").asked("b", "confirm", "yes")
        assert story.next() == ()
        assert story.answered("yes").next() == (Begin("a"), Begin("b"))

    def test_a_failure_starts_nothing_new_and_stops_nothing(self) -> None:
        story = Story(plan(group("g", step("a"), step("b"), step("c"))))
        story.intended("b").tried("a", "failed")
        assert story.next() == (AskFailure("a"),)
        story.asked("a", "failure", "skip")
        assert story.next() == ()
        story.answered("skip", reason="no")
        assert story.next() == (Skip("a", "no", "person"), Begin("c"))

    def test_fail_fast_stops_those_that_run(self) -> None:
        story = Story(plan(group("g", step("a"), step("b"), step("c"), fail_fast=True)))
        story.intended("b").intended("c").tried("a", "failed")
        reason = "G: another step failed (fail_fast)"
        assert story.next() == (
            AskFailure("a"),
            StopAttempt("b", reason),
            StopAttempt("c", reason),
        )

    @pytest.mark.parametrize("policy", ["abort", "rollback"])
    @pytest.mark.parametrize("fail_fast", [False, True])
    def test_an_end_waits_for_the_neighbours(self, policy: str, fail_fast: bool) -> None:
        """With `fail_fast` they are stopped, and once they have stopped it goes on."""
        story = Story(
            plan(group("g", step("a", on_failure=policy), step("b"), fail_fast=fail_fast))
        )
        story.intended("b").tried("a", "failed")
        why = f"A failed, and its on_failure says {policy}"
        stop = StopAttempt("b", f"the run ends: {why}")
        assert story.next() == ((stop,) if fail_fast else ())
        story.tell(StopAsked("b", 1, "stop"))
        assert story.next() == ()
        story.ended("b", "stopped")
        ends: Decision = End("aborted", 2, why) if policy == "abort" else AskRollback(why)
        assert story.next() == (ends,)

    def test_abort_outweighs_rollback_and_both_a_question(self) -> None:
        story = Story(
            plan(
                group(
                    "g",
                    step("a"),
                    step("b", on_failure="rollback"),
                    step("c", on_failure="abort"),
                    step("d", on_failure="continue"),
                )
            )
        )
        for id_ in "abcd":
            story.intended(id_)
        story.ended("d", "failed")
        story.ended("a", "failed").asked("a", "failure", "retry")
        story.ended("b", "failed")
        assert story.next() == ()
        story.ended("c", "failed")
        why = "C failed, and its on_failure says abort"
        assert story.next() == (Withdraw("q1", f"the run ends: {why}"),)

    def test_a_retry_in_the_group_does_not_hold_up_an_end(self) -> None:
        story = Story(plan(group("g", step("a", on_failure="abort"), step("b"))))
        story.tried("b", "failed").tell(RetryPlanned("b", LATE, "again")).tried("a", "failed")
        why = "the run ends: A failed, and its on_failure says abort"
        assert story.next() == (Fail("b", "again"),)
        assert why.startswith("the run ends")

    def test_continue_settles(self) -> None:
        story = Story(plan(group("g", step("a", on_failure="continue"), step("b"))))
        story.tried("a", "failed").tried("b")
        assert story.next() == (Judge("g", "failed"),)
        story.tell(StepJudged("g", "failed"))
        assert story.next() == (End("succeeded", 1),)
