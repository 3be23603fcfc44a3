"""One PostgreSQL for all tests of the shared journal; a fresh database each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from state.stores.location import Location
from state.stores.store import Store
from tests.harness import postgres
from tests.harness.postgres import Server


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    with postgres.running() as server:
        yield server


@pytest.fixture
def url(server: Server) -> Iterator[str]:
    """A fresh database."""
    url = server.create()
    yield url
    server.drop(url)


@pytest.fixture
def location(url: str, tmp_path: Path) -> Location:
    """A shared journal, with a local state directory of this test's own."""
    return Location(tmp_path / "state", url)


@pytest.fixture
def store(location: Location) -> Iterator[Store]:
    with location.open() as opened:
        yield opened
