"""The whole contract of a store."""

from __future__ import annotations

from tests.state.stores import (
    contract_inbox,
    contract_journal,
    contract_keeper,
    contract_leases,
    contract_outputs,
)

CLAUSES = (
    *contract_journal.CONTRACT,
    *contract_leases.CONTRACT,
    *contract_inbox.CONTRACT,
    *contract_outputs.CONTRACT,
    *contract_keeper.CONTRACT,
)
