"""The values of a run, one a row, checked while they are typed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widgets import Input

from widgets.field import Field
from widgets.rows import Painted, Row, cut, glyphs_of, text
from widgets.safe import safe


@dataclass(frozen=True, slots=True)
class Parameter:
    """A value to be given. `check` returns what is wrong with a value, or an empty text."""

    name: str
    prompt: str
    value: str
    hint: str = ""
    secret: bool = False
    check: Callable[[str], str] = lambda value: ""


class Words(Painted):
    """A few words beside a field."""

    def __init__(self, words: str, style: str, *, classes: str) -> None:
        super().__init__(classes=classes)
        self._words, self._style = words, style

    def show(self, words: str, style: str) -> None:
        """Show other words."""
        if (words, style) != (self._words, self._style):
            self._words, self._style = words, style
            self.repaint()

    def rows(self, width: int, height: int) -> list[Row]:
        """Return the words."""
        words = cut(safe(self._words), width - 1, glyphs_of(self))
        return [Row(text(" ") + (words.stylize(self._style) if self._style else words))]


class ParameterRow(Horizontal):
    """Label, field and verdict of one parameter."""

    DEFAULT_CSS = """
    ParameterRow { height: 1; }
    ParameterRow .label { width: 14; }
    ParameterRow Field { width: 1fr; }
    ParameterRow .verdict { width: 1fr; }
    """

    def __init__(self, parameter: Parameter) -> None:
        super().__init__()
        self.parameter = parameter
        name = f"parameter-{parameter.name}"
        self.field = Field(parameter.value, password=parameter.secret, id=name)
        self._verdict = Words("", "", classes="verdict")

    def compose(self) -> ComposeResult:
        """The three parts."""
        yield Words(self.parameter.name, "bold", classes="label")
        yield self.field
        yield self._verdict

    def on_mount(self) -> None:
        """Judge what is there."""
        self.judge()

    @property
    def problem(self) -> str:
        """What is wrong with the value, or an empty text."""
        return self.parameter.check(self.field.value)

    def judge(self) -> None:
        """Say beside the field whether its value is right."""
        problem = self.problem
        if problem:
            self._verdict.show(problem, "bold $rb-ask")
        else:
            good = glyphs_of(self).ascii
            mark = "+" if good else "✓"
            self._verdict.show(f"{mark} {self.parameter.hint or self.parameter.prompt}", "$rb-ok")


class ParameterForm(Vertical):
    """The rows of all parameters; enter goes to the next one that is wrong."""

    DEFAULT_CSS = "ParameterForm { height: auto; max-height: 8; overflow-y: auto; }"

    class Changed(Message):
        """A value has changed."""

    class Finished(Message):
        """Enter, and no value is wrong."""

    def __init__(self, parameters: Sequence[Parameter] = ()) -> None:
        super().__init__()
        self._parameters = tuple(parameters)
        self._rows: list[ParameterRow] = []

    def compose(self) -> ComposeResult:
        """One row a parameter."""
        self._rows = [ParameterRow(parameter) for parameter in self._parameters]
        yield from self._rows

    @property
    def values(self) -> dict[str, str]:
        """The values as typed."""
        return {row.parameter.name: row.field.value for row in self._rows}

    @property
    def problems(self) -> dict[str, str]:
        """What is wrong, by name."""
        return {row.parameter.name: row.problem for row in self._rows if row.problem}

    def focus_first(self) -> bool:
        """Put the focus on the first value that is empty or wrong; False when none is."""
        for row in self._rows:
            if row.problem:
                row.field.focus()
                return True
        return False

    def focus_any(self) -> bool:
        """Put the focus on the first value that is wrong, else on the first; False without any."""
        if not self.focus_first():
            for row in self._rows[:1]:
                row.field.focus()
        return bool(self._rows)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Judge the value anew."""
        event.stop()
        for row in self._rows:
            if row.field is event.input:
                row.judge()
        self.post_message(self.Changed())

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Go on to the next one that is wrong."""
        event.stop()
        if not self.focus_first():
            self.post_message(self.Finished())
