"""The Run screen by keys: what it shows, what only looks, what decides, and where focus goes."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from textual.pilot import Pilot

from runbook_tui.engine.ports import AddNote, Answer, Hold, Leave, StopStep
from runbook_tui.ui import decisions, keys
from runbook_tui.ui.app import RunbookApp
from runbook_tui.ui.backend import Ended
from runbook_tui.ui.screens.dialogs import Dialog
from runbook_tui.ui.screens.rollback import RollbackScreen
from runbook_tui.ui.screens.run import RunScreen
from runbook_tui.ui.screens.run_navigation import RunNavigation
from runbook_tui.ui.shell_here import Shell
from state.events import QuestionAnswered, RunResumed
from state.json_value import Json
from state.stores.attempt_dir import AttemptDir
from tests.harness.screen import frame, shows, until
from tests.ui.conftest import Clock
from tests.ui.story import HOSTILE, INERT, FakeBackend, Story, practice_plan

SameFrame = Callable[[str, str], None]
FAILURE = ("retry", "verified", "skip", "undo", "rollback", "abort")
REASON = "Migration 0008_task_idx.sql: lock timeout, 5:00, twice; pid 4121 held it."
SMALL, LARGE = (80, 24), (160, 45)


@asynccontextmanager
async def on_screen(
    backend: FakeBackend, size: tuple[int, int] = SMALL, *, ascii_only: bool = False
) -> AsyncIterator[Pilot[int]]:
    """The Run screen of the backend's story, driven."""
    assert backend.story is not None
    app = RunbookApp(backend, resume=backend.story.run, ascii_only=ascii_only)
    async with app.run_test(size=size) as pilot:
        await shows(pilot, backend.story.run, "d decide")
        yield pilot
        backend.finish.put(Ended(0))
        screen = app.screen_stack[-1]
        if isinstance(screen, RunScreen) and screen.driving is not None:
            driving = screen.driving
            await until(pilot, lambda: not driving.alive)


def failed(story: Story) -> Story:
    """A migration that failed, and its question."""
    story.migrating("0008_task_idx.sql   try 2", "ERROR: canceling statement due to lock timeout")
    story.end("migrate", "failed", reason=REASON, exit_code=1)
    text = "Run database migrations failed. What now?"
    return story.ask("migrate", "failure", text, *FAILURE)


def typed(story: Story) -> Story:
    """A deployment whose environment must be typed."""
    story.migrating().end("migrate", proof="machine")
    shown = {"rows": [["Replaces", "v1.3.2 with v1.4.0 on app-1, then app-2"]]}
    text = "Deploy to production: begin in production?"
    return story.ask(
        "deploy", "typed", text, "yes", "skip", "rollback", "abort", typed="production", shown=shown
    )


def manual(story: Story) -> Story:
    """A review that a person records."""
    story.begin("tests").begin("types").wait(31).end("types").wait(99).end("tests")
    shown = {
        "text": "Read every commit since v1.3.2.",
        "choices": {"done": {"label": "Done", "then": "next", "reason": "none"}},
        "record": {
            "seen": {"prompt": "What you checked", "pattern": None, "optional": False},
            "link": {"prompt": "Link", "pattern": r"^https://\S+$", "optional": True},
        },
    }
    text = "Review recent code changes: done?"
    return story.ask("review", "manual", text, "done", "skip", "rollback", "abort", shown=shown)


def ask_rollback(story: Story) -> Story:
    """The plan of a rollback, to be confirmed by the environment's name."""
    shown = {
        "undone": [["migrate", "0009, 0008 by down files"], ["tag", "delete v1.4.0 at origin"]],
        "stays": [["tests", "has no effect"]],
        "cannot": [["announce", "it was sent"]],
        "run": "1124-k7f3-back",
    }
    return story.ask(
        None, "rollback", "Roll back production?", "rollback", typed="production", shown=shown
    )


def parallel(story: Story) -> Story:
    """Two checks at once, one of them failed."""
    story.begin("tests", ["412 passed", "3 skipped"]).begin("types", ["error TS2322", "1 error"])
    story.wait(31).end("types", "failed", exit_code=2, reason="exit code 2")
    return story.ask("types", "failure", "Run type checking failed. What now?", *FAILURE)


def half_done(story: Story) -> Story:
    """A deployment whose worker died between two hosts; the way back of the step is known."""
    typed(story)
    question = str(story.records[-1].data["id"])
    story.tell(QuestionAnswered(question, "yes", "person", fields={"typed": "production"}))
    story.begin("deploy", ["app-1: requests go to hub-8002"]).wait(78)
    looked: dict[str, Json] = {
        "found": ["app-1: v1.4.0 sha256:9c1e…, in service"],
        "missing": ["app-2: v1.3.2 sha256:77ab…"],
        "unclear": ["whether users of app-2 were being drained"],
        "left": ["app-2"],
    }
    reason = "Its worker died: it left no result."
    story.end("deploy", "unknown", reason=reason, verdict="partial", effect="partial")
    text = "Deploy to production is partly done. What now?"
    choices = ("retry", "continue", "verified", "skip", "undo", "rollback", "abort")
    shown = {**looked, "way_back": "app-1 to v1.3.2"}
    return story.ask("deploy", "partial", text, *choices, shown=shown)


def nobody_knows(story: Story) -> Story:
    """A step without a check whose worker died."""
    story.migrating().end("migrate", "unknown", reason="Its worker died: it left no result.")
    text = "Run database migrations has an outcome that nobody knows. What now?"
    return story.ask("migrate", "unknown", text, *FAILURE)


def monitoring(story: Story) -> Story:
    """A monitor with samples over its limit."""
    typed(story)
    question = str(story.records[-1].data["id"])
    story.tell(QuestionAnswered(question, "yes", "person", fields={"typed": "production"}))
    story.begin("deploy", ["healthy"]).wait(242).end("deploy", proof="machine")
    story.begin("monitor", ["p95 548 ms over the limit (1 of 3)"]).wait(120)
    last = story.state
    assert last is not None
    attempt = last.steps["monitor"].attempts[-1]
    samples = AttemptDir(story.directory / attempt.directory).samples
    start = story.at.timestamp() - 120
    samples.write_text(
        "".join(json.dumps(_sample(start + n, 300 + n * 5)) + "\n" for n in range(30))
    )
    return story


def _sample(at: float, p95: float) -> dict[str, object]:
    over = {"over": 2, "of": 3, "max": 400, "min": None}
    return {
        "at": at,
        "figures": {"p95": p95, "cpu": {"app-1": 61.0, "app-2": 58.0}},
        "units": {"p95": "ms", "cpu": "%"},
        "limits": {"p95": over},
    }


SCENES: dict[str, tuple[Callable[[Story], Story], tuple[str, ...], tuple[str, ...]]] = {
    "run": (Story.migrating, (), ("waits for a lock", "4 lines · follows the end")),
    "failure": (failed, ("d",), ("[Leave it so", "Kim Ode", "canceling statement")),
    "half-done": (half_done, ("d",), ("[Leave it so", "not done  app-2", "r Go on: only app-2")),
    "unknown": (
        nobody_knows,
        ("d",),
        ("[Leave it so", "Nothing can tell whether", "may happen twice"),
    ),
    "typed": (typed, ("d",), ("Type  PRODUCTION", "esc  Not yet", "Replaces")),
    "manual": (manual, ("d",), ("What you checked", "to the choices")),
    "parallel": (
        parallel,
        ("d", "escape"),
        ("Run type checking failed", "exit code 2", "error TS2322"),
    ),
    "monitor": (monitoring, (), ("p95", "445 ms", "OVER, 2 of 3", "cpu@app-1")),
    "notes": (failed, ("m",), ("New note", "to Save")),
    "plan": (Story.migrating, ("2",), ("Each try", "ends at 5:00")),
    "help-tab": (Story.migrating, ("6",), ("Author's help", "Call")),
    "evidence": (typed, ("3",), ("No evidence yet",)),
}


@pytest.mark.parametrize("name", SCENES)
@pytest.mark.parametrize("size", [SMALL, LARGE], ids=["80x24", "160x45"])
async def test_frames(
    backend: FakeBackend,
    story: Story,
    fixed_clock: Clock,
    same_frame: SameFrame,
    name: str,
    size: tuple[int, int],
) -> None:
    tell, pressed, expected = SCENES[name]
    tell(story)
    fixed_clock.at_end_of(story)
    async with on_screen(backend, size) as pilot:
        await shows(pilot, " so far", "Steps")
        await pilot.press(*pressed)
        await shows(pilot, *expected)
        same_frame(f"{name}-{size[0]}x{size[1]}", frame(pilot.app))


async def test_frame_in_ascii(
    backend: FakeBackend, story: Story, fixed_clock: Clock, same_frame: SameFrame
) -> None:
    failed(story)
    fixed_clock.at_end_of(story)
    async with on_screen(backend, ascii_only=True) as pilot:
        await pilot.press("d")
        await shows(pilot, "[Leave it so", "canceling")
        assert frame(pilot.app).isascii()
        same_frame("failure-ascii", frame(pilot.app))


async def test_without_colour_marks_differ_by_style(
    backend: FakeBackend, story: Story, monkeypatch: pytest.MonkeyPatch, fixed_clock: Clock
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    failed(story)
    fixed_clock.at_end_of(story)
    async with on_screen(backend) as pilot:
        await shows(pilot, "What now?", "✗")
        strips = pilot.app.screen._compositor.render_strips()
        marks = [part for strip in strips for part in strip if part.text == "✗"]
        assert marks
        assert all(part.style is not None and part.style.reverse for part in marks)
        colours = [
            c for strip in strips for part in strip if part.style for c in (part.style.color,)
        ]
        assert all(c is None or c.triplet is None or len(set(c.triplet)) == 1 for c in colours)


@pytest.mark.parametrize("tell", [Story.migrating, failed, typed, manual], ids=lambda t: t.__name__)
async def test_letters_outside_the_bar_do_nothing_but_say_so(
    backend: FakeBackend, story: Story, fixed_clock: Clock, tell: Callable[[Story], Story]
) -> None:
    tell(story)
    fixed_clock.at_end_of(story)
    async with on_screen(backend) as pilot:
        await shows(pilot, " so far")
        for places in range(3):
            await pilot.press(*decisions.ACTING, "enter", "delete", "backspace")
            await pilot.press("b")
            await shows(pilot, "b is roll back; it works after d")
            await pilot.press("tab", *["2"] * (places == 1))
        assert backend.commands == []
        assert isinstance(pilot.app.screen, RunScreen)


@pytest.mark.parametrize(
    "tell", [Story.migrating, failed, typed, manual, parallel], ids=lambda t: t.__name__
)
async def test_enter_on_a_fresh_question_changes_nothing(
    backend: FakeBackend, story: Story, fixed_clock: Clock, tell: Callable[[Story], Story]
) -> None:
    tell(story)
    fixed_clock.at_end_of(story)
    async with on_screen(backend) as pilot:
        await shows(pilot, " so far")
        await pilot.press("d", "enter", "enter", "enter")
        await pilot.press("escape", "escape", "q", "enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, RunScreen))
        assert backend.commands == []


def test_letters_that_look_and_letters_that_act_are_disjoint() -> None:
    acting = set(decisions.ACTING)
    looking = {key for line in keys.LOOK for cell in (line[0], line[2]) for key in cell.split()}
    bound = {
        key
        for binding in (*RunNavigation.BINDINGS, *RunScreen.BINDINGS, *RunbookApp.BINDINGS)
        for key in getattr(binding, "key", "").split(",")
    }
    assert not acting & looking
    assert not acting & bound
    assert {key for key, _ in keys.ACT} <= acting


async def test_failure_to_rollback_is_d_b_name_enter(
    backend: FakeBackend, story: Story, fixed_clock: Clock
) -> None:
    failed(story)
    fixed_clock.at_end_of(story)
    async with on_screen(backend) as pilot:
        await shows(pilot, "What now?")
        await pilot.press("d", "b")
        await until(pilot, lambda: backend.commands)
        question = str(story.records[-1].data["id"])
        assert backend.commands == [Answer(question, "rollback", "person")]
        story.tell(QuestionAnswered(question, "rollback", "person"))
        ask_rollback(story)
        backend.publish()
        await until(pilot, lambda: isinstance(pilot.app.screen, RollbackScreen))
        await shows(pilot, "Will be undone", "CANNOT BE UNDONE", "it was sent")
        await pilot.press(*"production", "enter")
        await until(pilot, lambda: len(backend.commands) == 2)
        answer = backend.commands[1]
        assert isinstance(answer, Answer)
        assert (answer.choice, answer.fields) == ("rollback", {"typed": "production"})


async def test_a_shell_is_noted_and_decides_nothing(
    backend: FakeBackend, story: Story, fixed_clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[Shell] = []

    def open_shell(_: RunbookApp, shell: Shell, step: str) -> str:
        opened.append(shell)
        return f"shell at {step} ended"

    monkeypatch.setattr(RunbookApp, "open_shell", open_shell)
    failed(story)
    fixed_clock.at_end_of(story)
    async with on_screen(backend) as pilot:
        await pilot.press("o")
        await shows(pilot, "o is open a shell; it works after d")
        await pilot.press("d", "o")
        await until(pilot, lambda: len(backend.commands) == 2)
        assert [shell.variables["RUNBOOK_STEP"] for shell in opened] == ["migrate"]
        name = "Run database migrations"
        assert backend.commands == [
            AddNote(f"shell opened at {name}", "migrate"),
            AddNote(f"shell at {name} ended", "migrate"),
        ]
        await shows(pilot, f"{name} failed. What now?")


@pytest.mark.parametrize(
    ("wanted", "sequence"),
    [("9", "\x1b]9;{}\x07"), ("777", "\x1b]777;notify;runbook;{}\x07"), ("", "")],
)
async def test_a_question_rings_and_notifies_where_that_is_wanted(
    backend: FakeBackend,
    story: Story,
    fixed_clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
    wanted: str,
    sequence: str,
) -> None:
    written: list[str] = []
    rung: list[bool] = []
    monkeypatch.setenv("RUNBOOK_NOTIFY", wanted)
    monkeypatch.setattr("runbook_tui.ui.app.grant", lambda _, words: written.append(words))
    monkeypatch.setattr(RunbookApp, "bell", lambda _: rung.append(True))
    failed(story)
    fixed_clock.at_end_of(story)
    async with on_screen(backend) as pilot:
        await until(pilot, lambda: rung == [True])
        notices = [one for one in written if not one.startswith("\x1b]0;")]
        words = "Run database migrations failed. What now?"
        assert notices == ([sequence.format(words)] if sequence else [])


async def test_rollback_frame(
    backend: FakeBackend, story: Story, fixed_clock: Clock, same_frame: SameFrame
) -> None:
    story.migrating().end("migrate", proof="machine")
    ask_rollback(story)
    fixed_clock.at_end_of(story)
    async with on_screen(backend) as pilot:
        await shows(pilot, "Roll back production?")
        await pilot.press("d")
        await until(pilot, lambda: isinstance(pilot.app.screen, RollbackScreen))
        await shows(pilot, "Type  PRODUCTION")
        same_frame("rollback-80x24", frame(pilot.app))
        await pilot.press("f1")
        await shows(pilot, "Keys on this screen", "y  roll back")
        await pilot.press("escape", "tab")
        await shows(pilot, "tab answer", "esc not now")
        await pilot.press("tab")
        await shows(pilot, "typing:")
        await pilot.press("enter", "escape")
        await until(pilot, lambda: isinstance(pilot.app.screen, RunScreen))
        assert backend.commands == []


async def test_a_manual_item_is_recorded_with_its_evidence(
    backend: FakeBackend, story: Story, fixed_clock: Clock
) -> None:
    manual(story)
    fixed_clock.at_end_of(story)
    async with on_screen(backend) as pilot:
        await shows(pilot, "done?")
        await pilot.press("d")
        await shows(pilot, "What you checked", "next field")
        await pilot.press("escape", "y")
        await shows(pilot, "What you checked is missing")
        await pilot.press("escape", "d", *"read y", "tab", *"http", "escape", "y")
        await shows(pilot, "Link: must match")
        assert backend.commands == []


async def test_evidence_goes_with_the_answer(
    backend: FakeBackend, story: Story, fixed_clock: Clock
) -> None:
    manual(story)
    fixed_clock.at_end_of(story)
    async with on_screen(backend) as pilot:
        await shows(pilot, "done?")
        await pilot.press("d")
        await shows(pilot, "next field")
        await pilot.press(*"all read", "tab", "tab", "y")
        await until(pilot, lambda: backend.commands)
        answer = backend.commands[0]
        assert isinstance(answer, Answer)
        assert (answer.choice, dict(answer.fields)) == ("done", {"seen": "all read"})


async def test_a_question_arriving_leaves_a_note_being_written_alone(
    backend: FakeBackend, story: Story, fixed_clock: Clock
) -> None:
    story.migrating()
    fixed_clock.at_end_of(story)
    async with on_screen(backend) as pilot:
        await shows(pilot, "waits for a lock")
        await pilot.press("m")
        await shows(pilot, "to Save")
        await pilot.press(*"vacuum ")
        story.end("migrate", "failed", reason=REASON)
        story.ask("migrate", "failure", "Run database migrations failed. What now?", *FAILURE)
        backend.publish()
        await shows(pilot, "What now?")
        await pilot.press(*"by kim")
        await shows(pilot, "vacuum by kim")
        await pilot.press("tab", "enter")
        await until(pilot, lambda: backend.commands)
        assert backend.commands == [AddNote("vacuum by kim", "migrate")]


async def test_a_question_arriving_leaves_a_held_log_and_a_search_alone(
    backend: FakeBackend, story: Story, fixed_clock: Clock
) -> None:
    story.migrating(*[f"line {number}" for number in range(100)])
    fixed_clock.at_end_of(story)
    async with on_screen(backend) as pilot:
        await shows(pilot, "line 99")
        await pilot.press("tab", "g", "slash", *"yes")
        await shows(pilot, "held at line 1 of 100", "Find")
        story.end("migrate", "unknown", reason="lost")
        story.ask("migrate", "unknown", "Run database migrations has no outcome?", *FAILURE)
        backend.publish()
        await shows(pilot, "has no outcome?")
        await pilot.press("y")
        assert backend.commands == []


async def test_menu_pauses_and_stops_with_a_reason(
    backend: FakeBackend, story: Story, fixed_clock: Clock
) -> None:
    story.migrating()
    fixed_clock.at_end_of(story)
    async with on_screen(backend) as pilot:
        await shows(pilot, "waits for a lock")
        await pilot.press("d")
        await shows(pilot, "[Keep going]", "p Pause after it", "x Stop Run database")
        await pilot.press("p")
        await until(pilot, lambda: backend.commands == [Hold()])
        await shows(pilot, "pauses after it", "─ Now ─")
        await pilot.press("d", "x", "enter")
        await shows(pilot, "Why stop it is missing")
        await pilot.press(*"wrong db", "enter")
        await until(pilot, lambda: backend.commands[1:] == [StopStep("migrate", "wrong db")])


async def test_leaving_asks_and_the_leaving_key_confirms_nothing(
    backend: FakeBackend, story: Story, fixed_clock: Clock, same_frame: SameFrame
) -> None:
    story.migrating()
    fixed_clock.at_end_of(story)
    async with on_screen(backend) as pilot:
        await shows(pilot, "waits for a lock")
        for key in ("q", "ctrl+q", "ctrl+c"):
            await pilot.press(key)
            await until(pilot, lambda: isinstance(pilot.app.screen, Dialog))
            await shows(pilot, "[Stay]")
            await pilot.press("q")
            await until(pilot, lambda: isinstance(pilot.app.screen, RunScreen))
        assert backend.commands == []
        await pilot.press("q")
        await shows(pilot, "[Stay]", "Stop the step first")
        same_frame("leave-80x24", frame(pilot.app))
        await pilot.press("y")
        await until(pilot, lambda: backend.commands)
        assert backend.commands == [Leave("dana left")]
        await until(pilot, lambda: pilot.app.return_value == 3)


async def test_coming_back_says_what_happened(
    backend: FakeBackend, story: Story, fixed_clock: Clock, same_frame: SameFrame
) -> None:
    story.migrating()
    fixed_clock.at_end_of(story)
    before = backend.recorded(story.run)
    story.wait(492).tell(RunResumed(492.0, "0.1.0"))
    story.end("migrate", adopted=True, proof="machine", reason="found by its result file")
    backend.recorded = lambda run: before  # type: ignore[method-assign]  # what was there at first
    fixed_clock.at_end_of(story)
    async with on_screen(backend) as pilot:
        await shows(pilot, "While you were away, 8:20", "Nothing was run twice.")
        await shows(pilot, f"Events 1–{len(story.records)} verified: chain is whole.")
        same_frame("resume-80x24", frame(pilot.app))
        await pilot.press("j")
        await until(pilot, lambda: "While you were away" not in frame(pilot.app))


async def test_what_is_found_while_one_reads_is_said_there_too(
    backend: FakeBackend, story: Story, fixed_clock: Clock
) -> None:
    story.migrating()
    before = backend.recorded(story.run)
    story.wait(492).tell(RunResumed(492.0, "0.1.0"))
    backend.recorded = lambda run: before  # type: ignore[method-assign]  # what was there at first
    fixed_clock.at_end_of(story)
    async with on_screen(backend) as pilot:
        await shows(pilot, "While you were away, 8:20", "Run database migrations    goes on")
        story.wait(1).end("migrate", adopted=True, proof="machine", reason="found done: looked")
        backend.publish()
        await shows(pilot, "While you were away, 8:20", "found done, by looking")


async def test_coming_back_to_a_journal_that_was_changed_says_so(
    backend: FakeBackend, story: Story, fixed_clock: Clock
) -> None:
    story.migrating()
    before = backend.recorded(story.run)
    story.wait(492).tell(RunResumed(492.0, "0.1.0"))
    story.records[3] = replace(story.records[3], operator="somebody")
    backend.recorded = lambda run: before  # type: ignore[method-assign]  # what was there at first
    fixed_clock.at_end_of(story)
    async with on_screen(backend) as pilot:
        await shows(pilot, "the chain is NOT whole.", "Event 4", f"runbook audit {story.run}")


async def test_keys_of_the_log_work_from_the_steps(
    backend: FakeBackend, story: Story, fixed_clock: Clock
) -> None:
    failed(story)
    fixed_clock.at_end_of(story)
    async with on_screen(backend) as pilot:
        await shows(pilot, "What now?")
        await pilot.press("e")
        await shows(pilot, "[1 Log]", "1 marked · e next")
        await pilot.press("F")
        await shows(pilot, "follows the end")
        await pilot.press("at")
        await shows(pilot, "Go to  HH:MM:SS")
        assert backend.commands == []


async def test_hostile_text_is_inert_everywhere(
    backend: FakeBackend, tmp_path: object, fixed_clock: Clock
) -> None:
    story = Story(backend.state_directory, practice_plan(HOSTILE), run="1124-hhhh")
    backend.story = story
    story.migrating(HOSTILE)
    story.end("migrate", "failed", reason=HOSTILE)
    story.ask("migrate", "failure", HOSTILE, *FAILURE, shown={"found": [HOSTILE], "help": HOSTILE})
    fixed_clock.at_end_of(story)
    async with on_screen(backend, LARGE) as pilot:
        await shows(pilot, INERT)
        for tab in "123456":
            await pilot.press(tab)
            await pilot.pause()
            assert "\x1b" not in frame(pilot.app)
        for row in (0, 2, 5, 8, 43):
            await pilot.click(offset=(60, row))
        assert pilot.app.is_running
        assert backend.commands == []


async def test_one_column_below_80(backend: FakeBackend, story: Story, fixed_clock: Clock) -> None:
    story.migrating()
    fixed_clock.at_end_of(story)
    async with on_screen(backend, (64, 20)) as pilot:
        await shows(pilot, "Run database migrations", "─ Now ─")
        assert "│" not in frame(pilot.app)
        await pilot.press("tab")
        await shows(pilot, "waits for a lock", "[1 Log]")
        await pilot.press("escape")
        await until(pilot, lambda: "waits for a lock" not in frame(pilot.app))


async def test_too_small_goes_when_there_is_room(
    backend: FakeBackend, story: Story, fixed_clock: Clock, same_frame: SameFrame
) -> None:
    story.migrating()
    fixed_clock.at_end_of(story)
    async with on_screen(backend) as pilot:
        await shows(pilot, "waits for a lock")
        await pilot.resize_terminal(52, 14)
        await shows(pilot, "Too small: 52×14")
        same_frame("small-52x14", frame(pilot.app))
        await pilot.resize_terminal(80, 24)
        await shows(pilot, "waits for a lock")


async def test_only_the_clock_is_painted_while_nothing_happens(
    backend: FakeBackend, story: Story, fixed_clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    typed(story)
    fixed_clock.at_end_of(story)
    async with on_screen(backend) as pilot:
        await shows(pilot, "begin in production?")
        screen = pilot.app.screen
        assert isinstance(screen, RunScreen)
        painted: list[str] = []
        for widget in (screen.checklist, screen.pane.title, screen.keys, screen.pane.tabs):
            monkeypatch.setattr(widget, "refresh", lambda *a, w=widget, **k: painted.append(w))
        ticks = 0

        def ticked() -> bool:
            nonlocal ticks
            screen._tick()
            ticks += 1
            return ticks > 20

        await until(pilot, ticked)
        assert painted == []
