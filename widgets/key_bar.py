"""The last row: keys that work here, whole groups by priority; help and leaving always."""

from __future__ import annotations

from dataclasses import dataclass

from textual.content import Content

from widgets.rows import Painted, Row, cut, glyphs_of, spread, text


@dataclass(frozen=True, slots=True)
class Key:
    """One key (or several) and what it does here, in a word or two; without keys, only words."""

    keys: str
    does: str
    marked: bool = False
    """Drawn reverse: a question waits for this key."""


class KeyBar(Painted):
    """The key row. `keys` stand on the left, the first ones first; `always` on the right."""

    DEFAULT_CSS = "KeyBar { height: 1; dock: bottom; background: $rb-surface; }"

    def __init__(self, keys: tuple[Key, ...] = (), always: tuple[Key, ...] = ()) -> None:
        super().__init__()
        self._keys = keys
        self._always = always
        self._saying: Content | None = None

    def show(self, keys: tuple[Key, ...], always: tuple[Key, ...]) -> None:
        """Show other keys; what was said goes when they are others."""
        if (keys, always) != (self._keys, self._always):
            self._keys, self._always, self._saying = keys, always, None
            self.repaint()

    def say(self, words: Content) -> None:
        """Say something in place of the keys until they change or another key is pressed."""
        self._saying = words
        self.repaint()

    def hush(self) -> None:
        """Show the keys again."""
        if self._saying is not None:
            self._saying = None
            self.repaint()

    def rows(self, width: int, height: int) -> list[Row]:
        """Return the row: as many whole groups as fit."""
        always = self._fitting(self._always, width, from_end=True)
        right = text("  ").join(_drawn(key) for key in always) + text(" ")
        if self._saying is not None:
            return [Row(spread(text(" ") + self._saying, right, width, glyphs_of(self)))]
        left = self._fitting(self._keys, width - right.cell_length - 2)
        content = text(" ") + text("  ").join(_drawn(key) for key in left)
        return [Row(cut(spread(content, right, width, glyphs_of(self)), width))]

    @staticmethod
    def _fitting(keys: tuple[Key, ...], width: int, *, from_end: bool = False) -> tuple[Key, ...]:
        used, fitting = 1, []
        for key in reversed(keys) if from_end else keys:
            used += _drawn(key).cell_length + 2
            if used - 2 > width:
                break
            fitting.append(key)
        return tuple(reversed(fitting) if from_end else fitting)


def _drawn(key: Key) -> Content:
    if not key.keys:
        return text(key.does)
    style = "bold reverse $rb-ask" if key.marked else "bold $rb-run"
    return text((key.keys, style), f" {key.does}" if key.does else "")
