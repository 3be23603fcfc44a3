"""A sample of the fault matrix; `make crash` runs all of it (see docs/resume.md)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.crash import cells
from tests.crash.cells import Cell, Victim
from tests.crash.running import Matrix
from tests.crash.servers import Servers
from tests.crash.worlds import WORLDS

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
    ("tag", "worker.after-act", "both"),
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


def test_the_table_has_a_class_for_each_cell_and_no_other() -> None:
    assert list(cells.expected()) == cells.everything()


def test_each_point_inside_an_action_has_its_cells(repository: Path) -> None:
    sources = (repository / "runbook_tui/actions").rglob("*.py")
    named = {point for source in sources for point in _POINT.findall(source.read_text())}
    assert named == {point for world in WORLDS.values() for point in world.points}
