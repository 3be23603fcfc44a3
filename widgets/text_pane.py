"""Titled sections of text that scroll: plans, evidence, notes, help, what was found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.geometry import Size
from textual.message import Message

from widgets.glyphs import Glyphs
from widgets.rows import EMPTY, Painted, Row, crop, cut, glyphs_of, rule, text, wrap


@dataclass(frozen=True, slots=True)
class Section:
    """Lines under a title rule (none when the title is empty). `indent` is for wrapped rows.

    `keep` is the most rows that are shown; the title then says how many more there are. A word
    that is longer than a row is broken, or with `cut` ends in an ellipsis.
    """

    lines: tuple[Content, ...]
    title: Content = EMPTY
    right: str = ""
    indent: int = 0
    keep: int = 0
    cut: bool = False


def section_rows(section: Section, width: int, glyphs: Glyphs, margin: int = 1) -> list[Content]:
    """Return the rows of one section in `width` cells."""
    rows: list[Content] = []
    for line in section.lines:
        first, rest = _first_row(section, line, width - 2 * margin, glyphs)
        rows.append(text(" " * margin) + first)
        if rest.plain.strip():
            lead = " " * (margin + section.indent)
            inner = width - 2 * margin - section.indent
            rows.extend(text(lead) + part for part in wrap(_stripped(rest), inner))
    right = section.right
    if section.keep and len(rows) > section.keep:
        right = f"{len(rows) - section.keep} more"
        rows = rows[: section.keep]
    if section.title.plain:
        title = section.title.stylize_before("bold")
        rows.insert(0, rule(title, text((right, "$rb-muted")), width, glyphs))
    return [crop(row, width) for row in rows]


def _first_row(
    section: Section, line: Content, width: int, glyphs: Glyphs
) -> tuple[Content, Content]:
    """Return what of a line stands in its first row, and the rest; no label stands there alone."""
    first = wrap(line, width)[0]
    alone = line.cell_length > width and len(first.plain.rstrip()) < section.indent
    if alone and section.cut and " " not in line.plain[section.indent :]:
        return cut(line, width, glyphs), EMPTY
    if alone:
        first = crop(line, width)
    return first, line[len(first.plain) :]


def _stripped(content: Content) -> Content:
    blank = len(content.plain) - len(content.plain.lstrip())
    return content[blank:] if blank else content


class TextPane(Painted, can_focus=True):
    """Sections, one below the other; scrolls by the usual keys."""

    DEFAULT_CSS = "TextPane { height: 1fr; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,j", "scroll(1)", show=False),
        Binding("up,k", "scroll(-1)", show=False),
        Binding("pagedown,space", "page(1)", show=False),
        Binding("pageup", "page(-1)", show=False),
        Binding("ctrl+d", "page(0.5)", show=False),
        Binding("ctrl+u", "page(-0.5)", show=False),
        Binding("g,home", "end(-1)", show=False),
        Binding("G,end", "end(1)", show=False),
        Binding("enter", "open", show=False),
    ]

    class Opened(Message):
        """Enter was pressed here."""

    def __init__(self, *, id: str | None = None, margin: int = 1) -> None:  # noqa: A002
        super().__init__(id=id)
        self._sections: tuple[Section, ...] = ()
        self._margin = margin
        self._top = 0
        self._count = 0

    def show(self, sections: Sequence[Section]) -> None:
        """Show other sections; the place stays as far as it can."""
        if tuple(sections) != self._sections:
            self._sections = tuple(sections)
            self.repaint()
            if self.styles.is_auto_height:
                self.refresh(layout=True)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """Return the rows that all sections need, for panes that are as high as their text."""
        return len(self.all_rows(width))

    def all_rows(self, width: int) -> list[Content]:
        """Return all rows for this width."""
        glyphs = glyphs_of(self)
        return [
            row
            for section in self._sections
            for row in section_rows(section, width, glyphs, self._margin)
        ]

    def rows(self, width: int, height: int) -> list[Row]:
        """Return the visible rows."""
        rows = self.all_rows(width)
        self._count = len(rows)
        self._top = max(0, min(self._top, len(rows) - height))
        shown = [Row(row) for row in rows[self._top : self._top + height]]
        if len(rows) > self._top + height and shown:
            left = len(rows) - self._top - height + 1
            shown[-1] = Row(text((f" {left} more rows below", "$rb-muted")))
        return shown

    def action_scroll(self, rows: int) -> None:
        """Move by rows."""
        self._top = max(0, min(self._top + rows, self._count - self.size.height))
        self.repaint()

    def action_page(self, pages: float) -> None:
        """Move by screens."""
        self.action_scroll(int(pages * max(1, self.size.height - 1)))

    def action_end(self, end: int) -> None:
        """Go to the top or the end."""
        self.action_scroll(end * self._count)

    def action_open(self) -> None:
        """Tell that enter was pressed."""
        self.post_message(self.Opened())
