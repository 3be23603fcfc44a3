"""Puts a journal file anew in the place of a damaged one, of what can still be read of it."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from state.errors import StoreCorrupt, StoreUnusable
from state.stores import locks
from state.stores import sqlite_checks as checks
from state.stores.files import sync_directory
from state.stores.paths import DIRECTORY_MODE
from state.stores.salvage import Saved, salvage, sound
from state.stores.sqlite import open_journal
from state.stores.sqlite_keeper import SqliteKeeper
from state.stores.sqlite_open import APPLICATION_ID

_PARTS = ("", "-wal")
_HEADER, _MARK = 72, 68
"""Bytes of SQLite's header up to the application's mark, and where that begins."""


@dataclass(frozen=True, slots=True)
class Recovered:
    """What was saved, and where the damaged file lies now; `damaged` is None when it was sound."""

    saved: Sequence[Saved]
    damaged: Path | None


def recover(directory: Path, now: str) -> Recovered:
    """Save what can be read, where the file, or the chain of a run, is damaged.

    The file is kept in a directory of its own, named by `now`.
    Raises StoreUnusable when somebody drives, StoreError, OSError: the file is as it was then.
    """
    checks.check_directory(directory)
    if locks.any_held(directory):
        raise StoreUnusable(
            f"Somebody drives a run of {directory}.", "Wait until that run ends, or is left."
        )
    _check_file(directory / checks.JOURNAL)
    kept = directory / f"damaged-{now.replace(':', '')}"
    kept.mkdir(DIRECTORY_MODE)
    for part in _PARTS:
        file = directory / f"{checks.JOURNAL}{part}"
        if file.exists():
            shutil.copy2(file, kept / file.name)
    with tempfile.TemporaryDirectory(prefix=".recover-", dir=directory) as folder:
        copy = Path(shutil.copytree(kept, Path(folder) / "copy"))
        found = salvage(copy / checks.JOURNAL)
        if sound(copy / checks.JOURNAL) and all(one.whole for one in found):
            shutil.rmtree(kept)
            return Recovered((), None)
        saved = [one for one in found if one.kept.records]
        if not saved:
            shutil.rmtree(kept)
            raise StoreCorrupt(
                f"Nothing can be read of the journal in {directory}.",
                "Restore it from a backup; runbook export of runs is one, too.",
            )
        made = Path(folder) / "made"
        with open_journal(made) as journal:
            SqliteKeeper(journal).adopt([one.kept for one in saved])
        sync_directory(kept)
        (made / checks.JOURNAL).replace(directory / checks.RECOVERED)
    sync_directory(directory)
    checks.take_recovered(directory)
    return Recovered(saved, kept)


def _check_file(file: Path) -> None:
    """Refuse what is no damaged journal: nothing, or another program's file."""
    try:
        with file.open("rb") as opened:
            header = opened.read(_HEADER)
    except FileNotFoundError:
        raise StoreCorrupt(f"There is no journal {file}.", "Restore it from a backup.") from None
    mark = int.from_bytes(header[_MARK:], "big") if header.startswith(b"SQLite format 3") else None
    if mark not in (None, APPLICATION_ID):
        raise StoreUnusable(
            f"{file} is not a runbook journal.", "Name another directory in RUNBOOK_STATE."
        )
