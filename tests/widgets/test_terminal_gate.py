"""Nothing foreign reaches the terminal raw, even past widgets that do not call `safe`."""

from __future__ import annotations

import base64
import os
import pty
import re
import select
import subprocess
import sys
import time
from pathlib import Path

import pytest
from rich.segment import Segment
from textual.color import Color

from widgets.terminal_gate import REPLACEMENT, GatedDriver, InertFilter, gate

OWN = [
    "\x1b[?1049h",
    "\x1b[?25l",
    "\x1b[>25u",
    "\x1b[<u",
    "\x1b[?2026$p",
    "\x1b[12;40H",
    "\x1b[1;38;2;1;2;3;48;5;7m",
    "\x1b[0m",
    "\x1b]22;pointer\x07",
    "\x07",
    "a\r\n",
]
FOREIGN = [
    "\x1b]52;c;aGk=\x07",
    "\x1b]0;title\x07",
    "\x1b]8;;http://x\x1b\\",
    "\x1bP1$r\x1b\\",
    "\x1b_G\x1b\\",
    "\x1bc",
    "\x1b[5i",
    "\x1b[20t",
    "\x9b2J",
    "\x00",
    "\u202e",
]


@pytest.mark.parametrize("sequence", OWN)
def test_own_sequences_pass(sequence: str) -> None:
    assert gate(sequence) == sequence


@pytest.mark.parametrize("sequence", FOREIGN)
def test_foreign_sequences_do_not(sequence: str) -> None:
    passed = gate(f"a{sequence}b")
    assert sequence not in passed
    assert REPLACEMENT in passed


def test_filter_makes_painted_text_inert() -> None:
    painted = InertFilter().apply([Segment("ok"), Segment("a\x1b[2Jb\x9bc\u202e")], Color(0, 0, 0))
    assert [segment.text for segment in painted] == [
        "ok",
        f"a{REPLACEMENT}[2Jb{REPLACEMENT}c{REPLACEMENT}",
    ]


@pytest.mark.parametrize("sequence", ["\x1b[2J", "\x1b]0;a\x1b]52;c;x\x07", "\x1b]0;a\x07b", "x"])
def test_only_one_printable_osc_is_granted(sequence: str) -> None:
    with pytest.raises(ValueError, match="only one OSC"):
        GatedDriver.write_granted(GatedDriver.__new__(GatedDriver), sequence)


PROGRAM = """
import base64, sys
from textual.app import App
from textual.content import Content
from textual.widgets import (
    DataTable, Input, Label, Log, OptionList, RichLog, Static, TextArea
)
from widgets.terminal_gate import GatedDriver, InertFilter

NASTY = base64.b64decode(sys.argv[1]).decode()

class Careless(App[None]):
    def __init__(self):
        super().__init__(driver_class=GatedDriver)
        self._filters.append(InertFilter())
    def compose(self):
        bare = Content(NASTY, strip_control_codes=False)
        yield Static("LAST")
        yield Static(NASTY, markup=False)
        yield Label(bare)
        yield OptionList(bare)
        yield Input(NASTY)
        yield TextArea(NASTY)
        yield Log(); yield RichLog(); yield DataTable()
    def on_mount(self):
        self.query_one(Log).write_line(NASTY)
        self.query_one(RichLog).write(NASTY)
        table = self.query_one(DataTable)
        table.add_column("x"); table.add_row(NASTY)
        self.notify(NASTY, markup=False)
        self.call_after_refresh(self.call_after_refresh, self.exit)

Careless().run()
"""
SECRET_MARK = "Zq9"
NASTY = (
    f"\x1b]52;c;{SECRET_MARK}\x07\x1b]0;{SECRET_MARK}\x07\x9b31m\x1b[2;7H{SECRET_MARK}"
    f"\x1bP{SECRET_MARK}\x1b\\\u202e{SECRET_MARK}\x1b[6n\x1b[5i"
)


def test_terminal_sees_no_raw_sequence_of_foreign_text(tmp_path: Path) -> None:
    program = tmp_path / "careless.py"
    program.write_text(PROGRAM)
    captured = _run_in_terminal([sys.executable, str(program), _encoded(NASTY)])
    assert SECRET_MARK in captured
    assert "LAST" in captured
    for raw in (f"]52;c;{SECRET_MARK}\x07", f"\x1b]0;{SECRET_MARK}", f"\x1b[2;7H{SECRET_MARK}"):
        assert raw not in captured
    assert not re.search(r"[\x80-\x9f\u202e]|\x1bP|\x1b\[5i|\x1b\]52", captured)


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _run_in_terminal(command: list[str]) -> str:
    """Run a program in a pseudo-terminal of its own and return all that it wrote."""
    main, terminal = pty.openpty()
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "80", "LINES": "40"}
    environment["PYTHONPATH"] = str(Path(__file__).parents[2])
    process = subprocess.Popen(
        command, stdin=terminal, stdout=terminal, stderr=terminal, env=environment
    )
    os.close(terminal)
    captured = b""
    deadline = time.monotonic() + 60
    try:
        while time.monotonic() < deadline:
            if select.select([main], [], [], 0.1)[0]:
                try:
                    chunk = os.read(main, 65536)
                except OSError:
                    break
                if not chunk:
                    break
                captured += chunk
        assert process.wait(timeout=30) == 0
    finally:
        process.kill()
        process.wait()
        os.close(main)
    return captured.decode("utf-8", "replace")
