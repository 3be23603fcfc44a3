"""The borders of the stores: what the engine and the screens know of them.

All methods raise StoreError when the store cannot be used, and may be called from any thread.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Protocol

from state.claims import Claimant, Claimed
from state.codec import Head
from state.events import Payload, Record, RunStarted
from state.holders import Held, Holder, Kind
from state.json_value import Json
from state.kept import Kept
from state.messages import Message
from state.watcher import Watcher


class JournalReader(Protocol):
    """Reads runs."""

    def runs(self) -> list[str]:
        """Return the ids of all runs, newest first."""

    def head(self, run: str) -> Head | None:
        """Return the run's count and last hash; None when there is no such run."""

    def read(self, run: str, after: int = 0) -> list[Record]:
        """Return the run's records after number `after`, in order; none for an unknown run."""

    def sources(self, run: str) -> dict[str, bytes]:
        """Return the definition that the run began with, byte for byte, by file name.

        The files of definitions adopted since are among them, as `adopted/SHA-256`.
        """

    def close(self) -> None:
        """Let the store go."""


class Journal(JournalReader, Protocol):
    """Writes runs as well. What a method returned is on disk."""

    def create_run(
        self,
        run: str,
        started: RunStarted,
        *,
        operator: str,
        host: str,
        token: int,
        sources: Mapping[str, bytes],
    ) -> Record:
        """Begin a run with its first record and its definition's files.

        Raises RunExists; Fenced when a lease of this store was taken over.
        """

    def keep(self, run: str, sources: Mapping[str, bytes]) -> None:
        """Keep files of a definition that the run is about to adopt; again does no harm.

        KeyError for an unknown run.
        """

    def append(
        self,
        run: str,
        payloads: Sequence[Payload],
        *,
        operator: str,
        host: str,
        token: int,
        after: int | None = None,
    ) -> list[Record]:
        """Add records in one transaction, all or none, and return them: they are on disk then.

        With `after` (the number of the last record that the writer knows) raises Overtaken when
        the run has gone on since. Raises Fenced when a newer token has written or a lease of this
        store was taken over, StoreFull when there is no room (nothing was kept), StoreUnusable when
        it is not known what was kept: read the run again before anything else.
        """


class Lease(Protocol):
    """The right to drive a run, or runs in an environment, until `release` or this process's end.

    On PostgreSQL it must also be heard of: a holder that is silent for longer than the expiry may
    be replaced by whoever acquires next. Until somebody does, it goes on holding.
    """

    @property
    def name(self) -> str:
        """The environment's lock name, or the run's id."""

    @property
    def holder(self) -> Holder:
        """Who took it: this process."""

    @property
    def previous(self) -> Holder | None:
        """Who held it before; its run may have left something unresolved."""

    @property
    def token(self) -> int:
        """The number of this acquisition; a later holder's is higher."""

    def lost(self) -> bool:
        """Whether somebody else is known to have taken it. Cheap: asks nobody, never blocks.

        It hastens the end of a driver that was replaced. What keeps that driver from writing is
        the journal, which looks at the lease within each append (Fenced).
        """

    def release(self) -> None:
        """Let it go; does nothing when it was let go or lost. Raises nothing."""


class Leases(Protocol):
    """Who drives: leases of environments and of runs. Names of the two kinds do not mix."""

    def acquire(
        self, kind: Kind, name: str, *, run: str, operator: str, since: str, above: int = 0
    ) -> Lease | Held:
        """Take a lease without waiting, or say who holds it.

        The token is higher than any before and than `above`. `since` is the time now, as the
        journal writes it.
        """

    def take_over(
        self, kind: Kind, name: str, *, run: str, operator: str, since: str, above: int = 0
    ) -> Lease | Held:
        """Take a lease although somebody may hold it: that holder cannot write any more.

        Where no token can fence a holder (SQLite) this is `acquire`: one who lives is Held.
        """

    def held_by(self, kind: Kind, name: str) -> Held | None:
        """Look, without taking it, whether somebody holds a lease (and is heard of)."""

    def last_holder(self, kind: Kind, name: str) -> Holder | None:
        """Return who holds, or last held, a lease; None when nobody did or it cannot be read."""


class Claims(Protocol):
    """Who may perform an attempt, where a file on one machine cannot say it to the others.

    On that machine the worker's own claim and lock still decide (see `stores.attempt_dir`).
    """

    def claim(self, run: str, attempt: str, claimant: Claimant, *, token: int) -> Claimed:
        """Claim an attempt (the directory in its intent) for its worker, or as void.

        Exactly one of the two is ever had; who asks again gets the same answer. Raises Fenced when
        a lease of this store was taken over and nobody has claimed.
        """


class Inbox(Protocol):
    """Messages to the driver of a run, from people who do not drive.

    The driver journals what it takes together with the message's id. A message that is handed out
    again (`done` was not reached) is known by that id: so each is obeyed exactly once.
    """

    def send(
        self, run: str, kind: str, data: Mapping[str, Json], *, sender: str, host: str
    ) -> Message:
        """Put a message in; it is on disk when this returns. KeyError for an unknown run."""

    def pending(self, run: str) -> list[Message]:
        """Return the messages that are not done, in the order in which they came."""

    def done(self, run: str, ids: Iterable[str]) -> None:
        """Take messages out. Ids that are out already, or unknown, do no harm."""


class Outputs(Protocol):
    """The output of attempts, wherever they ran. `attempt` is the directory in its intent."""

    def follow(self, attempt: str) -> None:
        """Share what a local attempt writes, from now on and by itself. Never blocks."""

    def finish(self, attempt: str) -> None:
        """The attempt has ended: share the rest, then no more. Never blocks."""

    def size(self, attempt: str) -> int | None:
        """Return how many bytes are there to read; None when nothing is known of it."""

    def read(self, attempt: str, offset: int = 0) -> Iterator[bytes]:
        """Yield the output from a byte offset on, as far as it is there now."""

    def fetch(self, attempt: str) -> None:
        """Bring what was shared of another machine's attempt into its directory here, its result
        included, so that it can be looked at like a local one. Does nothing for a local attempt, or
        when all is here.
        """


class News(Protocol):
    """Tells that something has happened; what it was is read from the journal."""

    def wait(self, run: str, after: int, timeout: float) -> bool:
        """Wait up to `timeout` seconds; True as soon as the run has records after `after`."""


class Identities(Protocol):
    """Who somebody is by the store's own word. Approvals rest on it."""

    def own(self) -> str | None:
        """Return the role that this process is known by; None where the store knows none."""

    def is_member(self, identity: str, role: str) -> bool:
        """Whether an identity is that role or a member of it; False for an unknown one."""


class Presence(Protocol):
    """Who watches. It is said again every few seconds, or it does not count any more."""

    def beat(self, run: str, *, operator: str, host: str) -> None:
        """Say that somebody watches a run by way of this store, and no other run any more."""

    def leave(self) -> None:
        """Say that nobody watches by way of this store any more; does nothing when nobody did."""

    def watching(self, run: str) -> list[Watcher]:
        """Return who watches a run now, by name; nobody where the store tells nothing."""


class Keeper(Protocol):
    """Takes whole runs in and out of a journal: import and prune."""

    def adopt(self, runs: Sequence[Kept]) -> None:
        """Keep imported runs exactly as they are, all or none. Raises RunExists.

        Whoever wants to add to one of them gets ImportedRun.
        """

    def origin(self, run: str) -> str | None:
        """Return where an imported run comes from, in words; None for one of this store's own."""

    def size(self, run: str) -> int:
        """Return about how many bytes a run takes in the store, without its attempts' files."""

    def remove(self, runs: Sequence[str]) -> None:
        """Remove runs and what only they need, all or none; unknown ones do no harm."""

    def compact(self) -> int:
        """Give room back to the file system, where that is worth it; return how many bytes."""
