"""The store of one machine keeps the contract."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from state.stores.store import Store, open_local
from tests.state.stores import contract


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_local(tmp_path / "state") as opened:
        yield opened


@pytest.mark.parametrize("clause", contract.CLAUSES, ids=lambda one: one.__name__)
def test_it(store: Store, clause: Callable[[Store], None]) -> None:
    clause(store)
