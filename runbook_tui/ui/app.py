"""The program on a terminal: themes, symbols, and which screen comes next. Nothing else."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from textual import events
from textual.app import App, SuspendNotSupported, SystemCommand
from textual.binding import Binding, BindingType
from textual.screen import Screen

from runbook_tui.ui.backend import Backend
from runbook_tui.ui.screens.home import HomeScreen
from runbook_tui.ui.sizes import LEAST
from widgets.glyphs import ASCII, UNICODE, AsciiFilter
from widgets.safe import plain
from widgets.terminal_gate import GatedDriver, InertFilter, grant
from widgets.themes import DEFAULTS, THEMES

if TYPE_CHECKING:
    from runbook_tui.ui.backend import Driven
    from runbook_tui.ui.bridge import ScreenOperator
    from runbook_tui.ui.screens.run import RunScreen
    from runbook_tui.ui.shell_here import Shell
    from widgets.log_view import LogView


def wants_ascii(environment: dict[str, str] | None = None) -> bool:
    """Tell whether the terminal should get ASCII only: asked for, or not known to draw more."""
    values = os.environ if environment is None else environment
    if values.get("RUNBOOK_ASCII", "") not in ("", "0"):
        return True
    if values.get("TERM") == "linux":
        return True
    locale = values.get("LC_ALL") or values.get("LC_CTYPE") or values.get("LANG") or ""
    return bool(locale) and "utf" not in locale.lower().replace("-", "")


class RunbookApp(App[int]):
    """The app: it knows the screens, and what the terminal can do."""

    TITLE = "runbook"
    CSS_PATH = Path(__file__).with_name("app.tcss")
    ENABLE_COMMAND_PALETTE = True
    COMMAND_PALETTE_BINDING = "ctrl+p"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("colon", "command_palette", show=False),
        Binding("f1", "help", show=False, priority=True),
        Binding("ctrl+q", "leave", show=False, priority=True),
        Binding("ctrl+c", "copy_or_leave", show=False, priority=True),
    ]

    def __init__(
        self,
        backend: Backend,
        *,
        ascii_only: bool | None = None,
        theme: str = "runbook-dark",
        launch: tuple[Path, str | None, dict[str, str]] | None = None,
        resume: str | None = None,
        rollback: tuple[str, str] | None = None,
        watch: str | None = None,
        take_over: tuple[str, str] | None = None,
    ) -> None:
        """Begin at Home, at Launch of a file, with a run taken up, with a run's rollback, looking
        on at a run, or taking one over."""
        super().__init__(driver_class=GatedDriver)
        wanted = wants_ascii() if ascii_only is None else ascii_only
        self.glyphs = ASCII if wanted else UNICODE
        self.backend = backend
        self.animation_level = "none"
        for each in THEMES:
            self.register_theme(each)
        self.theme = theme
        self._filters.append(InertFilter())
        if wanted:
            self._filters.append(AsciiFilter())
        self._launch = launch
        self._resume = resume
        self._rollback = rollback
        self._watch = watch
        self._take_over = take_over
        self._direct = bool(launch or resume or rollback or watch or take_over)
        self._terminal_title = ""
        self.last_words = ""
        """What the terminal is told of the run that was driven last, when the screens are gone."""

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """The roles' colours, which the style sheets name."""
        return DEFAULTS

    def get_default_screen(self) -> HomeScreen:
        """Home lies below everything."""
        return HomeScreen(self.backend, at_once=not self._direct)

    def on_mount(self) -> None:
        """Go to where the command line wants to be."""
        if self._launch is not None:
            self.open_launch(*self._launch)
        elif self._resume is not None:
            self.open_run(self._resume)
        elif self._rollback is not None:
            run, reason = self._rollback
            self.push_screen(
                self._run_screen()(
                    self.backend,
                    lambda port: self.backend.roll_back(run, reason, port),
                    run=run,
                    rolls_back=True,
                )
            )

        elif self._watch is not None:
            self.open_run(self._watch, drive=False)
        elif self._take_over is not None:
            run, reason = self._take_over
            self.push_screen(self._run_screen()(self.backend, None, run=run, wants=reason))

    def open_launch(self, file: Path, environment: str | None, given: dict[str, str]) -> None:
        """Show the form that starts a runbook."""
        from runbook_tui.ui.screens.launch import LaunchScreen  # after the first paint

        self.push_screen(LaunchScreen(self.backend, file, environment, given))

    def start_run(
        self, file: Path, environment: str | None, given: dict[str, str], operator: ScreenOperator
    ) -> None:
        """Start a run and show it in place of its form."""

        def back(by: Driven) -> None:
            from runbook_tui.ui.screens.launch import LaunchScreen  # here when it was left

            form = LaunchScreen(self.backend, file, environment, given, waits_for=by)
            self.switch_screen(form)

        screen = self._run_screen()(
            self.backend,
            lambda port: self.backend.start(file, environment, given, port),
            operator=operator,
        )
        screen.wait_for_place = back
        self.switch_screen(screen)

    def open_run(self, run: str, *, drive: bool = True) -> None:
        """Take a run up again, or only show it."""
        if drive:
            screen = self._run_screen()(
                self.backend, lambda port: self.backend.resume(run, port), run=run
            )
        else:
            screen = self._run_screen()(self.backend, None, run=run)
        self.push_screen(screen)

    @staticmethod
    def _run_screen() -> type[RunScreen]:
        from runbook_tui.ui.screens.run import RunScreen  # after the first paint

        return RunScreen

    def action_leave_run(self) -> None:
        """From a run back to Home, or out when the command line led here."""
        if self._direct:
            code = getattr(self.screen, "code", 0)
            self.exit(code)
        else:
            self.pop_screen()

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """Offer the themes, the keys, leaving, and the links of the runbook; nothing that acts."""
        for theme in THEMES:
            words = f"Theme: {theme.name.removeprefix('runbook-')}"
            yield SystemCommand(words, "Change the colours", partial(self._set_theme, theme.name))
        yield SystemCommand("Keys", "Which keys work here", self.action_help)
        yield SystemCommand("Leave", "Asks while a run is driven here", self.action_leave)
        links: Mapping[str, str] = getattr(screen, "links", dict)()
        for title, url in links.items():
            opened = partial(self.open_url, url)
            yield SystemCommand(f"Open {plain(title)}", plain(url), opened)

    def _set_theme(self, name: str) -> None:
        self.theme = name

    async def action_quit(self) -> None:
        """Quitting is leaving: it asks."""
        await self.action_leave()

    async def action_leave(self) -> None:
        """Ask the screen to leave."""
        await self.screen.run_action("screen.leave")

    async def action_help(self) -> None:
        """Show the keys of the screen."""
        await self.screen.run_action("screen.help")

    async def action_copy_or_leave(self) -> None:
        """Copy what is selected in a field, else leave. Never a signal to a step."""
        selected = getattr(self.focused, "selected_text", "")
        if selected:
            self.copy_to_clipboard(selected)
        else:
            await self.action_leave()

    def copy_to_clipboard(self, text: str) -> None:
        """Copy through the terminal (OSC 52), past the gate."""
        import base64  # not before the first paint

        encoded = base64.b64encode(text.encode()).decode()
        grant(self._driver, f"\x1b]52;c;{encoded}\x07")

    def set_terminal_title(self, title: str) -> None:
        """Set the window's title, when it is another one."""
        title = plain(title)
        if title != self._terminal_title:
            self._terminal_title = title
            grant(self._driver, f"\x1b]0;{title}\x07")

    def call_operator(self, words: str) -> None:
        """Ring; with RUNBOOK_NOTIFY=9 or 777 also ask the terminal for a notice with the words."""
        self.bell()
        wanted = os.environ.get("RUNBOOK_NOTIFY")
        if wanted == "9":
            grant(self._driver, f"\x1b]9;{plain(words)}\x07")
        elif wanted == "777":
            grant(self._driver, f"\x1b]777;notify;runbook;{plain(words).replace(';', ',')}\x07")

    def on_log_view_copied(self, event: LogView.Copied) -> None:
        """Copy lines of a log: to the clipboard, and to a file for terminals without one."""
        self.copy_to_clipboard(event.copied)
        file = self.backend.state_directory / "copied.txt"
        file.touch(mode=0o600)
        file.write_text(event.copied, encoding="utf-8")
        lines = "1 line" if event.lines == 1 else f"{event.lines} lines"
        self.notify(f"{lines} copied, also to {plain(str(file))}", markup=False)

    def ask_secret(self, words: str) -> str | None:
        """Have the operator type a secret; called in the driver's thread, which waits."""
        import queue  # not before the first paint

        from runbook_tui.ui.screens.secret import SecretScreen  # after the first paint

        answered: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self.call_from_thread(self.push_screen, SecretScreen(words), answered.put)
        return answered.get()

    def open_pager(self, file: Path) -> None:
        """Show a file in the operator's pager; the run goes on."""
        import shlex  # not before the first paint
        import subprocess

        pager = shlex.split(os.environ.get("PAGER") or "less -R")
        with self.suspend():
            subprocess.run([*pager, str(file)], check=False)
        self.refresh()

    def open_shell(self, shell: Shell, step: str) -> str:
        """Give the terminal to a shell until it ends; return what is to be noted of it."""
        import time

        from runbook_tui.ui.shell_here import in_words
        from widgets.safe import plain

        begun = time.monotonic()
        try:
            with self.suspend():
                print(
                    f"A shell at {plain(step)}, in {plain(str(shell.directory))}. exit comes back."
                )
                code = shell.run()
        except OSError as problem:
            return f"no shell at {step}: {shell.program}: {problem.strerror}"
        except SuspendNotSupported:
            return f"no shell at {step}: this terminal cannot be handed over"
        finally:
            self.refresh()
        return in_words(step, code, time.monotonic() - begun)

    def on_resize(self, event: events.Resize) -> None:
        """Cover everything while the terminal is too small."""
        if event.size.width >= LEAST[0] and event.size.height >= LEAST[1]:
            return
        from runbook_tui.ui.screens.too_small import TooSmall  # not before the first paint

        if not isinstance(self.screen, TooSmall):
            words = getattr(self.screen, "in_few_words", lambda: ("", False, "", ""))()
            self.push_screen(TooSmall(*words))
