"""Dialogs: a box over the screen below; the safe choice has the focus."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen

from runbook_tui.ui.backend import Driven
from runbook_tui.ui.clock import local
from runbook_tui.ui.keys import ACT, LOOK, Acts, Rows
from widgets.choices import Choice, Choices
from widgets.rows import Painted, Row, crop, glyphs_of, text, wrap
from widgets.safe import safe


class Box(Painted):
    """The lines of a dialog."""

    def __init__(self, lines: Sequence[Content], width: int, borders: int = 0) -> None:
        super().__init__()
        self._lines = tuple(lines)
        self._width = width
        self._borders = borders

    def on_mount(self) -> None:
        """Be as high as the lines."""
        rows = sum(len(wrap(line, self._width)) for line in self._lines)
        self.styles.height = rows + self._borders

    def rows(self, width: int, height: int) -> list[Row]:
        """Return the lines, wrapped."""
        return [Row(crop(part, width)) for line in self._lines for part in wrap(line, width)]


class ListedChoices(Choices):
    """Choices one below the other."""

    @staticmethod
    def rows_for(choices: tuple[Choice, ...], width: int) -> int:
        """One row a choice."""
        return len(choices)

    def rows(self, width: int, height: int) -> list[Row]:
        """Return one row a choice."""
        return [Row(crop(self._cell(place), width)) for place in range(len(self._choices))]

    def action_row(self, rows: int) -> None:
        """Mark the choice below or above."""
        place = self._marked + rows
        if 0 <= place < len(self._choices):
            self._marked = place
            self.repaint()


class Dialog(ModalScreen[str]):
    """A question in a box; returns the value of the choice, empty for the safe one."""

    DEFAULT_CSS = """
    Dialog { align: center middle; background: $rb-background 40%; }
    Dialog > Vertical {
        width: 58; height: auto; padding: 1 1 0 1;
        border: heavy $rb-focus; background: $rb-surface; color: $rb-foreground;
        border-title-color: $rb-foreground; border-title-style: bold;
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("q", "stay", show=False)]

    def __init__(
        self,
        title: Content,
        lines: Sequence[Content],
        choices: tuple[Choice, ...],
        below: Sequence[Content] = (),
    ) -> None:
        """`lines` stand above the choices, `below` under them."""
        super().__init__()
        self._below = below
        self._heading = title
        self._lines = lines
        self._offered = choices
        self._choices = ListedChoices()

    def compose(self) -> ComposeResult:
        """The lines above the choices."""
        with Vertical() as box:
            box.border_title = self._heading
            yield Box((*self._lines, text()), 54)
            yield self._choices
            if self._below:
                yield Box((text(), *self._below), 54)

    def on_mount(self) -> None:
        """Put the focus on the safe choice."""
        self._choices.show(self._offered)
        self._choices.focus()

    def on_choices_taken(self, event: Choices.Taken) -> None:
        """Return the choice."""
        event.stop()
        self.dismiss(event.choice.value)

    def on_choices_left(self, event: Choices.Left) -> None:
        """Escape is the safe choice."""
        event.stop()
        self.dismiss("")

    def action_stay(self) -> None:
        """The leaving key pressed again stays: it confirms nothing."""
        self.dismiss("")


def leave_dialog(run: str, running: Sequence[str], coming: str) -> Dialog:
    """Ask whether to leave a run that this session drives."""
    if running:
        words = f"{', '.join(running)} goes on without you; its log is kept."
        lines = [safe(words), text("After it, the run waits: nothing new starts.")]
    else:
        waits = f"The run waits at {coming}. " if coming else "The run waits. "
        lines = [safe(waits + "Nothing goes on without you.")]
    lines += [text(), text("Come back:  ") + safe(f"runbook resume {run}").stylize("bold")]
    choices = [Choice("", "Stay"), Choice("leave", "Leave", "y")]
    if running:
        choices[1] = Choice("leave", "Leave, the step goes on", "y")
        choices.append(Choice("stop", "Stop the step first … (interrupt, 10 s, then kill)", "x"))
    choices.append(Choice("hand_over", "Hand over to somebody …", "t"))
    return Dialog(text("Leave this run?"), lines, tuple(choices))


def in_use_dialog(sentence: str, by: Driven, *, may_wait: bool = False) -> Dialog:
    """Say that somebody drives where a run was to begin, and offer to look on, or (`may_wait`) to
    be told when the place is free.
    """
    name = by.who.partition("@")[0]
    place = by.place if may_wait else ""
    lines = [
        *_who_is_there(sentence, by),
        safe(f"Only one run at a time may change {place or 'a place'}."),
    ]
    choices = [Choice("watch", f"Watch {name}'s run")]
    if may_wait:
        choices.append(Choice("wait", "Tell me when it is free (bell; this form is kept)"))
    choices += [
        Choice("take_over", f"Take over …  ({name} is asked; reason required)", "t"),
        Choice("", "Not now"),
    ]
    return Dialog(
        safe(f"{place or 'This place'} is in use"),
        lines,
        tuple(choices),
        below=(text("From a shell:  ") + safe(f"runbook watch {by.run}").stylize("bold"),),
    )


def _who_is_there(sentence: str, by: Driven) -> list[Content]:
    """Return who drives what, since when and how far; where that is not known, the sentence."""
    if not by.runbook:
        return [safe(sentence)]
    since = f"since {local(by.since)}, {by.seen}, {by.step}."
    return [safe(f"{by.who} drives  {by.runbook}  ({by.run})"), safe(since)]


class HelpScreen(ModalScreen[None]):
    """The keys of the program: those that look, and those that act after `d`."""

    DEFAULT_CSS = """
    HelpScreen { align: center middle; background: $rb-background 40%; }
    HelpScreen > Box {
        width: 66; height: auto; border: heavy $rb-focus; padding: 0 1;
        background: $rb-surface; color: $rb-foreground;
        border-title-color: $rb-foreground; border-title-style: bold;
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark,f1,enter", "close", show=False)
    ]

    def __init__(
        self,
        contacts: Sequence[tuple[str, str, str]] = (),
        look: Rows = LOOK,
        act: Acts = ACT,
    ) -> None:
        super().__init__()
        self._look, self._act = look, act
        self._contacts = contacts

    def compose(self) -> ComposeResult:
        """The two columns of keys."""
        box = Box(self._help_lines(), 62, borders=2)
        box.border_title = "Keys on this screen"
        yield box

    def _help_lines(self) -> list[Content]:
        head = text((f"{'Look: these never change the run':<41}", "bold"))
        lines = [head + text(("Act: only after d", "bold")) if self._act else head]
        for place, (key, does, other, also) in enumerate(self._look):
            line = text((f" {key:<9}", "bold $rb-run"), f"{does:<12}")
            line += text((f"{other:<6}", "bold $rb-run"), f"{also:<13}")
            if place < len(self._act):
                act, means = self._act[place]
                line += text((act, "bold $rb-run"), f"  {means}")
            lines.append(line)
        if any(means.endswith("…") for _, means in self._act):
            lines.append(text("… asks again, with the safe choice marked."))
        if self._contacts:
            said = f" {glyphs_of(self).dot} ".join(" ".join(who) for who in self._contacts)
            lines.append(safe(f"Contacts: {said}"))
        return lines

    def action_close(self) -> None:
        """Go back."""
        self.dismiss(None)
