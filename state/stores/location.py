"""Where the state is kept, by what RUNBOOK_STATE names. Imports little: screens begin with it."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from state.errors import StoreUnusable

if TYPE_CHECKING:
    from state.stores.store import Store

VARIABLE: Final = "RUNBOOK_STATE"
LOCAL: Final = "RUNBOOK_STATE_LOCAL"
"""Names the local state directory where RUNBOOK_STATE is a URL: attempts and their output."""

_HOME: Final = "~/.local/state/runbook"
_SCHEMES: Final = ("postgresql", "postgres")


@dataclass(frozen=True, slots=True)
class Location:
    """A local state directory, and the URL of the database where that is shared."""

    directory: Path
    url: str | None = None

    def open(self, *, write: bool = True) -> Store:
        """Open the store, made if there is none; not to `write`, only to read. Raises StoreError.

        Nothing can be sent to the inbox of a store that is only read.
        """
        if self.url is not None:
            from state.stores.postgres_store import open_shared  # psycopg takes its time

            return open_shared(self.directory, self.url, write=write)
        from state.stores.store import open_local  # not before something is wanted of it

        return open_local(self.directory, write=write)


def location() -> Location:
    """Return where the state is kept: `$RUNBOOK_STATE`, or `~/.local/state/runbook`.

    Nothing is made or reached here. Raises StoreUnusable for a URL that is none of ours.
    """
    named = os.environ.get(VARIABLE)
    if not named or "://" not in named:
        return Location(_absolute(named or _HOME))
    scheme = named.partition(":")[0]
    if scheme not in _SCHEMES:
        raise StoreUnusable(
            f"{VARIABLE} names a {scheme} URL, and a shared journal is kept in PostgreSQL only.",
            f"Name a directory on a local disk, or postgresql://HOST/DATABASE, in {VARIABLE}.",
        )
    return Location(_absolute(os.environ.get(LOCAL) or f"{_HOME}/shared/{_label(named)}"), named)


def _label(url: str) -> str:
    """Return a name for a database that is the same for all its roles and passwords."""
    parts = urlsplit(url)
    place = f"{parts.netloc.rpartition('@')[2]}{parts.path}"
    return hashlib.sha256(place.encode(errors="replace")).hexdigest()[:12]


def _absolute(path: str) -> Path:
    return Path(path).expanduser().absolute()
