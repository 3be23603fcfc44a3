"""The one place where something is decided: every question of the program is asked here.

When nothing is asked it says in two rows what is going on.
"""

from __future__ import annotations

from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widgets import Input

from widgets.ask import NOTHING, Ask, Now
from widgets.bar_text import BarText, Label
from widgets.choices import Choice, Choices
from widgets.field import Field
from widgets.rows import EMPTY, text
from widgets.safe import safe


class DecisionBar(Vertical):
    """One question at a time, its choices, a field for a name or a reason."""

    DEFAULT_CSS = """
    DecisionBar { height: auto; }
    DecisionBar.open { background: $rb-surface; }
    DecisionBar Horizontal { height: 1; }
    DecisionBar #bar-field { width: 1fr; }
    DecisionBar .hidden { display: none; }
    """

    class Decided(Message):
        """A choice was made; nothing has been done yet."""

        def __init__(self, ask: Ask, choice: str, reason: str) -> None:
            super().__init__()
            self.ask = ask
            self.choice = choice
            self.reason = reason

    class Stayed(Message):
        """The safe choice was taken, or the bar was left: the focus goes back."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._text = BarText()
        self._choices = Choices()
        self._label = Label(id="bar-label")
        self._typed = Field(typed=True, id="bar-field")
        self._below = Label(id="bar-below")
        self._row = Horizontal(self._label, self._typed)
        self._ask: Ask | None = None
        self._now = NOTHING
        self._mode = "choices"
        self._pending: Choice | None = None

    def compose(self) -> ComposeResult:
        """Text, choices, field."""
        yield self._text
        yield self._choices
        yield self._row
        yield self._below

    def on_mount(self) -> None:
        """Say what is going on."""
        self._arrange()

    @property
    def asking(self) -> Ask | None:
        """The question that is shown."""
        return self._ask

    @property
    def typing(self) -> bool:
        """True while letters are text."""
        return self._typed.has_focus

    @property
    def has_the_focus(self) -> bool:
        """True while a key may decide something."""
        return self._typed.has_focus or self._choices.has_focus

    def show_now(self, now: Now) -> None:
        """Say what is going on; a question that was shown is gone."""
        if self._ask is None and now == self._now:
            return
        self._now = now
        held = self.has_the_focus
        self._ask, self._pending, self._mode = None, None, "choices"
        self._arrange()
        if held:
            self.post_message(self.Stayed())

    def show_ask(self, ask: Ask) -> None:
        """Ask; the same question again (by id) only renews its words."""
        if ask == self._ask:
            return
        same = self._ask is not None and self._ask.id == ask.id
        self._ask = ask
        if not same:
            self._pending = None
            self._mode = "typed" if ask.typed else "choices"
            self._typed.value = ""
            self._choices.show(ask.choices)
        self._arrange()

    def enter_bar(self) -> bool:
        """Put the focus on the safe choice or into the empty field; False when nothing is asked."""
        if self._ask is None:
            return False
        self._mode = "typed" if self._ask.typed else "choices"
        self._pending = None
        self._choices.show(self._ask.choices)
        self._typed.value = ""
        self._arrange()
        (self._typed if self._mode == "typed" else self._choices).focus()
        return True

    def enter_choice(self, value: str) -> None:
        """Take a choice of the question that is shown, as if its key had been pressed."""
        ask = self._ask
        choice = next((one for one in ask.choices if one.value == value), None) if ask else None
        if choice is not None and self.enter_bar():
            self._choices.post_message(Choices.Taken(choice))

    def enter_choices(self) -> None:
        """Put the focus on the choices, the safe one marked."""
        self._mode = "choices"
        self._arrange()
        self._choices.mark_safe()
        self._choices.focus()

    def say(self, words: str) -> None:
        """Say, below the question, what is missing or why nothing was done."""
        self._below.show(text((f" {words}", "bold $rb-ask")))
        self._below.remove_class("hidden")

    def _arrange(self) -> None:
        asking = self._ask
        self.set_class(asking is not None, "open")
        self._text.mark = "?" if asking else ""
        self._text.right = text((asking.place, "$rb-muted")) if asking else EMPTY
        self._text.cut = list(asking.rows) if asking else []
        if asking is None:
            self._text.title, self._text.lines = self._now.title, list(self._now.lines)
        elif self._pending is not None and self._pending.again and self._mode == "again":
            self._text.title = safe(self._pending.again)
            self._text.lines = [(line, EMPTY) for line in asking.lines[:2]]
        else:
            self._text.title = asking.question
            self._text.lines = [(line, EMPTY) for line in asking.lines]
        fielded = asking is not None and self._mode in ("typed", "reason")
        self._choices.set_class(asking is None or fielded, "hidden")
        self._row.set_class(not fielded, "hidden")
        self._below.set_class(not fielded, "hidden")
        if fielded:
            self._arrange_field()
        self._text.set_height(self.size.width or self.app.size.width)

    def _arrange_field(self) -> None:
        ask, pending = self._ask, self._pending
        if self._mode == "typed" and ask is not None:
            label = text(" Type  ", safe(ask.typed.upper()).stylize("bold"), "  and press enter:  ")
            others = ", ".join(choice.label.split(":")[0].lower() for choice in ask.choices[1:])
            below = f" esc  {ask.choices[0].label}" + (
                f"      tab  other choices: {others}" if others else ""
            )
        else:
            needed = "required" if pending and pending.reason == "required" else "optional"
            label = text(f" {pending.prompt if pending else 'Reason'} ({needed}):  ")
            below = " enter does it      esc  back to the choices"
        self._label.styles.width = label.cell_length
        self._label.show(label)
        self._below.show(safe(below))

    def on_resize(self) -> None:
        """Wrap anew."""
        self._text.set_height(self.size.width)

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """Draw the rule heavy."""
        self._text.heavy = True
        self._text.repaint()

    def on_descendant_blur(self, event: events.DescendantBlur) -> None:
        """Draw the rule light."""
        self._text.heavy = self.has_the_focus
        self._text.repaint()

    def on_choices_taken(self, event: Choices.Taken) -> None:
        """Take the choice, or ask what it still needs."""
        event.stop()
        ask, choice = self._ask, event.choice
        if ask is None:
            return
        if self._mode == "again":
            self._after_again(ask, choice)
        elif choice is ask.choices[0]:
            self.post_message(self.Stayed())
        elif choice.reason:
            self._pending, self._mode = choice, "reason"
            self._typed.value = ""
            self._arrange()
            self._typed.focus()
        elif choice.again:
            self._pending, self._mode = choice, "again"
            back = Choice("", ask.choices[0].label)
            self._choices.show((back, Choice(choice.value, choice.do, "y")))
            self._arrange()
        else:
            self.post_message(self.Decided(ask, choice.value, ""))

    def _after_again(self, ask: Ask, choice: Choice) -> None:
        if choice.value:
            self.post_message(self.Decided(ask, choice.value, ""))
        else:
            self._back_to_choices()

    def _back_to_choices(self) -> None:
        self._pending, self._mode = None, "choices"
        if self._ask is not None:
            self._choices.show(self._ask.choices)
        self._arrange()
        self._choices.focus()

    def on_choices_left(self, event: Choices.Left) -> None:
        """Leave the bar, or the second question."""
        event.stop()
        if self._mode == "again":
            self._back_to_choices()
        else:
            self.post_message(self.Stayed())

    def on_field_left(self, event: Field.Left) -> None:
        """Leave the field: a reason goes back to the choices, a name leaves the bar."""
        event.stop()
        if self._mode == "reason":
            self._back_to_choices()
        else:
            self.post_message(self.Stayed())

    def on_field_paste_refused(self, event: Field.PasteRefused) -> None:
        """Say why nothing was pasted."""
        event.stop()
        if self._ask is not None:
            self.say(f"Type it: {self._ask.typed.upper()} is not taken from the clipboard.")

    def on_key(self, event: events.Key) -> None:
        """Tab from the name goes to the other choices, if there are any, and back."""
        ask = self._ask
        if event.key == "tab" and ask is not None and ask.typed and len(ask.choices) > 1:
            event.stop()
            event.prevent_default()
            if self._mode == "typed":
                self._choices.show(ask.choices)
                self.enter_choices()
            elif self._mode == "choices":
                self.enter_bar()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Compare the name, or take the reason."""
        event.stop()
        ask = self._ask
        if ask is None:
            return
        typed = event.value.strip()
        if self._mode == "typed":
            if typed.casefold() == ask.typed.strip().casefold():
                self.post_message(self.Decided(ask, ask.value, ""))
            else:
                self.say(f"That is not {safe(ask.typed.upper()).plain}: nothing was done.")
        elif self._pending is not None:
            if self._pending.reason == "required" and not typed:
                self.say(f"{self._pending.prompt} is missing: nothing was done.")
            else:
                self.post_message(self.Decided(ask, self._pending.value, typed))

    def on_input_changed(self, event: Input.Changed) -> None:
        """Typing goes on: what was said about the last try goes."""
        event.stop()
        if self._ask is not None and self._mode in ("typed", "reason") and event.value:
            self._arrange_field()
