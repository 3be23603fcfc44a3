"""One PostgreSQL for all tests of the shared journal, with an empty database for each."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from state.stores.location import Location
from state.stores.store import Store
from tests.harness import postgres
from tests.harness.link import Link, link_to
from tests.harness.postgres import Server

ROLES = ("dana", "lee")
"""Roles that may use the journal, as members of the group `runbook`, and own nothing."""


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    with postgres.running() as server:
        with psycopg.connect(server.url(), autocommit=True) as connection:
            connection.execute("create role runbook")
            for role in ROLES:
                connection.execute(f"create role {role} login in role runbook".encode())
            connection.execute("create role stranger login")
        yield server


@pytest.fixture(scope="session")
def database(server: Server) -> str:
    return server.create()


@pytest.fixture
def url(database: str) -> Iterator[str]:
    """A database without a journal, as its owner. Emptied, which is quicker than a new one."""
    yield database
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity "
            "where application_name = 'runbook' and datname = current_database()"
        )
        connection.execute("drop schema if exists runbook cascade")


def as_role(url: str, role: str) -> str:
    """Return the URL for another role."""
    return url.replace("postgres@", f"{role}@")


@pytest.fixture
def location(url: str, tmp_path: Path) -> Location:
    """A shared journal, with a local state directory of this test's own."""
    return Location(tmp_path / "state", url)


@pytest.fixture
def store(location: Location) -> Iterator[Store]:
    with location.open() as opened:
        yield opened


@pytest.fixture
def link(url: str) -> Iterator[Link]:
    """A link to the database's server that can be cut."""
    with link_to(url) as link:
        yield link


@pytest.fixture
def far(location: Location, link: Link, tmp_path: Path) -> Iterator[Store]:
    """The store by way of the link, with a local state directory of its own."""
    assert location.url is not None
    with Location(tmp_path / "far", link.through(location.url)).open() as opened:
        yield opened
