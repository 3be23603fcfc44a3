"""Driving a screen in tests: wait for what is on it, read it as text."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from typing import Any

from textual.app import App, ComposeResult
from textual.pilot import Pilot
from textual.widget import Widget

from widgets.glyphs import ASCII, UNICODE, AsciiFilter
from widgets.terminal_gate import InertFilter
from widgets.themes import DEFAULTS, THEMES

DEADLINE = 30.0
"""Seconds that a condition may take on a busy machine."""


class Stage(App[None]):
    """An app that shows some widgets in the program's own colours and symbols."""

    ENABLE_COMMAND_PALETTE = False
    CSS = "Screen { background: $rb-background; color: $rb-foreground; }"

    def __init__(self, widgets: Iterable[Widget], *, ascii_only: bool = False) -> None:
        super().__init__()
        self._shown = list(widgets)
        self.glyphs = ASCII if ascii_only else UNICODE
        self.animation_level = "none"
        self.messages: list[Any] = []
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = "runbook-dark"
        self._filters.append(InertFilter())
        if ascii_only:
            self._filters.append(AsciiFilter())

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """The variables that the widgets' styles use."""
        return DEFAULTS

    def compose(self) -> ComposeResult:
        """Show the widgets, one below the other."""
        yield from self._shown


async def until(pilot: Pilot[Any], condition: Callable[[], object], what: str = "") -> None:
    """Wait until `condition` holds, at most `DEADLINE` seconds; then show the screen and fail."""
    deadline = time.monotonic() + DEADLINE
    while True:
        await pilot.pause()
        if condition():
            await pilot.pause()
            return
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {DEADLINE:.0f} s: {what}\n{frame(pilot.app)}")
        await asyncio.sleep(0.01)


def frame(app: App[Any]) -> str:
    """Return what stands on the screen, row by row, without blanks at the ends."""
    width, height = app.size
    screen = app.screen
    rows = screen._compositor.render_strips()
    lines = [strip.crop(0, width).text.rstrip() for strip in rows[:height]]
    return "\n".join(lines)


async def shows(pilot: Pilot[Any], *texts: str) -> None:
    """Wait until all `texts` stand on the screen."""
    await until(
        pilot, lambda: all(text in frame(pilot.app) for text in texts), f"{texts} on the screen"
    )
