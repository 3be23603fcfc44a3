"""The real program with its journal in PostgreSQL: run, failure, resume, and all that reads it."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest

from runbook_tui import exits
from state.stores.location import Location
from tests.harness.link import Link
from tests.harness.processes import until
from tests.harness.program import Program, step

RUNBOOK = """\
runbook: Move the switch
environments: {shop: {}}
phases:
  - phase: All
    steps:
      - {id: set, name: Set the switch, run: 'echo set >> effects; echo "${RUNBOOK_STATE-}."'}
      - {id: look, name: Look at the light, run: test -e light}
"""

SLOW = """\
runbook: Wait for the word
phases:
  - phase: All
    steps:
      - id: slow
        name: Wait
        run: 'echo begun >> effects; until test -e go; do sleep 0.05; done; echo done >> effects'
      - {id: next, name: Go on, run: echo next >> effects}
"""


@pytest.fixture
def program(tmp_path: Path, url: str) -> Program:
    """The program on a machine with its own state directory."""
    (tmp_path / "here").mkdir()
    return Program(tmp_path / "state", tmp_path / "here", url=url)


def effects(program: Program) -> list[str]:
    """Return what the steps have done, in order."""
    file = program.cwd / "effects"
    return file.read_text().split() if file.exists() else []


def test_a_run_is_resumed_and_read_on_another_machine(program: Program, tmp_path: Path) -> None:
    (program.cwd / "switch.yaml").write_text(RUNBOOK)
    program.run("run", "switch.yaml", "-e", "shop", "--headless").expect(exits.FAILED)
    ((found,), run) = (program.runs(), program.runs()[0]["run"])
    assert found["status"] == "failed"

    (program.cwd / "light").touch()
    elsewhere = Program(tmp_path / "elsewhere", program.cwd, url=program.url)
    elsewhere.run("resume", run, "--headless", "--answer", "look=retry").expect(exits.DONE)
    assert effects(program) == ["set"]

    listed = json.loads(program.run("runs", "--json").expect(exits.DONE).output)
    assert [(one["run"], one["status"]) for one in listed] == [(run, "succeeded")]
    shown = json.loads(elsewhere.run("show", run, "--json").expect(exits.DONE).output)
    assert [len(one["attempts"]) for one in shown["steps"]] == [1, 2]
    assert "the chain is whole: " in elsewhere.run("audit", run).expect(exits.DONE).output
    lines = elsewhere.run("events", run).expect(exits.DONE).output.splitlines()
    kinds = [json.loads(line)["kind"] for line in lines]
    assert kinds[0] == "run_started"
    assert "run_resumed" in kinds
    # The URL, which may hold a password, is not handed to commands.
    for place in (program, elsewhere):
        assert place.run("log", run, "set").expect(exits.DONE).output == ".\n"
    elsewhere.run("note", run, "seen from afar").expect(exits.DONE)
    assert program.show(run)["notes"][0]["text"] == "seen from afar"


def test_a_lost_database_pauses_the_run_and_loses_nothing(program: Program, link: Link) -> None:
    (program.cwd / "slow.yaml").write_text(SLOW)
    assert program.url is not None
    by_link = Program(program.state, program.cwd, url=link.through(program.url))
    with by_link.start("run", "slow.yaml", "--headless") as child:
        assert child.stdout is not None
        until(lambda: effects(program) == ["begun"], "the first effect")
        link.cut()
        (program.cwd / "go").touch()
        said = iter(child.stdout.readline, "")
        assert any("cannot be reached" in line and "The run waits" in line for line in said)
        until(lambda: effects(program) == ["begun", "done"], "the end of the step")
        link.mend()
        assert any("the journal is back" in line for line in said)
        assert child.wait(60) == exits.DONE
    assert effects(program) == ["begun", "done", "next"]
    (found,) = program.runs()
    shown = program.show(found["run"])
    assert [len(one["attempts"]) for one in shown["steps"]] == [1, 1]
    assert "the chain is whole: " in program.run("audit", found["run"]).expect(exits.DONE).output


def test_who_leaves_while_the_database_is_away_adopts_the_outcome_later(
    program: Program, link: Link
) -> None:
    (program.cwd / "slow.yaml").write_text(SLOW)
    assert program.url is not None
    by_link = Program(program.state, program.cwd, url=link.through(program.url))
    with by_link.start("run", "slow.yaml", "--headless") as child:
        assert child.stdout is not None
        until(lambda: effects(program) == ["begun"], "the first effect")
        link.cut()
        (program.cwd / "go").touch()
        said = iter(child.stdout.readline, "")
        assert any("The run waits" in line for line in said)
        child.send_signal(signal.SIGINT)
        rest = child.stdout.read()
        assert child.wait(60) == exits.STORE, rest
        assert "cannot be reached" in rest
    until(lambda: effects(program) == ["begun", "done"], "the end of the step")
    (found,) = program.runs()
    with Location(program.state, program.url).open() as store:
        until(lambda: store.leases.held_by("run", found["run"]) is None, "the lease's end")
    program.run("resume", found["run"], "--headless").expect(exits.DONE)
    assert effects(program) == ["begun", "done", "next"]
    assert step(program.show(found["run"]), "slow")["attempts"][0]["status"] == "succeeded"
