"""Looking on while somebody else drives: what is shown, what may be decided, who drives after."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from textual.pilot import Pilot

from runbook_tui import exits
from runbook_tui.engine.attending import Online
from runbook_tui.engine.ports import Answer, HandOver, Operator, Remind, TakeBack
from runbook_tui.ui.app import RunbookApp
from runbook_tui.ui.backend import Driven, Ended
from runbook_tui.ui.bridge import ScreenOperator
from runbook_tui.ui.screens.dialogs import Dialog
from runbook_tui.ui.screens.run import RunScreen
from state.events import ApproversReminded, QuestionWithdrawn, RunResumed, TakenOver
from tests.harness.screen import frame, shows, until
from tests.ui.conftest import Clock
from tests.ui.story import FakeBackend, Story

SameFrame = Callable[[str, str], None]
SIZES = pytest.mark.parametrize("size", [(80, 24), (160, 45)])
DANA = Driven("dana@bastion", "1124-k7f3", "2026-11-24T11:59:00.000000Z", "seen 1 s ago")


@asynccontextmanager
async def watching(
    backend: FakeBackend, size: tuple[int, int] = (80, 24)
) -> AsyncIterator[Pilot[int]]:
    """The run of the story, watched by lee."""
    assert backend.story is not None
    backend.operator, backend.host, backend.driven = "lee", "desk", DANA
    app = RunbookApp(backend, watch=backend.story.run)
    async with app.run_test(size=size) as pilot:
        await shows(pilot, "WATCHING", "dana@bastion drives")
        yield pilot
        backend.finish.put(Ended(0))
        backend.yields.set()


def approving(story: Story) -> Story:
    """A deployment that waits for others to approve it."""
    story.migrating().end("migrate", proof="machine")
    rows = [["Replaces", "v1.3.2 with v1.4.0 on app-1, then app-2"]]
    shown = {"rows": rows, "roles": ["release"], "count": 2, "asked_by": "dana", "binding": "x"}
    choices = ("approve", "deny", "skip", "rollback", "abort")
    text = "Deploy to production: begin in production?"
    return story.ask("deploy", "approval", text, *choices, shown=shown)


@SIZES
async def test_a_watcher_sees_the_run_and_who_drives(
    backend: FakeBackend,
    story: Story,
    fixed_clock: Clock,
    same_frame: SameFrame,
    size: tuple[int, int],
) -> None:
    story.migrating("0008_task_idx.sql   waits for a lock")
    fixed_clock.at_end_of(story)
    async with watching(backend, size) as pilot:
        await shows(pilot, "take over", "waits for a lock", "lee@desk")
        same_frame(f"watch-{size[0]}x{size[1]}", frame(pilot.app))


async def test_new_events_come_by_themselves_and_notes_go_to_the_driver(
    backend: FakeBackend, story: Story
) -> None:
    story.migrating()
    async with watching(backend) as pilot:
        story.end("migrate", proof="machine")
        await shows(pilot, "✓ Run database migr")
        await pilot.press("m", *"slow", "tab", "enter")
        await until(pilot, lambda: backend.notes)
        assert backend.notes == [("deploy", "slow")]


async def test_taking_over_asks_first_and_then_drives(backend: FakeBackend, story: Story) -> None:
    story.migrating()
    async with watching(backend) as pilot:
        await pilot.press("d")
        await shows(pilot, "Take over run", "[Keep watching]")
        await pilot.press("enter")
        assert backend.taken == []
        await pilot.press("d", "t")
        assert "[Keep watching]" in frame(pilot.app)
        await pilot.press("y", "enter")
        await shows(pilot, "Why is missing")
        await pilot.press(*"dana is away", "enter")
        await shows(pilot, "Asking dana@bastion (seen 1 s ago)")
        assert backend.taken == ["dana is away"]
        story.tell(RunResumed(1.0, "x"))
        backend.yields.set()
        screen = pilot.app.screen
        assert isinstance(screen, RunScreen)
        await until(pilot, lambda: screen.is_driving)
        await until(pilot, lambda: "WATCHING" not in frame(pilot.app))


async def test_who_is_refused_goes_on_watching(
    backend: FakeBackend, story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    story.migrating()

    def stays(*_: object) -> Ended:
        return Ended(exits.IN_USE, "dana@bastion goes on driving: nearly done.")

    monkeypatch.setattr(backend, "take_over", stays)
    async with watching(backend) as pilot:
        await pilot.press("d", "y", *"mine", "enter")
        await shows(pilot, "goes on driving: nearly done", "WATCHING")


@SIZES
async def test_the_approvers_bar(
    backend: FakeBackend,
    story: Story,
    fixed_clock: Clock,
    same_frame: SameFrame,
    size: tuple[int, int],
) -> None:
    approving(story)
    fixed_clock.at_end_of(story)
    async with watching(backend, size) as pilot:
        await shows(pilot, "waits for an approval")
        await pilot.press("d")
        await shows(pilot, "Approve: Deploy to production", "[Not yet]", "0 of 2")
        same_frame(f"approve-{size[0]}x{size[1]}", frame(pilot.app))
        await pilot.press("enter")
        assert backend.votes == []
        await pilot.press("d", "y")
        await until(pilot, lambda: backend.votes)
        assert backend.votes == [("deploy", "approve", "")]


async def test_a_refusal_needs_a_reason(backend: FakeBackend, story: Story) -> None:
    approving(story)
    async with watching(backend) as pilot:
        await pilot.press("d", "down", "enter", "enter")
        await shows(pilot, "Why not is missing")
        await pilot.press(*"no", "enter")
        await until(pilot, lambda: backend.votes)
        assert backend.votes == [("deploy", "deny", "no")]


def withdrawn(story: Story) -> None:
    """The driver takes the question back."""
    assert story.state is not None
    [question] = story.state.questions
    story.tell(QuestionWithdrawn(question.id, "taken back by dana@bastion: wrong version"))


async def test_a_withdrawn_question_says_by_whom_and_when_for_ten_seconds(
    backend: FakeBackend, story: Story, fixed_clock: Clock, same_frame: SameFrame
) -> None:
    approving(story)
    fixed_clock.at_end_of(story)
    async with watching(backend) as pilot:
        await pilot.press("d")
        await shows(pilot, "[Not yet]")
        withdrawn(story.wait(5))
        fixed_clock.at_end_of(story)
        await shows(pilot, "Watching: read only", "the question was withdrawn at", "bastion: wrong")
        await shows(pilot, "─ Watching: read only ─", "━ Steps ━", "d take over")
        same_frame("withdrawn-80x24", frame(pilot.app))
        await pilot.press("y")
        fixed_clock.at_end_of(story.wait(11))
        await shows(pilot, "take over …")
        assert "was withdrawn" not in frame(pilot.app)
        assert backend.votes == []


async def test_a_reminder_rings_for_who_may_approve(
    backend: FakeBackend, story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    rung: list[str] = []
    monkeypatch.setattr(RunbookApp, "call_operator", lambda app, words: rung.append(words))
    approving(story)
    async with watching(backend) as pilot:
        await until(pilot, lambda: rung == ["approve Deploy to production: begin in production?"])
        story.tell(ApproversReminded(str(story.records[-1].data["id"])))
        await shows(pilot, "dana reminds you (")
        await until(pilot, lambda: len(rung) == 2)
        assert rung[1].startswith("dana reminds you: approve Deploy")


async def test_who_may_not_approve_is_told_why_and_not_called(
    backend: FakeBackend, story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    rung: list[str] = []
    monkeypatch.setattr(RunbookApp, "call_operator", lambda app, words: rung.append(words))
    approving(story)
    async with watching(backend) as pilot:
        backend.driven = replace(DANA, barred="lee is in none of the roles that may: release")
        await shows(pilot, "waits for others to approve it")
        rung.clear()
        await pilot.press("d")
        await shows(pilot, "lee is in none of the roles", "[Not yet]", "t Take over")
        await pilot.press("y")
        assert (backend.votes, rung) == ([], [])


@asynccontextmanager
async def driving(
    backend: FakeBackend, size: tuple[int, int] = (80, 24)
) -> AsyncIterator[Pilot[int]]:
    """The run of the story, driven by dana."""
    assert backend.story is not None
    app = RunbookApp(backend, resume=backend.story.run)
    async with app.run_test(size=size) as pilot:
        await shows(pilot, backend.story.run, "d decide")
        yield pilot
        backend.finish.put(Ended(0))


@SIZES
async def test_the_driver_waits_for_the_others(
    backend: FakeBackend,
    story: Story,
    fixed_clock: Clock,
    same_frame: SameFrame,
    size: tuple[int, int],
) -> None:
    approving(story)
    fixed_clock.at_end_of(story)
    async with driving(backend, size) as pilot:
        await pilot.press("d")
        await shows(pilot, "Another operator must approve", "[Keep waiting]", "nobody watches")
        assert "y Approve" not in frame(pilot.app)
        same_frame(f"approval-{size[0]}x{size[1]}", frame(pilot.app))
        await pilot.press("enter")
        assert backend.commands == []


async def test_the_driver_sees_who_is_there_reminds_them_and_takes_the_question_back(
    backend: FakeBackend, story: Story
) -> None:
    approving(story)
    question = str(story.records[-1].data["id"])
    backend.watchers = (
        Online("kim", "lab", "kim", "kim is in none of the roles"),
        Online("lee", "desk", "lee"),
        Online("sam", "home", "samuel"),
    )
    async with driving(backend, (160, 45)) as pilot:
        await shows(
            pilot, "lee (watching), sam as samuel (watching), kim (watching, may not)", "0 of 2"
        )
        await pilot.press("d", "right", "enter")
        await until(pilot, lambda: backend.commands == [Remind(question)])
        story.wait(3).tell(ApproversReminded(question, ("lee@desk",)))
        backend.publish()
        await shows(pilot, "reminded 12:")
        await pilot.press("d", "right", "right", "enter", "enter")
        await shows(pilot, "Why withdraw it is missing")
        await pilot.press(*"wrong version", "enter")
        await until(pilot, lambda: len(backend.commands) == 2)
        assert backend.commands[1] == TakeBack(question, "wrong version")
        withdrawn(story.wait(1))
        shown = {"reason": "taken back by dana@bastion: wrong version"}
        words = "Deploy to production has not begun: its question was taken back. What now?"
        story.ask("deploy", "withdrawn", words, "retry", "skip", "abort", shown=shown)
        backend.publish()
        await pilot.press("d")
        await shows(pilot, "What now?", "wrong version", "r Ask them again", "s Skip")


async def test_somebody_who_wants_to_drive_is_answered_by_d_only(
    backend: FakeBackend, story: Story
) -> None:
    story.migrating()
    shown = {"by": "lee", "host": "desk", "reason": "dana is away", "to": None}
    story.ask(None, "takeover", "Let lee@desk take over?", "yield", "stay", shown=shown)
    async with driving(backend) as pilot:
        await shows(pilot, "Let lee@desk take over?", "dana is away", "30 s")
        await pilot.press("y")
        assert backend.commands == []
        await pilot.press("d", "enter")
        assert backend.commands == []
        await pilot.press("d", "y")
        await until(pilot, lambda: backend.commands)
        [answer] = backend.commands
        assert isinstance(answer, Answer)
        assert answer.choice == "yield"


async def test_a_driver_that_was_replaced_reads_on_and_is_told(
    backend: FakeBackend, story: Story
) -> None:
    story.migrating()
    async with driving(backend) as pilot:
        backend.driven = Driven("lee@desk", story.run, "", "seen 0 s ago")
        story.tell(RunResumed(1.0, "x")).tell(
            TakenOver("dana", "bastion", "dana is away", "silent")
        )
        backend.finish.put(Ended(exits.IN_USE, "Somebody else drives it."))
        await shows(
            pilot, "WATCHING", "took over at", '"dana is away". You are watching', "lee@desk"
        )


async def test_for_whom_it_waits_before_it_drives_is_shown(
    backend: FakeBackend, story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    story.migrating()
    resume = backend.resume

    def late(run: str, operator: Operator) -> Ended:
        assert isinstance(operator, ScreenOperator)
        operator.waits_for("dana@bastion drove here and was not heard of for 1 s. Waiting 2 s.")
        backend.yields.wait(60)
        return resume(run, operator)

    monkeypatch.setattr(backend, "resume", late)
    app = RunbookApp(backend, resume=story.run)
    async with app.run_test(size=(80, 24)) as pilot:
        await shows(pilot, "Waiting for its place", "dana@bastion drove here")
        backend.yields.set()
        await until(pilot, lambda: "Waiting for its place" not in frame(pilot.app))
        backend.finish.put(Ended(0))


async def test_handing_over_names_somebody(backend: FakeBackend, story: Story) -> None:
    story.migrating()
    async with driving(backend) as pilot:
        await pilot.press("d", "t", *"lee: end of day", "enter")
        await until(pilot, lambda: backend.commands)
        assert backend.commands == [HandOver("lee", "end of day")]


async def test_who_leaves_may_hand_over_on_the_way(backend: FakeBackend, story: Story) -> None:
    approving(story)
    async with driving(backend) as pilot:
        await pilot.press("q", "t")
        await shows(pilot, "Hand over run", "To whom, and why")
        await pilot.press("escape", "escape")
        await shows(pilot, "Another operator must approve")
        assert backend.commands == []
        await pilot.press("q", "t", *"lee: end of day", "enter")
        await until(pilot, lambda: backend.commands)
        assert backend.commands == [HandOver("lee", "end of day")]
        backend.finish.put(Ended(exits.WAITS))
        await until(pilot, lambda: pilot.app.return_value == exits.WAITS)


async def test_a_place_in_use_offers_to_look_on(backend: FakeBackend, story: Story) -> None:
    story.migrating()
    backend.driven = DANA
    sentence = "The environment production is in use: dana@bastion drives run 1124-k7f3 there."
    backend.finish.put(Ended(exits.IN_USE, sentence, by=DANA))
    app = RunbookApp(backend)
    async with app.run_test(size=(80, 24)) as pilot:
        refused = RunScreen(backend, lambda port: backend.finish.get())
        app.push_screen(refused)
        await until(pilot, lambda: isinstance(app.screen, Dialog))
        await shows(pilot, "This place is in use", "[Watch dana's run]")
        assert "Tell me" not in frame(app)
        await pilot.press("enter")
        await shows(pilot, "WATCHING", "dana@bastion drives")
