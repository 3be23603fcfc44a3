"""The store in PostgreSQL keeps the contract."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from state.stores.store import Store
from tests.state.stores import contract


@pytest.mark.parametrize("clause", contract.CLAUSES, ids=lambda one: one.__name__)
def test_it(store: Store, clause: Callable[[Store], None]) -> None:
    clause(store)
