"""The second gate: nothing reaches the terminal but the sequences that Textual itself uses.

`InertFilter` makes the text of every painted segment harmless, whatever widget it came from;
`GatedDriver` passes only known sequences, at the last write before the terminal. Foreign text
passes `safe()` first: what is replaced here is a fault elsewhere, but it stays harmless.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rich.segment import Segment
from textual.color import Color
from textual.drivers.linux_driver import LinuxDriver
from textual.filter import LineFilter

from widgets.safe import UNSEEN

if TYPE_CHECKING:
    from textual.driver import Driver

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"

_IN_TEXT = re.compile(rf"[\x00-\x1f\x7f-\x9f{UNSEEN}\ud800-\udfff]")
_OWN = (
    r"\[[0-9;:]*m"  # colours and attributes
    r"|\[[0-9;]*[HJKABCD]"  # cursor and clearing
    r"|\[\?[0-9;]+[hl]|\[\?[0-9;]+\$p"  # modes, and asking for them
    r"|\[[<>=][0-9;]*u|\[\?u"  # keyboard protocol
    r"|\[6n|\[c|\[>q|\[>0q"  # questions to the terminal
    r"|\]22;[a-z-]*\x07"  # shape of the mouse pointer
)
_FOREIGN = re.compile(
    rf"\x1b(?!{_OWN})|[\x00-\x06\x0e-\x1a\x1c-\x1f\x7f-\x9f{UNSEEN}\ud800-\udfff]"
)
_GRANTABLE = re.compile(r"\x1b\][0-9]+;[^\x00-\x1f\x7f-\x9f]*(?:\x07|\x1b\\)")


class InertFilter(LineFilter):
    """Replaces control characters in the text of painted segments."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """Return the segments, their text without anything that acts on a terminal."""
        return [
            Segment(_IN_TEXT.sub(REPLACEMENT, text), style)
            if not control and _IN_TEXT.search(text)
            else segment
            for segment in segments
            for text, style, control in (segment,)
        ]


def gate(data: str) -> str:
    """Return `data` with every sequence replaced that is not one of the screen's own."""
    return _FOREIGN.sub(REPLACEMENT, data)


class GatedDriver(LinuxDriver):
    """Textual's driver behind the gate."""

    def write(self, data: str) -> None:
        """Write to the terminal what the gate lets through."""
        super().write(gate(data))

    def write_granted(self, sequence: str) -> None:
        """Write one OSC sequence that the program made on purpose: title, clipboard, notice.

        Raises ValueError when it is not exactly one such sequence with printable text.
        """
        if not _GRANTABLE.fullmatch(sequence):
            raise ValueError("only one OSC sequence with printable text may be granted")
        super().write(sequence)


def grant(driver: Driver | None, sequence: str) -> None:
    """Write `sequence` if the driver is the gated one; elsewhere (tests, web) do nothing."""
    if isinstance(driver, GatedDriver):
        driver.write_granted(sequence)
