"""The migration files of a directory, read and checked before anything is changed."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final

from runbook_tui.actions.shared import sql_statements

MARKER: Final = re.compile(r"^\s*--\s*runbook:\s*no-transaction\s*$", re.MULTILINE)
"""Says that a file's one statement runs outside of a transaction."""

_NAME = re.compile(r"(\d+)[_-].+\.sql")
_DOWN = re.compile(r".+\.down\.sql")


class FileError(Exception):
    """A migration file cannot be used; the text is a sentence for the operator."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One file. `checksum` is the SHA-256 of its text without byte order mark, line ends as LF."""

    version: int
    name: str
    sql: str
    checksum: str
    transaction: bool


def read(directory: Path) -> list[Migration]:
    """Return the migrations in the order of their numbers; raises FileError for the first fault.

    Files that do not end in `.sql` and those for the way back (`.down.sql`) are not looked at.
    """
    if not directory.is_dir():
        raise FileError(f"The directory of migrations {directory} does not exist.")
    paths = sorted(path for path in directory.glob("*.sql") if not _DOWN.fullmatch(path.name))
    migrations = sorted((_read(path) for path in paths), key=lambda each: each.version)
    for first, second in pairwise(migrations):
        if first.version == second.version:
            raise FileError(f"{first.name} and {second.name} have the same number.")
    return migrations


def gaps(migrations: Sequence[Migration]) -> list[str]:
    """Return a line for each hole in the numbers."""
    return [
        f"no file between {first.name} and {second.name}"
        for first, second in pairwise(migrations)
        if second.version != first.version + 1
    ]


def _read(path: Path) -> Migration:
    named = _NAME.fullmatch(path.name)
    if named is None:
        raise FileError(f"{path.name} has no number: name it like 0001_{path.name}.")
    try:
        sql = path.read_bytes().decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as fault:
        raise FileError(f"{path.name} is not UTF-8 at byte {fault.start}.") from fault
    for trouble in sql_statements.troubles(sql):
        raise FileError(f"{path.name}, line {trouble.line}: {trouble.sentence}. Nothing was run.")
    transaction = MARKER.search(sql) is None
    found = sql_statements.split(sql)
    if not transaction and len(found) != 1:
        raise FileError(
            f"{path.name} is to run without a transaction and holds {len(found)} statements. "
            "Give each a file of its own."
        )
    checksum = hashlib.sha256(sql.encode()).hexdigest()
    return Migration(int(named[1]), path.name, sql, checksum, transaction)
