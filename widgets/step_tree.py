"""The checklist: phases, groups and steps with mark, name and time; folds, scrolls, chooses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message

from state.status import StepStatus
from widgets.glyphs import MARK_STYLES
from widgets.rows import Painted, Row, cut, glyphs_of, text
from widgets.safe import safe


@dataclass(frozen=True, slots=True)
class StepLine:
    """One line: `level` 0 is a phase. `right` stands at 80 columns, the others from 140 on."""

    id: str
    name: str
    level: int
    status: StepStatus
    right: str = ""
    ref: str = ""
    took: str = ""
    usual: str = ""
    count: str = ""
    parent: str | None = None
    folded: bool = False
    """Whether what is under it is hidden at first."""


class StepTree(Painted, can_focus=True):
    """The lines of a run; the chosen one is what the other pane shows."""

    DEFAULT_CSS = "StepTree { height: 1fr; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,j", "move(1)", show=False),
        Binding("up,k", "move(-1)", show=False),
        Binding("pagedown,space", "page(1)", show=False),
        Binding("pageup", "page(-1)", show=False),
        Binding("ctrl+d", "page(0.5)", show=False),
        Binding("ctrl+u", "page(-0.5)", show=False),
        Binding("g,home", "end(-1)", show=False),
        Binding("G,end", "end(1)", show=False),
        Binding("left,h", "fold", show=False),
        Binding("right,l", "unfold", show=False),
        Binding("enter", "open", show=False),
    ]

    class Chosen(Message):
        """The operator made another line the current one."""

        def __init__(self, step: str) -> None:
            super().__init__()
            self.step = step

    class Opened(Message):
        """Enter on a step: its log wants the focus."""

        def __init__(self, step: str) -> None:
            super().__init__()
            self.step = step

    def __init__(self) -> None:
        super().__init__()
        self._lines: tuple[StepLine, ...] = ()
        self._shown: list[StepLine] = []
        self._folded: dict[str, bool] = {}
        self._by_hand: set[str] = set()
        self._current = ""
        self._top = 0

    @property
    def current(self) -> str:
        """The id of the current line."""
        return self._current

    def show(self, lines: Sequence[StepLine]) -> None:
        """Show these lines; the current one and the folds stay."""
        if tuple(lines) == self._lines:
            return
        self._lines = tuple(lines)
        for line in self._lines:
            if line.level == 0 or line.folded:
                self._folded.setdefault(line.id, line.folded)
        self._arrange()

    def fold(self, id_: str, folded: bool) -> None:
        """Fold or unfold a line that has children, by hand: it stays so."""
        self._by_hand.add(id_)
        if self._folded.get(id_) != folded:
            self._folded[id_] = folded
            self._arrange()

    def fit(self, wanted: str) -> None:
        """Fold the phases that do not hold `wanted`, if all lines together do not fit.

        What is folded at first is so whenever it does not hold `wanted`.
        """
        by_id = {line.id: line for line in self._lines}
        holding: set[str] = set()
        line = by_id.get(wanted)
        while line is not None:
            holding.add(line.id)
            line = by_id.get(line.parent or "")
        fits = self._unfolded() <= max(self.size.height, 1)
        changed = False
        for each in self._lines:
            if each.id in self._by_hand or not (each.level == 0 or each.folded):
                continue
            folded = each.id not in holding and (each.folded or not fits)
            if self._folded.get(each.id) != folded:
                self._folded[each.id] = folded
                changed = True
        if changed:
            self._arrange()

    def _unfolded(self) -> int:
        """Return how many lines there are without those that are hidden at first."""
        hiding: set[str] = set()
        count = 0
        for line in self._lines:
            if line.parent in hiding:
                hiding.add(line.id)
                continue
            count += 1
            if line.folded:
                hiding.add(line.id)
        return count

    def choose(self, id_: str) -> None:
        """Make a line the current one, unfolding what hides it. Tells nobody: see `Chosen`."""
        by_id = {line.id: line for line in self._lines}
        parent = by_id[id_].parent if id_ in by_id else None
        while parent:
            self._folded[parent] = False
            parent = by_id[parent].parent
        if id_ in by_id and id_ != self._current:
            self._current = id_
            self._arrange()

    def _arrange(self) -> None:
        hidden: set[str] = set()
        self._shown = []
        for line in self._lines:
            if line.parent in hidden:
                hidden.add(line.id)
                continue
            self._shown.append(line)
            if self._folded.get(line.id):
                hidden.add(line.id)
        if self._current in hidden:
            self._current = self._parent_shown(self._current)
        if self._shown and self._current not in {line.id for line in self._shown}:
            self._current = self._shown[0].id
        self.repaint()

    def _parent_shown(self, id_: str) -> str:
        by_id = {line.id: line for line in self._lines}
        shown = {line.id for line in self._shown}
        line: StepLine | None = by_id.get(id_)
        while line is not None and line.id not in shown:
            line = by_id.get(line.parent or "")
        return line.id if line else ""

    def _place(self) -> int:
        return next((i for i, line in enumerate(self._shown) if line.id == self._current), 0)

    def rows(self, width: int, height: int) -> list[Row]:
        """Return the visible lines, the current one always among them."""
        place = self._place()
        last_top = max(0, len(self._shown) - height)
        self._top = min(max(self._top, place - height + 1, 0), place, last_top)
        return [self._row(line, width) for line in self._shown[self._top : self._top + height]]

    def _row(self, line: StepLine, width: int) -> Row:
        glyphs = glyphs_of(self)
        mark = glyphs.marks[line.status]
        lead = text(" " * (1 + 2 * line.level), (mark, MARK_STYLES[line.status]), " ")
        wide = width >= 44
        name = safe(f"{line.ref}  {line.name}" if wide and line.ref else line.name)
        tail = self._wide_tail(line) if wide else text(line.right)
        room = width - lead.cell_length - tail.cell_length - (1 if tail.plain else 0)
        name = cut(name, max(room, 1), glyphs)
        blank = max(0, width - lead.cell_length - name.cell_length - tail.cell_length)
        body = lead + name + text(" " * blank) + tail
        bold = line.status is StepStatus.RUNNING
        if line.id == self._current:
            style = "on $rb-select"
            return Row(body, f"{style} bold" if bold else style)
        return Row(body, "bold" if bold else "")

    @staticmethod
    def _wide_tail(line: StepLine) -> Content:
        count = f"{line.count:>6} " if line.count else ""
        return text(f"{count}{line.took:>6} {line.usual:>7}")

    def _go(self, place: int) -> None:
        if self._shown:
            line = self._shown[min(max(place, 0), len(self._shown) - 1)]
            if line.id != self._current:
                self._current = line.id
                self.repaint()
                self.post_message(self.Chosen(line.id))

    def action_move(self, lines: int) -> None:
        """Go up or down."""
        self._go(self._place() + lines)

    def action_page(self, pages: float) -> None:
        """Go up or down by screens."""
        self._go(self._place() + int(pages * max(1, self.size.height - 1)))

    def action_end(self, end: int) -> None:
        """Go to the first or last line."""
        self._go(0 if end < 0 else len(self._shown) - 1)

    def _has_children(self, id_: str) -> bool:
        return any(line.parent == id_ for line in self._lines)

    def action_fold(self) -> None:
        """Fold the current line, or go to its parent."""
        current = next((line for line in self._shown if line.id == self._current), None)
        if current is None:
            return
        if self._has_children(current.id) and not self._folded.get(current.id):
            self.fold(current.id, True)
        elif current.parent:
            self._go(next(i for i, line in enumerate(self._shown) if line.id == current.parent))

    def action_unfold(self) -> None:
        """Unfold the current line, or go to its first child."""
        if not self._has_children(self._current):
            return
        if self._folded.get(self._current):
            self.fold(self._current, False)
        else:
            self._go(self._place() + 1)

    def action_open(self) -> None:
        """Fold or unfold a phase; open a step."""
        current = next((line for line in self._shown if line.id == self._current), None)
        if current is None:
            return
        if current.level == 0 and self._has_children(current.id):
            self.fold(current.id, not self._folded.get(current.id, False))
        else:
            self.post_message(self.Opened(current.id))

    def on_click(self, event: events.Click) -> None:
        """Go to the line under the pointer."""
        self._go(self._top + event.y)
