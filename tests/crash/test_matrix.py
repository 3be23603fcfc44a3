"""A sample of the fault matrix; `make crash` runs all of it (see docs/resume.md)."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from runbook_tui import exits
from state.stores.files import write_whole
from state.stores.machine import boot_id
from tests.crash import cells
from tests.crash.cells import Cell, Victim
from tests.crash.mutations import MUTATIONS, Mutation, applies, survivors
from tests.crash.power import Disk
from tests.crash.running import CHECKOUT, Matrix
from tests.crash.servers import Servers
from tests.crash.striking import Struck, faults, state_of
from tests.crash.worlds import WORLDS
from tests.crash.worlds.commands import Run
from tests.harness.processes import until
from tests.harness.program import Program

SAMPLE: tuple[tuple[str, str, Victim], ...] = (
    ("run", "driver.before-intent", "driver"),
    ("run", "driver.after-intent", "power"),
    ("run", "worker.before-claim", "late"),
    ("run", "worker.before-act", "late"),
    ("run", "worker.after-act", "worker"),
    ("run-verified", "worker.after-act", "both"),
    ("undo", "worker.after-act", "both"),
    ("tag", "driver.after-spawn", "driver"),
    ("tag", "worker.before-act", "worker"),
    ("tag", "tag.made", "both"),
    ("tag", "worker.after-act", "both"),
    ("tag", "worker.after-act", "power"),
    ("tag", "worker.after-result", "driver"),
    ("migrate", "worker.after-act", "power"),
    ("migrate", "migrate.committed", "both"),
    ("migrate", "worker.before-act", "driver"),
    ("migrate-two", "migrate.committed", "worker"),
    ("sql", "sql.committed", "both"),
    ("ssh", "ssh.started", "both"),
    ("ssh", "worker.after-act", "worker"),
    ("announce", "announce.sending", "both"),
    ("announce", "worker.before-act", "worker"),
    ("announce", "worker.after-act", "both"),
    ("announce", "driver.after-outcome", "power"),
    ("copy", "worker.before-claim", "both"),
    ("copy", "copy.placed", "worker"),
    ("copy", "worker.after-act", "worker"),
    ("copy", "worker.after-result", "both"),
)

_POINT = re.compile(r'\bfault\("([a-z]+\.[a-z-]+)"\)')


@pytest.fixture(scope="module")
def matrix() -> Iterator[Matrix]:
    with Servers() as servers:
        yield Matrix(servers)


@pytest.mark.parametrize(("action", "point", "victim"), SAMPLE)
def test_after_a_death_the_effect_is_there_once(
    matrix: Matrix, action: str, point: str, victim: Victim
) -> None:
    cell = Cell(action, point, victim)
    matrix.run(cell, cells.expected()[cell])


def test_a_late_observer_still_finds_the_worker(tmp_path: Path) -> None:
    """A result is there before its worker stands: the driver waits, or it would be over first."""
    with Servers() as servers, closing(Run(servers, tmp_path / "w")) as world:
        cell = Cell("run", "worker.after-result", "worker")
        fault = {"RUNBOOK_FAULT": faults(cell, world.step)}
        program = subprocess.Popen(
            [sys.executable, "-m", "runbook_tui", *world.command(None)],
            cwd=world.work,
            env=Program(world.state, world.work, {"PYTHONPATH": str(CHECKOUT)}).environment(fault),
            stdout=subprocess.PIPE,
            text=True,
        )
        with closing(Struck(program)) as struck:
            until(lambda: state_of(program.pid) in ("T", "Z"), "the driver's stop, or its end")
            struck.strike(cell, lambda: None)
            assert struck.ends()[0] == exits.DONE


def test_the_matrix_bites(matrix: Matrix, tmp_path: Path) -> None:
    """One guard of many (`make crash MUTATIONS=1`): without it a cell fails."""
    (chosen,) = [one for one in MUTATIONS if one.name == "nobody looks before a step runs again"]
    assert survivors(matrix, tmp_path, [chosen]) == []


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_the_guards_to_take_away_are_there(mutation: Mutation) -> None:
    assert all(applies(edit) for edit in mutation.edits)
    assert mutation.cell in cells.expected()


def test_a_power_cut_loses_what_was_not_synced(tmp_path: Path) -> None:
    with closing(Disk(tmp_path)) as disk:
        write_whole(disk.path / "synced", b"here", sync=True)
        write_whole(disk.path / "not", b"gone", sync=False)
        before = boot_id()
        disk.cut()
        disk.replace()
        assert sorted(path.name for path in disk.path.glob("[!l]*")) == ["synced"]
        assert (disk.path / "synced").read_bytes() == b"here"
        seen = [*disk.after, "cat", "/proc/sys/kernel/random/boot_id"]
        assert subprocess.check_output(seen, text=True).strip() not in ("", before)


def test_the_table_has_a_class_for_each_cell_and_no_other() -> None:
    assert list(cells.expected()) == cells.everything()


def test_each_point_inside_an_action_has_its_cells(repository: Path) -> None:
    sources = (repository / "runbook_tui/actions").rglob("*.py")
    named = {point for source in sources for point in _POINT.findall(source.read_text())}
    assert named == {point for world in WORLDS.values() for point in world.points}
    page = (repository / "docs/resume.md").read_text(encoding="utf-8")
    rows = page.partition("| inside of |")[2].partition("\n\n")[0]
    assert named == set(re.findall(r"`([a-z]+\.[a-z-]+)`", rows))
