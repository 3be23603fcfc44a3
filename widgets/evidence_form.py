"""What a person records on a manual step: one boxed field for each thing asked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import Input

from widgets.field import Field
from widgets.parameter_form import Words
from widgets.safe import plain


@dataclass(frozen=True, slots=True)
class Recorded:
    """A field of a manual step. `check` returns what is wrong with a value, or an empty text."""

    name: str
    prompt: str
    required: bool = True
    check: Callable[[str], str] = lambda value: ""


class EvidenceForm(VerticalScroll, can_focus=False):
    """The fields; drafts stay when they are left."""

    DEFAULT_CSS = """
    EvidenceForm { height: 1fr; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._asked: tuple[Recorded, ...] = ()
        self._drafts: dict[tuple[str, str], str] = {}
        self._step = ""

    async def show(self, step: str, asked: Sequence[Recorded]) -> None:
        """Ask these things about a step, with what was typed before."""
        if (step, tuple(asked)) == (self._step, self._asked):
            return
        self._keep()
        self._step, self._asked = step, tuple(asked)
        await self.remove_children()
        await self.mount_all(self._widgets())

    def _widgets(self) -> list[Words | Field]:
        widgets: list[Words | Field] = []
        for recorded in self._asked:
            needed = "required" if recorded.required else "optional"
            widgets.append(Words(f"{plain(recorded.prompt)}   ({needed})", "", classes="prompt"))
            draft = self._drafts.get((self._step, recorded.name), "")
            widgets.append(Field(draft, boxed=True, id=f"recorded-{recorded.name}"))
        return widgets

    def compose(self) -> ComposeResult:
        """Nothing until something is asked."""
        yield from ()

    def _keep(self) -> None:
        for name, value in self.values.items():
            self._drafts[self._step, name] = value

    @property
    def values(self) -> dict[str, str]:
        """What was typed, by name."""
        typed = {}
        for recorded in self._asked:
            fields = list(self.query(f"#recorded-{recorded.name}").results(Field))
            typed[recorded.name] = fields[0].value.strip() if fields else ""
        return typed

    @property
    def problem(self) -> str:
        """What is missing or wrong, in a sentence; empty when nothing is."""
        values = self.values
        for recorded in self._asked:
            value = values[recorded.name]
            if recorded.required and not value:
                return f"{plain(recorded.prompt)} is missing: nothing was recorded."
            wrong = recorded.check(value) if value else ""
            if wrong:
                return f"{plain(recorded.prompt)}: {wrong}."
        return ""

    def focus_first(self) -> bool:
        """Put the focus into the first required field that is empty; False without fields."""
        for field in self.query(Field):
            if not field.value:
                field.focus()
                return True
        for field in self.query(Field):
            field.focus()
            return True
        return False

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter goes to the next field, after the last one to the choices."""
        fields = list(self.query(Field))
        place = fields.index(event.input) if event.input in fields else -1
        if 0 <= place < len(fields) - 1:
            event.stop()
            fields[place + 1].focus()
