"""The command line: which command lives where, and what every command's errors look like.

A command's module is imported when it is called, so that `--help` and start-up stay quick.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Final, NoReturn

import click

import runbook_tui
from runbook_tui import exits

COMMANDS: Final = {
    "run": "Start a runbook.",
    "resume": "Go on with a run.",
    "rollback": "Take back what a run did.",
    "runs": "List the runs.",
    "show": "Show a run and its steps.",
    "events": "Print a run's events as JSON lines.",
    "log": "Print the output of a step.",
    "watch": "Look on while somebody else drives a run.",
    "note": "Write a note on a run.",
    "stop": "Stop what runs.",
    "approve": "Say yes to what another operator is about to do.",
    "deny": "Say no to it.",
    "take-over": "Drive a run that somebody else drives.",
    "handover": "Give a run to somebody else.",
    "plan": "Say what a run would do, and what is already there.",
    "lint": "Check runbooks without running them.",
    "schema": "Print the JSON Schema of runbooks.",
    "doctor": "Check that all a runbook needs can be reached.",
    "audit": "Check that a run's journal is as it was written.",
    "report": "Write a run's report.",
    "export": "Pack a run into one file, to be read elsewhere.",
    "import": "Take in a run that was packed elsewhere.",
    "init": "Write a first runbook to start from.",
    "sandbox": "The practice production on this machine.",
    "demo": "Deploy the sample application to the practice production.",
}
"""Each command is the function `command` of a module of its name in `runbook_tui.commands`."""

_MODULES: Final = {"import": "import_"}
"""Commands whose module has another name: this one is a word of the language."""

_EXAMPLES: Final = """\b
Examples:
  runbook                                   what needs you, and what there is
  runbook run deploy.yaml -e staging -p version=v1.4.0
  runbook resume                            go on where you, or a crash, left off
  runbook run deploy.yaml -e staging -p version=v1.4.0 --headless --yes
  runbook demo                              a deployment to try, on this machine
"""


class Commands(click.Group):
    """A group that imports a command when it is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands in the order of a day's work."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command, imported."""
        if cmd_name not in COMMANDS:
            return None
        module = _MODULES.get(cmd_name, cmd_name.replace("-", "_"))
        found: click.Command = import_module(f"runbook_tui.commands.{module}").command
        return found

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; for a misspelt one name the nearest."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            from difflib import get_close_matches

            near = get_close_matches(args[0], COMMANDS, n=1)
            hint = f" Did you mean {near[0]}?" if near else ""
            raise click.UsageError(f"There is no command {args[0]}.{hint}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(
    cls=Commands,
    invoke_without_command=True,
    epilog=_EXAMPLES,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(runbook_tui.__version__, prog_name="runbook")
@click.option("--debug", is_flag=True, help="Show the traceback of an error; also after a command.")
@click.pass_context
def cli(ctx: click.Context, debug: bool) -> None:
    """Walk through a runbook: execute its steps, keep the proof, ask where a person decides.

    Without a command: the screen with what needs you, the runbooks here, and the history.
    """
    if ctx.invoked_subcommand is None:
        from runbook_tui.commands.home import home

        home()


def main() -> NoReturn:
    """Run the program and exit with a code of the contract."""
    words, debug = _without_debug(sys.argv[1:])
    try:
        code = cli.main(words, prog_name="runbook", standalone_mode=False)
    except click.exceptions.Abort:
        code = exits.INTERRUPTED
    except click.ClickException as problem:
        click.echo(_usage(problem), err=True)
        code = exits.USAGE
    except BrokenPipeError:
        # Whoever read our output has gone (`runbook events … | head`): nothing is wrong.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        code = exits.DONE
    except Exception as problem:
        if debug:
            raise
        code = _tell(problem)
    sys.exit(code if isinstance(code, int) else exits.DONE)


def _without_debug(words: Sequence[str]) -> tuple[list[str], bool]:
    """Take `--debug` out of the arguments, wherever it stands before a `--`."""
    end = words.index("--") if "--" in words else len(words)
    options = [word for word in words[:end] if word != "--debug"]
    return [*options, *words[end:]], len(options) < end


def _usage(problem: click.ClickException) -> str:
    """Return what click says about wrong arguments as a sentence, and where to read on."""
    message = problem.format_message()
    ctx = problem.ctx if isinstance(problem, click.UsageError) else None
    path = ctx.command_path if ctx is not None else "runbook"
    return f"{message}\nSee {path} --help."


def _tell(problem: Exception) -> int:
    """Print an error as a sentence and what to do next; return its exit code."""
    from runbook_tui.commands.errors import explain

    told = explain(problem)
    click.echo(told.text, err=True)
    return told.code
