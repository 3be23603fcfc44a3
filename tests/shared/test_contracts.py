"""The store in PostgreSQL keeps the contract, for its owner and for members of the group."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from state.stores.location import Location
from state.stores.store import Store
from tests.shared.conftest import as_role
from tests.state.stores import contract


@pytest.fixture(params=["postgres", "dana"])
def role_store(request: pytest.FixtureRequest, url: str, tmp_path: Path) -> Iterator[Store]:
    """The store, made by the owner and used as a role."""
    Location(tmp_path / "state", url).open().close()
    with Location(tmp_path / "state", as_role(url, request.param)).open() as opened:
        yield opened


@pytest.mark.parametrize("clause", contract.CLAUSES, ids=lambda one: one.__name__)
def test_it(role_store: Store, clause: Callable[[Store], None]) -> None:
    clause(role_store)
