"""The program as a whole: help, unknown commands, errors in words, quick start."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from runbook_tui import cli, exits
from runbook_tui.cli import COMMANDS
from tests.commands.conftest import Program, write


def test_help_lists_what_there_is(program: Program) -> None:
    ran = program("--help")
    assert ran.code == exits.DONE
    assert [name for name in COMMANDS if f"  {name} " not in ran.out] == []


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
        ("run", "a.yaml", "--headless", "--nonsense"),
        ("run",),
        ("run", "."),
        ("run", "binary.yaml", "--headless"),
        ("lint", "none.yaml"),
        ("stop", "0101-none", "--reason", "why"),
        ("report", "0101-none", "--format", "pdf"),
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
    Path("binary.yaml").write_bytes(bytes(range(256)))
    ran = program(*arguments)
    assert ran.code == exits.USAGE
    assert len(ran.err.splitlines()) > 1, "a sentence and what to do next"
    assert ran.out == ""
    assert "Traceback" not in ran.err


@pytest.mark.parametrize(
    ("words", "near"),
    [
        (("-e", "liev"), 'Did you mean "live"?'),
        (("-e", "live", "-p", "nmae=a"), 'Did you mean "name"?'),
        (("-e", "live"), "-p name=VALUE"),
        (("-e", "live", "-p", "name=1"), "-p name=VALUE"),
        (("-e", "live", "-p", "name=a", "--answer", "depoly=retry"), 'Did you mean "deploy"?'),
        (("-e", "live", "-p", "name=a", "--answer", "depoly.pr=1"), 'Did you mean "deploy"?'),
        (("-e", "live", "-p", "name=a", "--confirm", "depoly=live"), 'Did you mean "deploy"?'),
        (("-e", "live", "-p", "name=a", "--confirm", "strat=live"), 'Did you mean "start"?'),
    ],
)
def test_a_misspelt_name_is_refused_before_the_run(
    program: Program, words: tuple[str, ...], near: str
) -> None:
    head = "parameters: {name: {pattern: '[a-z]+'}}\nenvironments: {live: {}}\n"
    write("a.yaml", "- {id: deploy, run: echo}", head)
    ran = program("run", "a.yaml", "--headless", *words)
    assert (ran.code, near in ran.err) == (exits.USAGE, True)
    assert program("runs", "--json").json() == []


def test_an_answer_may_be_for_a_step_of_the_rollback(program: Program) -> None:
    back = write("back.yaml", "- {id: put-back, run: echo}")
    steps = "- {id: a, run: echo, undo: {run: echo}}\n- {id: b, run: 'false'}"
    write("a.yaml", steps, f"rollback: {back}\n")
    assert program("run", "a.yaml", "--headless", "--answer", "undo-a=retry").code == exits.FAILED
    (run,) = program("runs", "--json").json()
    for command in (("resume", run["run"]), ("rollback", run["run"])):
        ran = program(*command, "--headless", "--answer", "put-bcak=retry")
        assert (ran.code, 'Did you mean "put-back"?' in ran.err) == (exits.USAGE, True)
    ran = program("rollback", run["run"], "--headless", "--answer", "put-back=retry")
    assert ran.code == exits.DONE
    assert "? Roll back Test?" in ran.out


@pytest.mark.parametrize("kind", ["file", "damaged", "url", "nowhere"])
def test_an_unusable_store(program: Program, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    path = write("a.yaml", "- run: echo")
    places = {"file": str(path), "url": "postgresql://db/runbook", "nowhere": "/proc/nowhere"}
    monkeypatch.setenv("RUNBOOK_STATE", places.get(kind, "damaged"))
    if kind == "damaged":
        Path("damaged").mkdir(0o700)
        Path("damaged/journal.db").write_bytes(b"nonsense" * 1000)
    for arguments in (("run", "a.yaml", "--headless"), ("runs",), ("show", "0101-none")):
        ran = program(*arguments)
        assert (ran.code, "Traceback" in ran.err) == (exits.STORE, False)
        assert len(ran.err.splitlines()) > 1, "a sentence and what to do next"
    assert not Path("postgresql:").exists()


def test_debug_shows_where(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(paths: object) -> None:
        raise RuntimeError("a fault of ours")

    monkeypatch.setattr("runbook_tui.definition.loader.lint_paths", fails)
    write("a.yaml", "- run: echo")
    ran = program("lint", "a.yaml")
    assert (ran.code, "a fault of ours" in ran.err) == (exits.FAILED, True)
    for words in (("--debug", "lint", "a.yaml"), ("lint", "a.yaml", "--debug")):
        monkeypatch.setattr("sys.argv", ["runbook", *words])
        with pytest.raises(RuntimeError):
            cli.main()
