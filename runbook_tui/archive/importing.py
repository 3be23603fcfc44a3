"""Takes an archive into this machine's store: all of it or nothing, also when we are killed.

Unpacked and checked aside, on disk, moved into place, and only then journaled in one transaction:
a run is here when the journal says so. What a killed import left lies aside, or is marked as such;
the next import removes it.
"""

from __future__ import annotations

import ctypes
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from runbook_tui.archive import layout
from runbook_tui.archive.alone import IMPORTING, alone, tidy
from runbook_tui.archive.check import check
from runbook_tui.archive.layout import ArchiveError, Manifest
from runbook_tui.archive.unpack import unpack
from runbook_tui.engine import faults
from state.errors import RunExists
from state.events import AttemptIntended
from state.kept import Kept
from state.protocols import Keeper
from state.stores import sqlite_checks
from state.stores.files import sync_directory
from state.stores.paths import FILE_MODE, make_directory
from state.stores.store import Store

RESERVE: Final = 64 << 20
"""Bytes that an import leaves free on the disk of the state directory."""

_ASIDE: Final = "imports"


@dataclass(frozen=True, slots=True)
class Imported:
    """What was taken in; `already` are runs that were here before, the same to the last event."""

    manifest: Manifest
    runs: tuple[str, ...]
    already: tuple[str, ...]


def import_(store: Store, keeper: Keeper, archive: Path) -> Imported:
    """Take an archive in. Raises ArchiveError (nothing was taken), StoreError, OSError."""
    make_directory(store.directory / "runs")
    with alone(store.directory), _aside(store.directory) as aside:
        tidy(store.directory, store.journal)
        room = max(0, sqlite_checks.free_bytes(store.directory) - RESERVE)
        manifest, found = check(aside, unpack(archive, aside, room), archive.name)
        new = _new(store, found)
        faults.reach("import.checked")
        _move(store.directory, aside, new)
        faults.reach("import.moved")
        try:
            keeper.adopt(new)
        except RunExists as problem:
            raise ArchiveError(f"The run {problem} has come to be here meanwhile.") from problem
        for kept in new:
            (store.directory / "runs" / kept.run / IMPORTING).unlink()
            _share(store, kept)
    runs = tuple(kept.run for kept in new)
    return Imported(manifest, runs, tuple(kept.run for kept in found if kept.run not in runs))


@contextmanager
def _aside(state: Path) -> Iterator[Path]:
    """Yield an empty directory. What an earlier import left there goes."""
    aside = state / _ASIDE
    if aside.exists():
        shutil.rmtree(aside)
    make_directory(aside)
    try:
        yield aside
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _new(store: Store, found: Sequence[Kept]) -> list[Kept]:
    """Return the runs that are not here yet. Raises ArchiveError when one is, but differs."""
    new = []
    for kept in found:
        head = store.journal.head(kept.run)
        last = kept.records[-1]
        if head is None:
            new.append(kept)
        elif (head.count, head.hash) != (last.seq, last.hash):
            raise ArchiveError(
                f"The run {kept.run} is here already, with {head.count} events where the archive "
                f"has {last.seq}.",
                "Import it into another state directory: RUNBOOK_STATE=DIR",
            )
    return new


def _move(state: Path, aside: Path, new: Sequence[Kept]) -> None:
    """Move the files of runs into place, on disk when this returns, marked as not journaled yet."""
    for kept in new:
        files = aside / layout.files_member(kept.run)
        make_directory(files)
        (files / IMPORTING).touch(FILE_MODE)
    _sync_all(aside)
    for kept in new:
        place = state / "runs" / kept.run
        if place.exists():
            raise ArchiveError(
                f"{place} holds files of a run that the journal does not know.",
                "Move that directory away, then import again",
            )
        (aside / layout.files_member(kept.run)).rename(place)
    sync_directory(state / "runs")


def _share(store: Store, kept: Kept) -> None:
    """Have the output readable on every machine that the store is shared with."""
    for record in kept.records:
        if record.kind == AttemptIntended.kind:
            directory = str(record.data["directory"])
            if (store.directory / directory).is_dir():
                store.outputs.follow(directory)
                store.outputs.finish(directory)


def _sync_all(folder: Path) -> None:
    """Have everything on the folder's file system on disk: one call for thousands of files."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        library = ctypes.CDLL(None, use_errno=True)
        if library.syncfs(handle) != 0:
            raise OSError(ctypes.get_errno(), "cannot be synced", str(folder))
    finally:
        os.close(handle)
