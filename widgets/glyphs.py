"""The symbols of the screen, in Unicode and in ASCII.

All are one cell wide and have no emoji form. `AsciiFilter` is the safety net below: it replaces
what is left (borders of stock widgets, scroll bars) cell by cell.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

from state.status import StepStatus


@dataclass(frozen=True, slots=True)
class Glyphs:
    """One set of symbols. `marks` are the states', `bars` the steps of a chart, low to high."""

    marks: Mapping[StepStatus, str]
    rule: str
    heavy: str
    bar: str
    joint: str
    limit: str
    ellipsis: str
    arrow: str
    dot: str
    more: str
    cursor: str
    dash: str
    arrows: str
    hit: tuple[str, str]
    bars: str
    ascii: bool


UNICODE = Glyphs(
    marks={
        StepStatus.PENDING: "◦",
        StepStatus.RUNNING: "▸",
        StepStatus.WAITING: "?",
        StepStatus.SUCCEEDED: "✓",
        StepStatus.FAILED: "✗",
        StepStatus.SKIPPED: "-",
        StepStatus.UNKNOWN: "!",
        StepStatus.INTERRUPTED: "~",
        StepStatus.UNDONE: "↶",
    },
    rule="─",
    heavy="━",
    bar="│",
    joint="┬",
    limit="┄",
    ellipsis="…",
    arrow="→",
    dot="·",
    more="»",
    cursor="▏",
    dash="–",
    arrows="←→↑↓",
    hit=("", ""),
    bars="▁▂▃▄▅▆▇█",
    ascii=False,
)

ASCII = Glyphs(
    marks={
        StepStatus.PENDING: ".",
        StepStatus.RUNNING: ">",
        StepStatus.WAITING: "?",
        StepStatus.SUCCEEDED: "+",
        StepStatus.FAILED: "X",
        StepStatus.SKIPPED: "-",
        StepStatus.UNKNOWN: "!",
        StepStatus.INTERRUPTED: "~",
        StepStatus.UNDONE: "<",
    },
    rule="-",
    heavy="=",
    bar="|",
    joint="+",
    limit="-",
    ellipsis="...",
    arrow="->",
    dot="|",
    more=">",
    cursor="_",
    dash="-",
    arrows="arrows",
    hit=(">", "<"),
    bars=".:-=+*#%",
    ascii=True,
)

MARK_STYLES: Mapping[StepStatus, str] = {
    StepStatus.PENDING: "$rb-muted dim",
    StepStatus.RUNNING: "bold $rb-run",
    StepStatus.WAITING: "bold reverse $rb-ask",
    StepStatus.SUCCEEDED: "$rb-ok",
    StepStatus.FAILED: "bold reverse $rb-bad",
    StepStatus.SKIPPED: "$rb-muted dim",
    StepStatus.UNKNOWN: "bold reverse $rb-unknown",
    StepStatus.INTERRUPTED: "bold $rb-ask",
    StepStatus.UNDONE: "$rb-ok",
}

WORDS: Mapping[StepStatus, str] = {
    StepStatus.PENDING: "not started",
    StepStatus.RUNNING: "running",
    StepStatus.WAITING: "waits for you",
    StepStatus.SUCCEEDED: "done",
    StepStatus.FAILED: "failed",
    StepStatus.SKIPPED: "skipped",
    StepStatus.UNKNOWN: "outcome unknown",
    StepStatus.INTERRUPTED: "interrupted",
    StepStatus.UNDONE: "undone",
}

WORST_FIRST = (
    StepStatus.UNKNOWN,
    StepStatus.FAILED,
    StepStatus.WAITING,
    StepStatus.INTERRUPTED,
    StepStatus.RUNNING,
    StepStatus.PENDING,
    StepStatus.SKIPPED,
    StepStatus.UNDONE,
    StepStatus.SUCCEEDED,
)
"""What a phase or group shows: the first of these that one of its children has."""

_CELLS = str.maketrans(
    {
        **dict.fromkeys("─┄┈╌–—▔▁", "-"),
        **dict.fromkeys("━═", "="),
        **dict.fromkeys("│┃┆┊▏▎▍▌▐▕·", "|"),
        **dict.fromkeys("┌┐└┘├┤┬┴┼┏┓┗┛┣┫┳┻╋╭╮╯╰▛▜▙▟▀▄", "+"),
        **dict.fromkeys("█▇▆▅▃▂", "#"),
        "◦": ".",
        "▸": ">",
        "✓": "+",
        "✗": "X",
        "↶": "<",
        "…": "~",
        "→": ">",
        "←": "<",
        "↑": "^",
        "↓": "v",
        "»": ">",
        "−": "-",
    }
)
_DRAWN = re.compile("[─-▟◦▸✓✗↶…→←↑↓»·–—−]")


class AsciiFilter(LineFilter):
    """Replaces drawing characters cell by cell, in what any widget painted."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """Return the segments without drawing characters; foreign letters stay."""
        return [
            Segment(text.translate(_CELLS), style, control) if _DRAWN.search(text) else segment
            for segment in segments
            for text, style, control in (segment,)
        ]
