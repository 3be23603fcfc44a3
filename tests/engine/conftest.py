"""One pool of workers for a whole module: its helper process is made once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from runbook_tui.engine.workers import Workers
from tests.harness.attempts import Attempts


@pytest.fixture(scope="module")
def pool() -> Iterator[Workers]:
    pool = Workers()
    yield pool
    pool.close()


@pytest.fixture
def attempts(pool: Workers, tmp_path: Path) -> Iterator[Attempts]:
    attempts = Attempts(pool, tmp_path / "attempts")
    yield attempts
    attempts.end()
