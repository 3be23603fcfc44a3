"""What else the database knows: that something has happened, and who somebody is."""

from __future__ import annotations

import time
from typing import Final

from state.errors import StoreAway
from state.protocols import JournalReader
from state.stores.postgres_link import Link

_LOOK_EVERY: Final = 1.0
"""Seconds after which it is looked anyway: news are lost while a connection is."""

_PAUSE: Final = 0.25
"""Seconds before a lost connection is made anew."""


class PostgresNews:
    """`News` that are heard; the table is the truth, and what is heard only wakes."""

    def __init__(self, journal: JournalReader, side: Link) -> None:
        self._journal = journal
        self._side = side

    def wait(self, run: str, after: int, timeout: float) -> bool:
        """Wait up to `timeout` seconds; True as soon as the run has records after `after`."""
        deadline = time.monotonic() + timeout
        self._side.listen()
        self._heard(run, 0)  # connected before it is looked: nothing falls between
        while True:
            head = self._journal.head(run)
            if head is not None and head.count > after:
                return True
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            look_at = time.monotonic() + min(_LOOK_EVERY, left)
            while (rest := look_at - time.monotonic()) > 0 and not self._heard(run, rest):
                pass

    def _heard(self, run: str, timeout: float) -> bool:
        """Whether there are news of the run, or some may have been missed."""
        try:
            return run in self._side.heard(timeout)
        except StoreAway:
            time.sleep(min(_PAUSE, timeout))
            return True


class PostgresIdentities:
    """The `Identities` that the database knows: its roles."""

    def __init__(self, link: Link) -> None:
        self._link = link

    def own(self) -> str | None:
        """Return the role that this process has logged in as."""
        role: str = self._link.read("SELECT session_user")[0][0]
        return role

    def is_member(self, identity: str, role: str) -> bool:
        """Whether an identity is that role or a member of it; False for an unknown one."""
        rows = self._link.read(
            "SELECT pg_has_role(i.oid, r.oid, 'MEMBER') FROM pg_roles AS i, pg_roles AS r "
            "WHERE i.rolname = %(identity)s AND r.rolname = %(role)s",
            {"identity": identity, "role": role},
        )
        return bool(rows and rows[0][0])
