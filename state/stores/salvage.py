"""What can still be read of a damaged journal file, run by run, as far as its chains hold."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from state.codec import EMPTY, Head, head_of, record_hash
from state.events import DefinitionAdopted, Record
from state.kept import Kept
from state.stores.sqlite import COLUMNS
from state.stores.sqlite_open import text_of

_MAGIC: Final = b"SQLite format 3\0"
_HEADER: Final = 100
_LONGEST: Final = 1 << 40
_READ: Final = (
    "SELECT run, count, hash, token FROM heads",
    f"SELECT {COLUMNS} FROM events LIMIT 0",  # noqa: S608
    "SELECT run, name, hash, content FROM sources JOIN blobs USING (hash) LIMIT 0",
)
_READ_TOO: Final = "SELECT number, id, run, kind, data, sender, host, at, done FROM inbox LIMIT 0"
"""What must be possible in a file that is sound: its tables have the columns that they had."""


@dataclass(frozen=True, slots=True)
class Saved:
    """A run as far as it could be read. `head` is what the journal counted; None if unreadable.

    `whole` says that nothing is missing: neither events nor the files it began with.
    """

    kept: Kept
    head: Head | None
    whole: bool


def salvage(file: Path) -> list[Saved]:
    """Return the runs of a journal file, oldest first, each as far as it can be read.

    `file` is a copy: opening it may change it. Raises nothing for damage; an unreadable file has
    no runs.
    """
    _fill_up(file)
    with closing(sqlite3.connect(file, isolation_level=None)) as database:
        database.text_factory = text_of
        heads = _heads(database)
        names = [*heads, *(run for run in _runs(database) if run not in heads)]
        return [_saved(database, run, heads.get(run)) for run in names]


def _fill_up(file: Path) -> None:
    """Give a file that was cut off its length again: else SQLite reads no page of it at all."""
    with file.open("r+b") as opened:
        header = opened.read(_HEADER)
        if len(header) < _HEADER or not header.startswith(_MAGIC):
            return
        page = int.from_bytes(header[16:18], "big")
        pages = int.from_bytes(header[28:32], "big")
        # A page size of 1 stands for 65,536; a length that nobody's journal has is damage itself.
        length = pages * (65_536 if page == 1 else page)
        if file.stat().st_size < length < _LONGEST:
            opened.truncate(length)


def sound(file: Path) -> bool:
    """Whether SQLite finds nothing wrong with a journal file."""
    try:
        with closing(sqlite3.connect(file, isolation_level=None)) as database:
            found: object = database.execute("PRAGMA integrity_check(1)").fetchone()
            [version] = database.execute("PRAGMA user_version").fetchone()
            # The first version of the schema had no inbox.
            for statement in (*_READ, *((_READ_TOO,) if version > 1 else ())):
                database.execute(statement).fetchall()
            return found == ("ok",)
    except (sqlite3.Error, UnicodeDecodeError):
        return False


def _rows(
    database: sqlite3.Connection, statement: str, *values: object
) -> Iterator[tuple[Any, ...]]:
    """Yield rows until there are no more, or the damage begins."""
    try:
        yield from database.execute(statement, values)
    except (sqlite3.Error, UnicodeDecodeError):
        return


def _heads(database: sqlite3.Connection) -> dict[str, tuple[Head, str | None]]:
    """Return the head of each run, and where it comes from if it was imported."""
    rows = list(_rows(database, "SELECT run, count, hash, origin FROM heads ORDER BY id"))
    # An older program's file knows no origin.
    rows = rows or list(_rows(database, "SELECT run, count, hash, NULL FROM heads ORDER BY id"))
    return {run: (Head(count, digest), origin) for run, count, digest, origin in rows}


def _runs(database: sqlite3.Connection) -> list[str]:
    return [str(run) for (run,) in _rows(database, "SELECT DISTINCT run FROM events")]


def _saved(database: sqlite3.Connection, run: str, known: tuple[Head, str | None] | None) -> Saved:
    head, origin = known if known is not None else (None, None)
    records = list(_chained(database, run))
    last = head_of(records[-1]) if records else EMPTY
    sources = _sources(database, run)
    whole = bool(records) and last == head and _has_files(records, sources)
    if not whole:
        of = "nobody knows how many" if head is None else head.count
        files = "" if head != last else ", without all the files it began with"
        origin = f"saved from a damaged journal: {last.count} of {of} events{files}"
    return Saved(Kept(run, records, sources, origin), head, whole)


def _chained(database: sqlite3.Connection, run: str) -> Iterator[Record]:
    """Yield a run's records from the first, as long as each follows the one before."""
    before = EMPTY
    rows = _rows(
        database,
        f"SELECT {COLUMNS} FROM events WHERE run = ? ORDER BY seq",  # noqa: S608
        run,
    )
    for row in rows:
        try:
            seq, of, at, kind, data, *rest = row
            record = Record(seq, of, at, kind, json.loads(data), *rest)
            fits = (record.seq, record.prev) == (before.count + 1, before.hash)
            if not fits or record.hash != record_hash(record):
                return
        except (ValueError, TypeError):
            return
        before = head_of(record)
        yield record


def _has_files(records: Sequence[Record], sources: Mapping[str, bytes]) -> bool:
    """Whether all files are there that a run began with, by name, and adopted, by their hash."""
    definition = records[0].data.get("definition")
    if not isinstance(definition, dict) or not definition.keys() <= sources.keys():
        return False
    known = {hashlib.sha256(content).hexdigest() for content in sources.values()}
    files = [one.data.get("files") for one in records if one.kind == DefinitionAdopted.kind]
    return all(isinstance(one, dict) and known.issuperset(one.values()) for one in files)


def _sources(database: sqlite3.Connection, run: str) -> dict[str, bytes]:
    rows = _rows(
        database,
        "SELECT name, content, hash FROM sources JOIN blobs USING (hash) WHERE run = ?",
        run,
    )
    return {
        name: content
        for name, content, digest in rows
        if isinstance(content, bytes) and hashlib.sha256(content).hexdigest() == digest
    }
