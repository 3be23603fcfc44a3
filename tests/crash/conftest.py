"""Interrupted runs with real workers, and a database for those that want one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from runbook_tui.engine.workers import Workers
from tests.harness import postgres
from tests.harness.interrupted import Interrupted


@pytest.fixture(scope="module")
def workers() -> Iterator[Workers]:
    pool = Workers()
    yield pool
    pool.close()


@pytest.fixture
def run(tmp_path: Path, workers: Workers) -> Interrupted:
    return Interrupted(tmp_path, workers)


@pytest.fixture(scope="module")
def server() -> Iterator[postgres.Server]:
    with postgres.running() as server:
        yield server


@pytest.fixture
def database(server: postgres.Server) -> Iterator[str]:
    url = server.create()
    yield url
    server.drop(url)
