"""Holds an unpacked archive against its manifest, and every run against its own chain."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from runbook_tui.archive import layout
from runbook_tui.archive.layout import ArchiveError, Manifest, Member, RunEntry
from runbook_tui.engine import drift, outline
from state import payloads
from state.audit import audit
from state.codec import record_line
from state.errors import CodecError
from state.events import AttemptIntended, DefinitionAdopted, Record
from state.kept import Kept


def check(folder: Path, found: Mapping[str, Member], archive: str) -> tuple[Manifest, list[Kept]]:
    """Return what an archive unpacked in `folder` holds. Raises ArchiveError at anything wrong."""
    if layout.MANIFEST not in found:
        raise ArchiveError("The archive has no manifest: it is none of a run, or was cut off.")
    if found[layout.MANIFEST].size > layout.most_of_manifest(found):
        raise ArchiveError("The archive's manifest is not one of a run's: it is too long.")
    manifest = layout.load((folder / layout.MANIFEST).read_bytes())
    members = {name: one for name, one in found.items() if name != layout.MANIFEST}
    for name in sorted(members.keys() ^ manifest.members.keys()):
        what = "does not list" if name in members else "lists, but does not hold,"
        raise ArchiveError(f"The archive {what} the file {name}.")
    for name, member in members.items():
        if member != manifest.members[name]:
            raise ArchiveError(f"The file {name} in the archive is not as it was written.")
    if not manifest.runs:
        raise ArchiveError("The archive holds no run.")
    if len({entry.run for entry in manifest.runs}) != len(manifest.runs):
        raise ArchiveError("The archive holds a run twice.")
    _refuse_strays(manifest)
    origin = f"imported from {archive}, exported by {manifest.operator}@{manifest.host}"
    kept = [_kept(folder, entry, origin) for entry in manifest.runs]
    _refuse_circles(kept)
    return manifest, kept


def _refuse_circles(runs: Sequence[Kept]) -> None:
    """Refuse runs that roll back a rollback, or themselves: who follows them goes in circles."""
    bases = {kept.run: kept.records[0].data["base"] for kept in runs}
    for run, base in bases.items():
        if base == run or bases.get(str(base)) is not None:
            raise ArchiveError(f"The run {run} in the archive rolls back a rollback.")


def _refuse_strays(manifest: Manifest) -> None:
    expected = {layout.events_member(entry.run) for entry in manifest.runs}
    expected |= {member for entry in manifest.runs for member in entry.sources.values()}
    places = tuple(layout.files_member(entry.run) for entry in manifest.runs)
    for name in sorted(expected - manifest.members.keys()):
        raise ArchiveError(f"The archive lacks {name}.")
    for name in manifest.members:
        # Our own marks begin with a dot, and what an export takes along does not.
        ours = name.startswith(places) and not name.startswith(tuple(f"{one}." for one in places))
        if name not in expected and not ours:
            raise ArchiveError(f"The archive holds a file at a wrong place: {name}.")


def _kept(folder: Path, entry: RunEntry, origin: str) -> Kept:
    records = _records(folder / layout.events_member(entry.run), entry.run)
    wrong = audit(records, entry.head, entry.run)
    if wrong or not records:
        said = wrong[0].text if wrong else "There are no events."
        raise ArchiveError(f"The record of run {entry.run} in the archive is not intact: {said}")
    for record in records:
        if record.kind == AttemptIntended.kind:
            _refuse_outside(entry.run, str(record.data["directory"]))
    sources = {name: (folder / member).read_bytes() for name, member in entry.sources.items()}
    _check_sources(entry.run, records, sources)
    return Kept(entry.run, records, sources, origin)


def _records(path: Path, run: str) -> list[Record]:
    with path.open("rb") as file:
        # One at a time: a file of nothing but line ends would be a long list.
        lines = iter(lambda: file.readline(layout.MAX_EVENT), b"")
        return [_parsed(line, number, run) for number, line in enumerate(lines, 1)]


def _parsed(line: bytes, number: int, run: str) -> Record:
    try:
        record = _record(json.loads(line))
        if f"{record_line(record)}\n".encode() != line:
            raise ValueError(line)  # noqa: TRY301 - told like the others
    except (ValueError, KeyError, TypeError, CodecError, RecursionError) as problem:
        said = f"event {number} of run {run} in the archive cannot be read: {problem}"
        advice = "A newer program may have written it: use that one"
        told = f"{said[:1].upper()}{said[1:200]}."
        raise ArchiveError(told, advice) from problem
    return record


def _record(data: Mapping[str, Any]) -> Record:
    """Return a record of a kind that this program knows. Raises CodecError, KeyError, TypeError."""
    record = Record(**data)
    payloads.from_data(record.kind, record.data)
    texts = (record.run, record.at, record.operator, record.host, record.prev, record.hash)
    numbers = (record.seq, record.token)
    if not all(isinstance(one, str) for one in texts) or any(
        type(one) is not int for one in numbers
    ):
        raise TypeError("a field of another type")
    return record


def _refuse_outside(run: str, directory: str) -> None:
    """Refuse an attempt that is said to lie elsewhere than below its run's directory."""
    if not layout.is_safe(directory) or not directory.startswith(f"runs/{run}/"):
        raise ArchiveError(f"An attempt of run {run} in the archive lies outside: {directory}.")


def _check_sources(run: str, records: Sequence[Record], sources: Mapping[str, bytes]) -> None:
    """See that the definition's files are those whose hashes the chain's events hold."""
    if outline.hashes(drift.began_with(sources)) != records[0].data["definition"]:
        raise ArchiveError(f"The files that run {run} began with are not as they were written.")
    contents = {hashlib.sha256(content).hexdigest() for content in sources.values()}
    for record in records:
        if record.kind == DefinitionAdopted.kind:
            wanted = record.data["files"]
            if not isinstance(wanted, dict) or not set(wanted.values()) <= contents:
                raise ArchiveError(
                    f"Files that run {run} has adopted are not as they were written."
                )
