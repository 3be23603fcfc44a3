"""The shared store: one database, and a local directory for what runs on this machine."""

from __future__ import annotations

from pathlib import Path

from state.stores import postgres_link, sqlite_checks
from state.stores.postgres import PostgresJournal
from state.stores.postgres_claims import PostgresClaims
from state.stores.postgres_inbox import PostgresInbox
from state.stores.postgres_keeper import PostgresKeeper
from state.stores.postgres_leases import PostgresLeases
from state.stores.postgres_news import PostgresIdentities, PostgresNews
from state.stores.postgres_outputs import PostgresOutputs
from state.stores.postgres_presence import PostgresPresence
from state.stores.store import Store


def open_shared(directory: Path, url: str, *, write: bool = True) -> Store:
    """Open the store in a database, made if there is none. Raises StoreError."""
    sqlite_checks.check_directory(directory)
    pair = postgres_link.join(url, write=write)
    try:
        leases = PostgresLeases(pair)
        journal = PostgresJournal(pair.main, leases)
        journal.runs()  # connected, and the schema is known, from the first moment
    except BaseException:
        postgres_link.leave(pair, write=write)
        raise
    outputs = PostgresOutputs(directory, pair, write=write)
    return Store(
        directory,
        journal,
        leases,
        PostgresInbox(pair.main),
        outputs,
        PostgresNews(journal, pair.side),
        PostgresIdentities(pair.main),
        PostgresClaims(pair.main, leases),
        PostgresPresence(pair),
        shared=True,
        keeper=PostgresKeeper(pair.main),
        closes=(
            outputs.close,
            leases.close,
            lambda: postgres_link.leave(pair, write=write),
        ),
    )
