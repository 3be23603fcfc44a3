"""The title rule of a pane: light, or heavy while the pane has the focus."""

from __future__ import annotations

from textual.content import Content

from widgets.rows import Painted, Row, glyphs_of, rule, text


class PaneTitle(Painted):
    """One row: rule, title, and a muted right part."""

    def __init__(
        self,
        title: Content | str = "",
        right: str = "",
        *,
        id: str | None = None,  # noqa: A002
    ) -> None:
        super().__init__(id=id)
        self._title = text(title)
        self._right = text(right)
        self._heavy = False
        self._style = "bold"

    def show(self, title: Content, right: Content | str = "") -> None:
        """Show another title."""
        tail = text(right)
        if not (title.is_same(self._title) and tail.is_same(self._right)):
            self._title, self._right = title, tail
            self.repaint()

    def focused(self, heavy: bool) -> None:
        """Draw the rule heavy or light."""
        if heavy != self._heavy:
            self._heavy = heavy
            self.repaint()

    def rows(self, width: int, height: int) -> list[Row]:
        """Return the rule."""
        title = self._title.stylize_before(self._style)
        right = self._right.stylize_before("$rb-muted")
        return [Row(rule(title, right, width, glyphs_of(self), heavy=self._heavy))]


class Divider(Painted):
    """The upright line between two panes; it joins their title rules."""

    DEFAULT_CSS = "Divider { width: 1; height: 1fr; color: $rb-border; }"

    def rows(self, width: int, height: int) -> list[Row]:
        """Return the line."""
        glyphs = glyphs_of(self)
        bars = [Row(text(glyphs.bar))] * max(0, height - 1)
        return [Row(text(glyphs.joint)), *bars]
