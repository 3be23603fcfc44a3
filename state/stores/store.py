"""All that a program keeps: the parts of one store, opened together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from state.protocols import (
    Claims,
    Identities,
    Inbox,
    Journal,
    Keeper,
    Leases,
    News,
    Outputs,
    Presence,
)
from state.run_state import AttemptState
from state.stores.attempt_dir import AttemptDir
from state.stores.file_leases import FileLeases
from state.stores.local import LocalClaims, LocalOutputs, NoIdentities, NoPresence, PollingNews
from state.stores.machine import machine_id
from state.stores.sqlite import open_journal, open_reader
from state.stores.sqlite_inbox import SqliteInbox
from state.stores.sqlite_keeper import SqliteKeeper


@dataclass(frozen=True, slots=True)
class Store:
    """The parts of one store. `directory` is the local state directory, where attempts lie.

    `shared` says that other machines use it too. Use as a context manager, or `close` it.
    """

    directory: Path
    journal: Journal
    leases: Leases
    inbox: Inbox
    outputs: Outputs
    news: News
    identities: Identities
    claims: Claims = field(default_factory=LocalClaims)
    presence: Presence = field(default_factory=NoPresence)
    shared: bool = False
    keeper: Keeper | None = None
    closes: tuple[Callable[[], None], ...] = ()
    """What is done when the store is let go, in this order, before the journal is."""

    def origin(self, run: str) -> str | None:
        """Return where an imported run comes from, in words; None for one of this store's own."""
        return self.keeper.origin(run) if self.keeper is not None else None

    def begun_here(self, attempt: AttemptState) -> bool:
        """Whether the files of an attempt would be here: by this machine, in this state directory.

        In a shared store two people on one machine have a directory each; what one of them began
        is elsewhere to the other, who sees neither its lock nor its claim.
        """
        if attempt.machine != machine_id():
            return False
        return not self.shared or AttemptDir(self.directory / attempt.directory).exists()

    def close(self) -> None:
        """Let the store go."""
        for close in self.closes:
            close()
        self.journal.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def open_local(directory: Path, *, write: bool = True) -> Store:
    """Open the store of one machine in a state directory. Raises StoreError."""
    journal = open_journal(directory) if write else open_reader(directory)
    return Store(
        directory,
        journal,
        FileLeases(directory),
        SqliteInbox(journal),
        LocalOutputs(directory),
        PollingNews(journal),
        NoIdentities(),
        keeper=SqliteKeeper(journal),
    )
