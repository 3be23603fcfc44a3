"""The program as a whole: help, unknown commands, errors in words, quick start."""

from __future__ import annotations

import subprocess
import sys

import pytest

from runbook_tui import exits
from runbook_tui.cli import COMMANDS
from tests.commands.conftest import Program, write

LATER = ("approve", "deny", "watch", "handover", "take-over")


def test_help_lists_what_there_is(program: Program) -> None:
    ran = program("--help")
    assert ran.code == exits.DONE
    assert [name for name in COMMANDS if f"  {name} " not in ran.out] == []
    assert [name for name in LATER if name in ran.out] == []


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(program: Program, name: str) -> None:
    ran = program(name, "--help")
    assert ran.code == exits.DONE
    assert ran.out.startswith(f"Usage: runbook {name}")


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys\nsys.argv = ['runbook', '--help']\nfrom runbook_tui.cli import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "heavy = {'pydantic', 'yaml', 'textual', 'rich', 'docker', 'fabric', 'httpx', 'psycopg'}\n"
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.splitlines()[-1] == "[]"


def test_a_misspelt_command(program: Program) -> None:
    ran = program("resum")
    assert (ran.code, "Did you mean resume?" in ran.err) == (exits.USAGE, True)


def test_without_a_terminal_there_is_no_screen(program: Program) -> None:
    ran = program()
    assert ran.code == exits.USAGE
    assert "needs a terminal" in ran.err


@pytest.mark.parametrize(
    "arguments",
    [
        ("run", "none.yaml"),
        ("run", "a.yaml", "-p", "novalue"),
        ("run", "a.yaml", "-p", "x=1", "-p", "x=2", "--headless"),
        ("run", "a.yaml", "-p", "x=1", "--headless"),
        ("run", "a.yaml", "-e", "production", "--headless"),
        ("run", "broken.yaml", "--headless"),
        ("run", "a.yaml", "--headless", "--answer", "nonsense"),
        ("run", "a.yaml", "--headless", "--confirm", "nonsense"),
        ("plan", "broken.yaml"),
        ("resume",),
        ("resume", "0101-none"),
        ("show", "0101-none"),
        ("events", "0101-none"),
        ("log", "0101-none", "a"),
        ("note", "0101-none", "text"),
        ("audit", "0101-none"),
        ("report", "0101-none"),
        ("rollback", "0101-none", "--headless"),
    ],
)
def test_wrong_use_is_told_in_words(program: Program, arguments: tuple[str, ...]) -> None:
    write("a.yaml", "- run: echo")
    write("broken.yaml", "- rnu: echo")
    ran = program(*arguments)
    assert ran.code == exits.USAGE
    assert ran.err.strip()
    assert "Traceback" not in ran.err


def test_an_unusable_store(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write("a.yaml", "- run: echo")
    monkeypatch.setenv("RUNBOOK_STATE", str(path))
    for arguments in (("run", "a.yaml", "--headless"), ("runs",), ("show", "0101-none")):
        ran = program(*arguments)
        assert (ran.code, "Traceback" in ran.err) == (exits.STORE, False)
        assert ran.err


def test_debug_shows_where(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(paths: object) -> None:
        raise RuntimeError("a fault of ours")

    monkeypatch.setattr("runbook_tui.definition.loader.lint_paths", fails)
    write("a.yaml", "- run: echo")
    ran = program("lint", "a.yaml")
    assert (ran.code, "a fault of ours" in ran.err) == (exits.FAILED, True)
    monkeypatch.setattr("sys.argv", ["runbook", "--debug", "lint", "a.yaml"])
    from runbook_tui import cli

    with pytest.raises(RuntimeError):
        cli.main()
