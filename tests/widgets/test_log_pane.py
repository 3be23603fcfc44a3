"""The log pane by keys: follow, hold, search, filter, errors, times, copy, and hostile output."""

from __future__ import annotations

import struct
from pathlib import Path

from textual.pilot import Pilot

from tests.harness.screen import Stage, frame, shows, until
from widgets.log_pane import LogPane
from widgets.log_view import LogView


def stage(pane: LogPane, *, ascii_only: bool = False) -> Stage:
    return Stage([pane], ascii_only=ascii_only)


def write(path: Path, lines: list[str]) -> Path:
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


async def opened(pilot: Pilot[None], path: Path, times: Path | None = None) -> LogPane:
    pane = pilot.app.query_one(LogPane)
    pane.open_log(path, times)
    pane.view.focus()
    lines = pane.view.lines
    await until(pilot, lambda: lines.count.covered == lines.file.size() == lines.errors.covered)
    return pane


async def test_follows_the_end_and_is_held_by_scrolling(tmp_path: Path) -> None:
    path = write(tmp_path / "log", [f"line {number}" for number in range(1, 101)])
    async with stage(LogPane()).run_test(size=(60, 12)) as pilot:
        await opened(pilot, path)
        await shows(pilot, "line 100", "100 lines · follows the end", "no errors marked")
        await pilot.press("k", "k")
        await shows(pilot, "line 98", "held at line 88 of 100 · 0 new", "F follow")
        with path.open("a") as log:
            log.write("line 101\nline 102\n")
        await shows(pilot, "held at line 88 of 102 · 2 new")
        assert "line 101" not in frame(pilot.app)
        await pilot.press("g")
        await shows(pilot, "held at line 1 of 102")
        await pilot.press("pagedown", "j", "ctrl+d")
        await shows(pilot, "held at line 17 of 102")
        await pilot.press("F")
        await shows(pilot, "line 102", "102 lines · follows the end")


async def test_search_goes_over_the_whole_file(tmp_path: Path) -> None:
    lines = [f"row {number}" for number in range(5000)]
    lines[10] = lines[4000] = "a Needle here"
    path = write(tmp_path / "log", lines)
    async with stage(LogPane()).run_test(size=(80, 12)) as pilot:
        await opened(pilot, path)
        await pilot.press("g", "slash", *"needle", "enter")
        await shows(pilot, "a Needle here", "hit 1 of 2 (all read)", "Find")
        await pilot.press("n")
        await shows(pilot, "hit 2 of 2", "held at line 4001 of 5000")
        await pilot.press("N")
        await shows(pilot, "hit 1 of 2", "held at line 11 of 5000")
        await pilot.press("slash", "escape")
        await until(pilot, lambda: "hit" not in frame(pilot.app))


async def test_another_log_leaves_open_what_is_being_typed(tmp_path: Path) -> None:
    """The key that opens the search may be faster than the log of the step chosen before it."""
    path = write(tmp_path / "log", ["one"])
    async with stage(LogPane()).run_test(size=(80, 12)) as pilot:
        pane = await opened(pilot, path)
        await pilot.press("slash")
        pane.open_log(write(tmp_path / "other", ["two needle"]))
        await pilot.press(*"needle", "enter")
        await shows(pilot, "two needle", "hit 1 of 1 (all read)", "Find")


async def test_a_wrong_expression_says_so_and_stays_open(tmp_path: Path) -> None:
    path = write(tmp_path / "log", ["x"])
    async with stage(LogPane()).run_test(size=(80, 12)) as pilot:
        pane = await opened(pilot, path)
        await pilot.press("slash", "left_parenthesis", "enter")
        await shows(pilot, "missing )")
        assert pane.typing


async def test_filter_shows_matching_lines_only(tmp_path: Path) -> None:
    path = write(
        tmp_path / "log", [f"{'lock' if n % 100 == 7 else 'row'} {n}" for n in range(1000)]
    )
    async with stage(LogPane()).run_test(size=(80, 14)) as pilot:
        await opened(pilot, path)
        await pilot.press("ampersand", *"lock", "enter")
        await shows(pilot, "lock 7", "lock 907", "Only lines with  lock  · 10 of 1000", "& change")
        assert "row" not in frame(pilot.app)
        await pilot.press("ampersand", *["backspace"] * 4, "enter")
        await shows(pilot, "row 999")


async def test_error_marks_are_walked(tmp_path: Path) -> None:
    lines = [f"fine {n}" for n in range(300)]
    lines[50], lines[200] = "ERROR: no", "panic: yes"
    path = write(tmp_path / "log", lines)
    async with stage(LogPane()).run_test(size=(80, 12)) as pilot:
        await opened(pilot, path)
        await shows(pilot, "2 marked · e next")
        await pilot.press("E")
        await shows(pilot, "✗panic: yes")
        await pilot.press("E")
        await shows(pilot, "✗ERROR: no", "held at line 51 of 300")
        await pilot.press("e")
        await shows(pilot, "✗panic: yes", "held at line 201 of 300")


async def test_times_relative_off_and_going_to_one(tmp_path: Path) -> None:
    path = write(tmp_path / "log", [f"row {n}" for n in range(100)])
    starts = [sum(len(f"row {m}\n") for m in range(n)) for n in range(100)]
    noon = 1_795_867_200_000
    (tmp_path / "times").write_bytes(
        b"".join(struct.pack("<QQ", start, noon + n * 1000) for n, start in enumerate(starts))
    )
    async with stage(LogPane()).run_test(size=(80, 12)) as pilot:
        await opened(pilot, path, tmp_path / "times")
        await shows(pilot, "12:01:39 row 99")
        await pilot.press("i")
        await shows(pilot, "+1:39 row 99")
        await pilot.press("i")
        await until(pilot, lambda: "1:39" not in frame(pilot.app))
        await pilot.press("i", "at", *"12:00:30", "enter")
        await shows(pilot, "held at line 31 of 100", "12:00:30 row 30")
        await pilot.press("at", *"x", "enter")
        await shows(pilot, "a time is HH:MM")


async def test_long_lines_are_cut_wrapped_and_moved_sideways(tmp_path: Path) -> None:
    path = write(tmp_path / "log", ["start " + "word " * 30 + "end", '{"a": [1, 2]}'])
    async with stage(LogPane()).run_test(size=(40, 20)) as pilot:
        await opened(pilot, path)
        await shows(pilot, "»")
        await pilot.press("w")
        await shows(pilot, "\n end")
        await pilot.press("w", "l")
        await until(pilot, lambda: "start" not in frame(pilot.app))
        await pilot.press("h", "J")
        await shows(pilot, '"a": [', "    1,")


async def test_copy_takes_one_line_then_a_stretch(tmp_path: Path) -> None:
    path = write(tmp_path / "log", [f"row {n}\x1b[2J" for n in range(100)])
    copied: list[LogView.Copied] = []

    class Keeps(Stage):
        def on_log_view_copied(self, event: LogView.Copied) -> None:
            copied.append(event)

    async with Keeps([LogPane()]).run_test(size=(80, 12)) as pilot:
        await opened(pilot, path)
        await pilot.press("g", "c")
        await until(pilot, lambda: len(copied) == 1)
        await pilot.press("j", "j", "c")
        await until(pilot, lambda: len(copied) == 2)
    assert copied[0].copied == "row 0^[[2J\n"
    assert copied[1].copied == "row 0^[[2J\nrow 1^[[2J\nrow 2^[[2J\n"


async def test_hostile_output_is_text_and_colours_are_colours(tmp_path: Path) -> None:
    path = write(
        tmp_path / "log",
        [
            "[@click=app.quit]x[/] [/bin/sh]",
            "\x1b]52;c;aGk=\x07",
            "\x1b[31mred\x1b[0m",
            "\u202eevil",
        ],
    )
    async with stage(LogPane()).run_test(size=(80, 12)) as pilot:
        await opened(pilot, path)
        await shows(pilot, "[@click=app.quit]x[/] [/bin/sh]", "^[]52;c;aGk=^G", "<U+202E>evil")
        await pilot.click(LogView, offset=(5, 0))
        await pilot.pause()
        assert pilot.app.is_running


async def test_ascii_marks_hits_without_colour(tmp_path: Path) -> None:
    path = write(tmp_path / "log", ["an error and more text"])
    async with stage(LogPane(), ascii_only=True).run_test(size=(30, 8)) as pilot:
        await opened(pilot, path)
        await pilot.press("slash", *"and", "enter")
        await shows(pilot, "Xan error >and< more text")
        assert frame(pilot.app).isascii()
