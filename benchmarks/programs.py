"""The program that is measured, and the small ones that stand beside it."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

RUNBOOK: Final = str(Path(sysconfig.get_path("scripts")) / "runbook")
"""The program as it is installed."""

HELLO: Final = """
from textual.app import App
from textual.widgets import Static

class Hello(App):
    def compose(self):
        yield Static("Hello, world 0", id="words")

    def on_key(self, event):
        if event.character in "01":
            self.query_one("#words", Static).update("Hello, world " + event.character)

Hello().run()
"""
"""The smallest Textual program with something on the screen; keys 0 and 1 change one cell."""

CLICK: Final = """
import click

@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("name")
@click.option("--times", default=1, help="How often.")
def greet(name, times):
    \"\"\"Greet somebody.\"\"\"

greet()
"""
"""A command line of click's with one command."""


def script(folder: Path, name: str, text: str) -> list[str]:
    """Write a Python program and return how it is started."""
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return [sys.executable, str(path)]


def environment(state: Path) -> dict[str, str]:
    """Return the variables with which the program keeps its state in a directory.

    Compiled modules are kept, whatever is set here: every installed program has them.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    return {**kept, "RUNBOOK_STATE": str(state), "RUNBOOK_OPERATOR": "bench"}


def run(
    argv: Sequence[str], *, cwd: Path, env: Mapping[str, str] | None = None, expect: int = 0
) -> str:
    """Run a program to its end and return what it said. Raises RuntimeError on another code."""
    done = subprocess.run(
        argv, cwd=cwd, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True
    )
    if done.returncode != expect:
        raise RuntimeError(f"{argv} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout
