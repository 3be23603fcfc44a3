"""The words of the decision bar: its title rule, the lines below it, the label of its field."""

from __future__ import annotations

from textual.content import Content

from widgets.rows import EMPTY, Painted, Row, glyphs_of, rule, spread, text, wrap

MOST_LINES = 3
"""Lines of explanation under a question."""


class BarText(Painted):
    """The title rule of the bar and the lines below it."""

    def __init__(self) -> None:
        super().__init__()
        self.title = EMPTY
        self.lines: list[tuple[Content, Content]] = []
        self.cut: list[Content] = []
        self.mark = ""
        self.heavy = False
        self.right = EMPTY

    def set_height(self, width: int) -> None:
        """Take the rows that the lines need at this width."""
        self.styles.height = 1 + len(self._wrapped(width))
        self.repaint()

    def _wrapped(self, width: int) -> list[tuple[Content, Content]]:
        wrapped: list[tuple[Content, Content]] = []
        for left, right in self.lines:
            room = width - 2 - (right.cell_length + 2 if right.plain else 0)
            parts = wrap(left, max(room, 20))
            wrapped.extend(
                (part, right if not place else EMPTY) for place, part in enumerate(parts)
            )
        wrapped = wrapped[: max(MOST_LINES, len(self.lines))]
        room = max(0, MOST_LINES - len(wrapped))
        return [*((row, EMPTY) for row in self.cut[:room]), *wrapped]

    def rows(self, width: int, height: int) -> list[Row]:
        """Return rule and lines."""
        glyphs = glyphs_of(self)
        mark = text((self.mark, "bold reverse $rb-ask"), " ") if self.mark else EMPTY
        title = mark + self.title.stylize_before("bold")
        colour = "$rb-ask" if self.heavy else ""
        rows = [Row(rule(title, self.right, width, glyphs, heavy=self.heavy, colour=colour))]
        for left, right in self._wrapped(width):
            tail = right + text(" ") if right.plain else right
            rows.append(Row(spread(text(" ") + left, tail, width, glyphs, gap=2)))
        return rows


class Label(Painted):
    """The words before a field, or below it."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self.content = EMPTY

    def show(self, content: Content) -> None:
        """Show other words."""
        self.content = content
        self.repaint()

    def rows(self, width: int, height: int) -> list[Row]:
        """Return the words."""
        return [Row(self.content)]
