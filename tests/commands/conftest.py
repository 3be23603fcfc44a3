"""The program in this process: arguments in; exit code, output and errors out."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from runbook_tui import cli


@dataclass(frozen=True, slots=True)
class Ran:
    """How a call of the program ended."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        """Return what was printed, as JSON."""
        return json.loads(self.out)


Program = Callable[..., Ran]


@pytest.fixture
def program(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Program:
    """Call the program in a directory of its own."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> Ran:
        monkeypatch.setattr("sys.argv", ["runbook", *arguments])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            cli.main()
        said = capsys.readouterr()
        return Ran(int(ended.value.code or 0), said.out, said.err)

    return run


def write(name: str, steps: str, head: str = "") -> Path:
    """Write a runbook of one phase into the current directory."""
    lines = "".join(f"      {line}\n" for line in steps.strip("\n").splitlines())
    path = Path(name)
    path.write_text(f"runbook: Test\n{head}phases:\n  - phase: Only\n    steps:\n{lines}")
    return path


def newest(program: Program) -> str:
    """Return the id of the newest run."""
    run: str = program("runs", "--json").json()[0]["run"]
    return run
