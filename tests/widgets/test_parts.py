"""The smaller widgets, row by row."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.content import Content

from state.status import StepStatus
from tests.harness.screen import Stage, frame, shows, until
from widgets.durations import about, ago, lasting, roughly
from widgets.evidence_form import EvidenceForm, Recorded
from widgets.failure_panel import Failure, FailurePanel
from widgets.glyphs import ASCII, MARK_STYLES, UNICODE, WORDS, WORST_FIRST
from widgets.key_bar import Key, KeyBar
from widgets.monitor_chart import Measure, MonitorChart
from widgets.pane_title import PaneTitle
from widgets.parallel_panes import ParallelPanes, Part
from widgets.parameter_form import Parameter, ParameterForm
from widgets.plan_table import PlanLine, PlanTable
from widgets.rows import cut, rule, spread, text, wrap
from widgets.run_header import Header, RunHeader, badge
from widgets.safe import safe
from widgets.step_tree import StepLine, StepTree
from widgets.tab_row import TabRow
from widgets.text_pane import Section, TextPane, section_rows

NOON = datetime(2026, 11, 24, 12, 14, 8, tzinfo=UTC)
HOSTILE = "[@click=app.quit]a[/]\x1b]52;c;x\x07[/bin/sh]"
INERT = "[@click=app.quit]a[/]^[]52;c;x^G[/bin/sh]"


@pytest.mark.parametrize(
    ("seconds", "shown", "usual", "words", "past"),
    [
        (8, "0:08", "~0:08", "8 s", "8 s ago"),
        (605, "10:05", "10:05", "10 min", "10 min ago"),
        (5900, "1:38 h", "1:38 h", "1:38 h", "1 h ago"),
    ],
)
def test_durations(seconds: float, shown: str, usual: str, words: str, past: str) -> None:
    written = (lasting(seconds), roughly(seconds), about(seconds), ago(seconds))
    assert written == (shown, usual, words, past)


@given(st.text("abcäöü界 ", max_size=60), st.integers(1, 50))
def test_rows_are_never_wider_than_asked(foreign: str, width: int) -> None:
    content = safe(foreign)
    for glyphs in (UNICODE, ASCII):
        assert cut(content, width, glyphs).cell_length <= width
        assert rule(content, text("right"), width, glyphs).cell_length <= width
        assert spread(content, text("r"), width + 3, glyphs).cell_length <= width + 3
    if "界" not in foreign or width > 1:
        assert all(line.cell_length <= width for line in wrap(content, width))


def test_every_state_has_its_own_mark_and_style_besides_colour() -> None:
    for glyphs in (UNICODE, ASCII):
        assert len(set(glyphs.marks.values())) == len(StepStatus)
        assert all(Content(mark).cell_length == 1 for mark in glyphs.marks.values())
    assert set(WORDS) == set(MARK_STYLES) == set(WORST_FIRST) == set(StepStatus)
    assert all(mark.isascii() for mark in ASCII.marks.values())


async def test_header_shows_place_and_clock() -> None:
    header = Header(
        safe("Deploy Practice Hub  v1.3.2 → v1.4.0"),
        "production",
        True,
        "dana@bastion",
        safe("Deployment, step 13 of 29 · 12:31 so far · about 1:38 h left"),
        safe("run 1123-k7f3"),
    )
    async with Stage([RunHeader(header, lambda: NOON)]).run_test(size=(80, 4)) as pilot:
        await shows(pilot, "12:14:08")
        assert frame(pilot.app).splitlines()[:2] == [
            " Deploy Practice Hub  v1.3.2 → v1.4.0      [PRODUCTION]  dana@bastion  12:14:08",
            " Deployment, step 13 of 29 · 12:31 so far · about 1:38 h left     run 1123-k7f3",
        ]
    assert badge("staging", protected=False).plain == "(staging)"


async def test_title_is_heavy_with_focus() -> None:
    title = PaneTitle("Steps", "3 of 9")
    async with Stage([title]).run_test(size=(30, 3)) as pilot:
        await shows(pilot, "─ Steps ───────────── 3 of 9 ─")
        title.focused(True)
        await shows(pilot, "━ Steps ━━━━━━━━━━━━━ 3 of 9 ━")


async def test_tabs_shorten_and_are_chosen_by_pointer() -> None:
    tabs = (("1", "Log", "Log"), ("3", "Evidence", "Evid."), ("4", "Notes", "Notes"))
    for width, expected in ((40, "[1 Log] 3 Evidence  4 Notes"), (26, "[1 Log] 3 Evid.  4 Notes")):
        async with Stage([TabRow(tabs, "1")]).run_test(size=(width, 3)) as pilot:
            await shows(pilot, expected)


async def test_keys_stand_in_whole_groups_and_leave_always() -> None:
    keys = tuple(Key(k, w) for k, w in [("d", "decide"), ("/", "search"), ("m", "note")])
    always = (Key("?", "help"), Key("q", "leave"))
    bar = KeyBar(keys, always)
    async with Stage([bar]).run_test(size=(42, 3)) as pilot:
        await shows(pilot, " d decide  / search       ? help  q leave")
        bar.say(safe("b is roll back; it works after d"))
        await shows(pilot, "b is roll back;", "q leave")
        bar.hush()
        await shows(pilot, "d decide")


LINES = (
    StepLine("p1", "Deployment", 0, StepStatus.RUNNING, "1/3", count="1/3"),
    StepLine("tag", "Create Git tag for the release", 1, StepStatus.SUCCEEDED, "0:01", parent="p1"),
    StepLine("both", "Checks, 2 at once", 1, StepStatus.RUNNING, "1/2", parent="p1"),
    StepLine("a", HOSTILE, 2, StepStatus.FAILED, "0:31", parent="both"),
    StepLine("p2", "After", 0, StepStatus.PENDING, "0/1"),
    StepLine("end", "Announce", 1, StepStatus.PENDING, "ask", parent="p2"),
)


async def test_tree_cuts_folds_and_moves() -> None:
    tree = StepTree()
    async with Stage([tree]).run_test(size=(28, 8)) as pilot:
        tree.show(LINES)
        tree.focus()
        await shows(pilot, "Announce")
        assert frame(pilot.app).splitlines()[:6] == [
            " ▸ Deployment            1/3",
            "   ✓ Create Git tag fo… 0:01",
            "   ▸ Checks, 2 at once   1/2",
            "     ✗ [@click=app.qui… 0:31",
            " ◦ After                 0/1",
            "   ◦ Announce            ask",
        ]
        await pilot.press("j", "j", "j")
        assert tree.current == "a"
        await pilot.press("h", "h")
        await until(pilot, lambda: "@click" not in frame(pilot.app))
        assert tree.current == "both"
        await pilot.press("g", "enter")
        await until(pilot, lambda: "Git tag" not in frame(pilot.app))
        tree.choose("a")
        await shows(pilot, "@click")
        assert tree.current == "a"
        await pilot.press("G")
        assert tree.current == "end"


async def test_tree_scrolls_the_current_line_into_view() -> None:
    tree = StepTree()
    many = [StepLine(f"s{n}", f"step {n}", 0, StepStatus.PENDING) for n in range(100)]
    async with Stage([tree]).run_test(size=(28, 5)) as pilot:
        tree.show(many)
        tree.focus()
        await pilot.press("G")
        await shows(pilot, "step 99")
        await pilot.press("pageup")
        await shows(pilot, "step 95")
        await pilot.press("g")
        await shows(pilot, "step 0")


async def test_failure_panel_shows_everything_inert() -> None:
    panel = FailurePanel()
    failure = Failure(
        HOSTILE,
        "exit 1 · 2 tries",
        found=(HOSTILE,),
        missing=("app-2: v1.3.2",),
        unclear=("whether users were drained",),
        last=("fine", "ERROR: " + HOSTILE),
        help="If it waits on a lock: find its holder.",
        contacts=(("DBA", "Kim Ode", "+44 20 7946 0018"),),
    )
    async with Stage([panel]).run_test(size=(70, 20)) as pilot:
        panel.show_failure(failure, UNICODE)
        await shows(pilot, "✗ " + INERT, "✗ ERROR: " + INERT, "Last lines, errors marked")
        await shows(
            pilot,
            "DBA  Kim Ode  +44 20 7946 0018",
            "Author's help",
            "not done  app-2",
            "What we could not find out",
        )
        assert frame(pilot.app).count(INERT) == 3


async def test_text_pane_wraps_with_indent_and_scrolls() -> None:
    pane = TextPane()
    async with Stage([pane]).run_test(size=(20, 4)) as pilot:
        long = Section((safe("Applies  one two three four five six"),), indent=9)
        pane.show([long, Section(tuple(safe(f"row {n}") for n in range(20)), safe("Rows"), "20")])
        pane.focus()
        await shows(pilot, " Applies  one two", "          three")
        await pilot.press("G")
        await shows(pilot, "row 19")
        await pilot.press("g")
        await shows(pilot, "Applies", "more rows below")


def test_a_long_word_stands_beside_its_label() -> None:
    line = safe("Image        " + "x" * 40)
    broken = section_rows(Section((line,), indent=13), 34, UNICODE)
    assert [row.plain for row in broken] == [
        " Image        " + "x" * 19,
        " " * 14 + "x" * 19,
        " " * 14 + "xx",
    ]
    (row,) = section_rows(Section((line,), indent=13, cut=True), 34, UNICODE)
    assert row.plain == " Image        " + "x" * 18 + "…"


async def test_chart_marks_the_limit_and_what_is_over_it() -> None:
    chart = MonitorChart()
    start = 1_795_867_200.0
    points = tuple((start + n, float(100 + 10 * n)) for n in range(30))
    async with Stage([chart]).run_test(size=(60, 14)) as pilot:
        chart.show((Measure("p95", "ms", points, 350, over=2, allowed=3),), (HOSTILE,))
        chart.focus()
        await shows(pilot, "p95         390 ms   limit 350 ms", "OVER, 2 of 3", "limit", INERT)
        assert any(bar in frame(pilot.app) for bar in "▅▆▇█")
        await pilot.press("h")
        await shows(pilot, "290 ms")
        await pilot.press("F")
        await shows(pilot, "390 ms")
    async with Stage([MonitorChart()], ascii_only=True).run_test(size=(60, 9)) as pilot:
        pilot.app.query_one(MonitorChart).show((Measure("p95", "ms", points, 350),), ())
        await shows(pilot, "limit 350 ms")
        assert frame(pilot.app).isascii()


async def test_parallel_shows_the_end_of_each_and_trouble_first() -> None:
    panes = ParallelPanes()
    opened: list[str] = []

    class Watches(Stage):
        def on_parallel_panes_opened(self, event: ParallelPanes.Opened) -> None:
            opened.append(event.step)

    parts = [
        Part("t", "Run all tests", StepStatus.SUCCEEDED, "2:10 done", ("x", "412 passed")),
        Part("y", HOSTILE, StepStatus.FAILED, "0:31 failed", (HOSTILE,)),
    ]
    async with Watches([panes]).run_test(size=(60, 7)) as pilot:
        panes.show(parts)
        panes.focus()
        await shows(pilot, "─ ✓ Run all tests ─", "412 passed", "2:10 done ─", INERT)
        await pilot.press("enter", "h", "enter")
        await until(pilot, lambda: opened == ["y", "t"])


async def test_parallel_stands_side_by_side_where_there_is_room() -> None:
    panes = ParallelPanes()
    parts = [
        Part("t", "Run all tests", StepStatus.SUCCEEDED, "2:10 done", ("412 passed",)),
        Part("y", HOSTILE, StepStatus.FAILED, "0:31 failed", (HOSTILE, "x" * 90)),
        Part("l", "Lint", StepStatus.RUNNING, "0:02", ("checking",)),
    ]
    async with Stage([panes]).run_test(size=(90, 9)) as pilot:
        panes.show(parts)
        await shows(pilot, "412 passed", "checking", INERT)
        rows = frame(pilot.app).splitlines()
        assert "Run all tests" in rows[0]
        assert "failed" in rows[0]
        assert "checking" in rows[5]
        assert all(row[44] == "│" for row in rows[:8])
        assert max(len(row) for row in rows) <= 90


async def test_plan_unfolds_to_what_was_found() -> None:
    table = PlanTable()
    lines = [
        PlanLine("tag", "Create Git tag", None, "v1.4.0 at 4f2a91c", "will create", "0:01"),
        PlanLine("b", "Build", StepStatus.SUCCEEDED, HOSTILE, "is there", "1:12", (HOSTILE,)),
    ]
    async with Stage([table]).run_test(size=(120, 6)) as pilot:
        table.show(lines)
        table.focus()
        await shows(pilot, "will create", "✓ Build", "is there")
        await pilot.press("j", "l")
        await until(pilot, lambda: frame(pilot.app).count(INERT) == 2)
        await pilot.press("h")
        await until(pilot, lambda: frame(pilot.app).count(INERT) == 1)


async def test_parameters_are_judged_while_typed() -> None:
    def check(value: str) -> str:
        return "" if value.startswith("v") else "begins with v"

    form = ParameterForm(
        [
            Parameter("version", "Release version", "", "release", check=check),
            Parameter("n", "N", "1"),
        ]
    )
    async with Stage([form]).run_test(size=(80, 5)) as pilot:
        await shows(pilot, "version", "begins with v", "✓ N")
        assert form.focus_first()
        await pilot.press("enter", *"v1")
        await shows(pilot, "✓ release")
        assert (form.values, form.problems) == ({"version": "v1", "n": "1"}, {})


async def test_evidence_keeps_drafts_and_misses_what_is_required() -> None:
    form = EvidenceForm()
    asked = (Recorded("pr", "Pull request"), Recorded("note", HOSTILE, required=False))
    async with Stage([form]).run_test(size=(70, 12)) as pilot:
        await form.show("review", asked)
        await shows(pilot, "Pull request   (required)", "(optional)", INERT)
        assert form.problem == "Pull request is missing: nothing was recorded."
        assert form.focus_first()
        await pilot.press(*"y 412")
        assert form.values == {"pr": "y 412", "note": ""}
        await form.show("other", ())
        await form.show("review", asked)
        assert form.values["pr"] == "y 412"
        assert form.problem == ""
