"""One bar for every question: what is marked is safe, letters work only here, names are typed."""

from __future__ import annotations

from textual import events
from textual.content import Content
from textual.pilot import Pilot

from tests.harness.screen import Stage, frame, shows, until
from widgets.ask import Ask, Now
from widgets.choices import Choice
from widgets.decision_bar import DecisionBar
from widgets.log_view import LogView
from widgets.safe import safe

FAILED = Ask(
    id="q1",
    question=safe("Run database migrations failed. What now?"),
    lines=(),
    choices=(
        Choice("", "Leave it so: decide later"),
        Choice("retry", "Run it again: only 0008 and 0009", "r"),
        Choice("verified", "I fixed it: check and go on", "v", reason="optional"),
        Choice("skip", "Skip, with a reason", "s", reason="required"),
        Choice("rollback", "Roll back to v1.3.2 …", "b"),
        Choice("abort", "Abort: stop here, undo nothing", "a", again="Abort here?", do="Abort"),
    ),
)
TYPED = Ask(
    id="q2",
    question=safe("Deploy v1.4.0 to production?"),
    lines=(safe("Replaces v1.3.2 with v1.4.0 on app-1, then app-2."),),
    choices=(Choice("", "Not yet: wait here"), Choice("skip", "Skip", "s", reason="required")),
    typed="production",
    value="yes",
)


class Desk(Stage):
    """A pane to come from, the bar, and what it told."""

    def __init__(self) -> None:
        self.bar = DecisionBar()
        self.decided: list[tuple[str, str, str]] = []
        super().__init__([LogView(lambda: None), self.bar])

    def on_decision_bar_decided(self, event: DecisionBar.Decided) -> None:
        self.decided.append((event.ask.id, event.choice, event.reason))

    def on_decision_bar_stayed(self) -> None:
        self.query_one(LogView).focus()


async def ask(pilot: Pilot[None], question: Ask) -> Desk:
    desk = pilot.app
    assert isinstance(desk, Desk)
    desk.query_one(LogView).focus()
    desk.bar.show_ask(question)
    await shows(pilot, question.question.plain)
    return desk


async def test_now_takes_two_rows_and_nothing_can_be_entered() -> None:
    async with Desk().run_test(size=(80, 24)) as pilot:
        desk = pilot.app
        assert isinstance(desk, Desk)
        desk.bar.show_now(Now(safe("Now"), ((safe("0008 waits."), safe("ends at 5:00")),)))
        await shows(pilot, "─ Now ─", "0008 waits.", "ends at 5:00")
        assert desk.bar.size.height == 2
        assert not desk.bar.enter_bar()


async def test_choices_stand_in_two_columns_with_the_safe_one_marked() -> None:
    async with Desk().run_test(size=(80, 24)) as pilot:
        desk = await ask(pilot, FAILED)
        desk.bar.enter_bar()
        await shows(pilot, "━ ? Run database migrations failed.")
        assert frame(pilot.app).splitlines()[-4:] == [
            "━ ? Run database migrations failed. What now? " + "━" * 34,
            " [Leave it so: decide later]        r Run it again: only 0008 and 0009",
            "  v I fixed it: check and go on     s Skip, with a reason",
            "  b Roll back to v1.3.2 …           a Abort: stop here, undo nothing",
        ]


async def test_enter_on_a_fresh_question_changes_nothing() -> None:
    for question in (FAILED, TYPED):
        async with Desk().run_test(size=(80, 24)) as pilot:
            desk = await ask(pilot, question)
            desk.bar.enter_bar()
            await pilot.press("enter", "enter", "enter")
            assert desk.decided == []


async def test_letters_decide_only_inside_the_bar() -> None:
    async with Desk().run_test(size=(80, 24)) as pilot:
        desk = await ask(pilot, FAILED)
        await pilot.press(*"yrvsbuxpota")
        assert desk.decided == []
        desk.bar.enter_bar()
        await pilot.press("r")
        await until(pilot, lambda: desk.decided == [("q1", "retry", "")])


async def test_enter_takes_what_is_marked() -> None:
    async with Desk().run_test(size=(80, 24)) as pilot:
        desk = await ask(pilot, FAILED)
        desk.bar.enter_bar()
        await pilot.press("right", "down", "down", "left")
        await shows(pilot, "[b Roll back to v1.3.2 …]")
        await pilot.press("enter")
        await until(pilot, lambda: desk.decided == [("q1", "rollback", "")])


async def test_a_required_reason_is_missed_in_words() -> None:
    async with Desk().run_test(size=(80, 24)) as pilot:
        desk = await ask(pilot, FAILED)
        desk.bar.enter_bar()
        await pilot.press("s", "enter")
        await shows(pilot, "Reason is missing: nothing was done.")
        assert desk.decided == []
        await pilot.press(*"db mended", "enter")
        await until(pilot, lambda: desk.decided == [("q1", "skip", "db mended")])


async def test_escape_from_a_reason_goes_back_to_the_choices_then_out() -> None:
    async with Desk().run_test(size=(80, 24)) as pilot:
        desk = await ask(pilot, FAILED)
        desk.bar.enter_bar()
        await pilot.press("s", *"dr", "escape")
        await shows(pilot, "[Leave it so: decide later]")
        await pilot.press("escape")
        await until(pilot, lambda: desk.query_one(LogView).has_focus)
        assert desk.decided == []


async def test_the_second_question_has_another_key_and_its_own_safe_choice() -> None:
    async with Desk().run_test(size=(80, 24)) as pilot:
        desk = await ask(pilot, FAILED)
        desk.bar.enter_bar()
        await pilot.press("a")
        await shows(pilot, "? Abort here?", "[Leave it so: decide later]", "y Abort")
        await pilot.press("a", "a", "enter")
        await shows(pilot, "What now?")
        assert desk.decided == []
        await pilot.press("a", "y")
        await until(pilot, lambda: desk.decided == [("q1", "abort", "")])


async def test_a_name_is_typed_case_ignored_and_never_pasted() -> None:
    async with Desk().run_test(size=(80, 24)) as pilot:
        desk = await ask(pilot, TYPED)
        desk.bar.enter_bar()
        await shows(
            pilot, "Type  PRODUCTION  and press enter:", "esc  Not yet", "other choices: skip"
        )
        pilot.app.post_message(events.Paste("PRODUCTION"))
        await shows(pilot, "PRODUCTION is not taken from the clipboard")
        await pilot.press("enter", *"staging", "enter")
        await shows(pilot, "That is not PRODUCTION: nothing was done.")
        assert desk.decided == []
        await pilot.press("ctrl+u", *" Production ", "enter")
        await until(pilot, lambda: desk.decided == [("q2", "yes", "")])


async def test_tab_from_the_name_shows_the_other_choices() -> None:
    async with Desk().run_test(size=(80, 24)) as pilot:
        desk = await ask(pilot, TYPED)
        desk.bar.enter_bar()
        await pilot.press("tab")
        await shows(pilot, "[Not yet: wait here]", "s Skip")
        await pilot.press("enter")
        assert desk.decided == []


async def test_a_question_arriving_moves_neither_focus_nor_text() -> None:
    async with Desk().run_test(size=(80, 24)) as pilot:
        desk = await ask(pilot, TYPED)
        desk.bar.enter_bar()
        await pilot.press(*"prod")
        desk.bar.show_ask(Ask("q2", safe("Deploy v1.4.1?"), (), TYPED.choices, "production", "yes"))
        await shows(pilot, "Deploy v1.4.1?", "prod")
        desk.bar.show_now(Now(safe("Now"), ((safe("answered elsewhere"), Content("")),)))
        await until(pilot, lambda: desk.query_one(LogView).has_focus)
        assert desk.decided == []
        desk.bar.show_ask(FAILED)
        await shows(pilot, "What now?")
        assert desk.query_one(LogView).has_focus


async def test_foreign_text_in_a_question_is_text() -> None:
    hostile = "[@click=app.quit]\x1b[2J[/bin/sh]"
    question = Ask(
        "q", safe(hostile), (safe(hostile),), (Choice("", hostile), Choice("x", hostile, "x"))
    )
    async with Desk().run_test(size=(80, 24)) as pilot:
        desk = await ask(pilot, question)
        assert frame(pilot.app).count("[@click=app.quit]^[[2J[/bin/sh]") == 4
        await pilot.click(DecisionBar, offset=(6, 0))
        assert desk.is_running


async def test_rows_are_cut_and_stand_above_the_lines() -> None:
    rows = tuple(safe(f"Row {number}  " + "x" * 200) for number in range(4))
    question = Ask("q3", safe("Go on?"), (safe("No way back."),), TYPED.choices, rows=rows)
    async with Desk().run_test(size=(80, 24)) as pilot:
        await ask(pilot, question)
        lines = frame(pilot.app).splitlines()
        first = next(place for place, line in enumerate(lines) if "Go on?" in line) + 1
        assert [line.split("  ")[0] for line in lines[first : first + 3]] == [
            " Row 0",
            " Row 1",
            " No way back.",
        ]
        assert all(line.endswith("…") for line in lines[first : first + 2])
