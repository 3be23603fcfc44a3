"""Packs a run, and those that roll it back, into one archive that is whole or not there."""

from __future__ import annotations

import hashlib
import io
import os
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Final, cast

import runbook_tui
from runbook_tui.archive import layout
from runbook_tui.archive.layout import Manifest, Member, RunEntry
from runbook_tui.engine import clock, faults
from state.audit import audit
from state.codec import head_of, record_line, seal
from state.errors import StoreCorrupt
from state.events import AttemptIntended, Record, RollbackBegun
from state.fold import fold
from state.run_state import RunState
from state.status import AttemptStatus
from state.stores.attempt_dir import AttemptDir
from state.stores.files import whole_file
from state.stores.store import Store

_COMPRESSION: Final = 6


@dataclass(frozen=True, slots=True)
class Exported:
    """What was packed: the manifest, and how many bytes the archive has."""

    manifest: Manifest
    size: int


def export(store: Store, run: str, target: Path, *, operator: str, host: str) -> Exported:
    """Write the archive of a run of this journal. A run that is driven is packed as far as it is.

    Raises StoreCorrupt for a run that is not intact, StoreError, OSError.
    """
    with whole_file(target) as file:
        with tarfile.open(
            fileobj=file,
            mode="w:gz",
            format=tarfile.GNU_FORMAT,
            compresslevel=_COMPRESSION,
            encoding="utf-8",
            errors="surrogateescape",
        ) as tar:
            packing = _Packing(tar)
            entries = [_pack(store, one, packing) for one in _family(store, run)]
            driven = [one.run for one in entries if store.leases.held_by("run", one.run)]
            manifest = Manifest(
                clock.utc(),
                operator,
                host,
                runbook_tui.__version__,
                tuple(entries),
                tuple(driven),
                packing.members,
            )
            packing.add(layout.MANIFEST, manifest.dump())
        faults.reach("export.written", run)
    return Exported(manifest, target.stat().st_size)


def _family(store: Store, run: str) -> list[str]:
    """Return a run and the linked runs that rolled it back, or tried to."""
    found = [run]
    for record in store.journal.read(run):
        if record.kind == RollbackBegun.kind:
            linked = str(record.data["by"])
            if linked not in found and store.journal.head(linked) is not None:
                found.append(linked)
    return found


def _pack(store: Store, run: str, packing: _Packing) -> RunEntry:
    # Events first: what lies beside them then is at least what they tell of.
    records = store.journal.read(run)
    head = head_of(records[-1])
    faults_found = audit(records, head, run)
    if faults_found:
        raise StoreCorrupt(
            f"The record of run {run} is not intact: {faults_found[0].text}",
            f"See where: runbook audit {run}.",
        )
    lines = "".join(f"{record_line(record)}\n" for record in records)
    packing.add(layout.events_member(run), lines.encode())
    sources: dict[str, str] = {}
    for name, content in sorted(store.journal.sources(run).items()):
        sources[name] = layout.source_member(run, len(sources) + 1)
        packing.add(sources[name], content)
    missing = _missing(store, records)
    for name in _files(store.directory / "runs" / run):
        packing.add_file(layout.files_member(run, name), store.directory / "runs" / run / name)
    state = fold(records)
    partial = tuple(one for one in _partial(store, state) if one not in missing)
    status = state.status.value
    return RunEntry(run, head.count, head.hash, seal(head), status, sources, missing, partial)


def _missing(store: Store, records: list[Record]) -> tuple[str, ...]:
    """Bring the attempts' files here from where they are; return directories that are nowhere."""
    missing = []
    for record in records:
        if record.kind == AttemptIntended.kind:
            directory = str(record.data["directory"])
            here = (store.directory / directory).is_dir()
            if not here and store.outputs.size(directory) is None:
                missing.append(directory)
            else:
                store.outputs.fetch(directory)
    return tuple(missing)


def _partial(store: Store, state: RunState) -> Iterator[str]:
    """Yield the attempts of other machines whose end was not shared: their result is not here."""
    if not store.shared or store.origin(state.run) is not None:
        return
    for step in state.steps.values():
        for attempt in step.attempts:
            directory = AttemptDir(store.directory / attempt.directory)
            acted = attempt.status is not AttemptStatus.VOID
            if acted and not directory.exists() and directory.read_result() is None:
                yield attempt.directory


def _files(directory: Path) -> Iterator[str]:
    """Yield the plain files below a directory, relative to it; drafts and links are none."""
    for folder, folders, names in os.walk(directory):
        folders.sort()
        for name in sorted(names):
            path = Path(folder, name)
            draft = name.startswith(".")
            if not draft and path.is_file() and not path.is_symlink():
                yield str(path.relative_to(directory))


class _Hashing(io.RawIOBase):
    """Hashes what is read through it, up to a number of bytes."""

    def __init__(self, source: BinaryIO, size: int) -> None:
        self._source = source
        self._left = size
        self.digest = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        piece = self._source.read(self._left if size < 0 else min(size, self._left))
        self._left -= len(piece)
        self.digest.update(piece)
        return piece


@dataclass
class _Packing:
    """The archive as it is written, and what is in it so far."""

    tar: tarfile.TarFile
    members: dict[str, Member] = field(default_factory=dict)

    def add(self, name: str, content: bytes) -> None:
        self._put(name, io.BytesIO(content), len(content))

    def add_file(self, name: str, path: Path) -> None:
        """Add a file as long as it is now: an output may still grow. One that went is left out."""
        try:
            handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except FileNotFoundError:
            return
        with os.fdopen(handle, "rb") as file:
            self._put(name, file, os.fstat(handle).st_size)

    def _put(self, name: str, source: BinaryIO, size: int) -> None:
        info = tarfile.TarInfo(name)
        info.size, info.mode = size, 0o600
        hashing = _Hashing(source, size)
        self.tar.addfile(info, cast("BinaryIO", hashing))
        self.members[name] = Member(size, hashing.digest.hexdigest())
