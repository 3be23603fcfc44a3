"""The practice production with v1.0.0 in it, deployed by the demo as a new user would."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from runbook_tui.sandbox.site import Site
from tests.harness.program import Done, Program


@dataclass(frozen=True)
class Demo:
    """The demo's run, and the program that did it."""

    done: Done
    program: Program


@pytest.fixture(scope="session")
def demo(practice_site: Site, tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """`runbook demo --headless`, once a session."""
    program = Program(
        tmp_path_factory.mktemp("demo-state"),
        Path(practice_site.directory),
        {"RUNBOOK_SANDBOX": str(practice_site.directory)},
    )
    return Demo(program.run("demo", "--headless"), program)


@pytest.fixture
def program(practice_site: Site, tmp_path: Path) -> Program:
    """The program, called in the application's work tree, with a state of the test's own."""
    state = tmp_path / "state"
    return Program(state, practice_site.work, {"RUNBOOK_SANDBOX": str(practice_site.directory)})
