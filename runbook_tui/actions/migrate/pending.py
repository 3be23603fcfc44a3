"""Which files are to be applied, from the directory and the ledger. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from runbook_tui.actions.migrate.files import FileError, Migration, gaps
from runbook_tui.actions.migrate.ledger import Row


@dataclass(frozen=True, slots=True)
class Todo:
    """What is missing in the database, in order, and what is worth saying about the files."""

    pending: tuple[Migration, ...]
    applied: tuple[Migration, ...]
    notes: tuple[str, ...]


def compare(
    migrations: Sequence[Migration], rows: Mapping[int, Row], to: str | None, out_of_order: bool
) -> Todo:
    """Compare files and ledger; FileError for a changed file or one that comes too late."""
    done = {version: row for version, row in rows.items() if row.applied_at is not None}
    known = {migration.version for migration in migrations}
    for migration in migrations:
        row = done.get(migration.version)
        if row is not None and row.checksum != migration.checksum:
            raise FileError(
                f"{migration.name} has changed since run {row.run} applied it as {row.name}: its "
                f"checksum was {row.checksum[:12]} and is {migration.checksum[:12]}. Put it back "
                "as it was, and write the change into a new file."
            )
    last = _last(migrations, to)
    pending = [each for each in migrations if each.version not in done and each.version <= last]
    late = [each.name for each in pending if done and each.version < max(done)]
    if late and not out_of_order:
        raise FileError(
            f"{late[0]} comes before {done[max(done)].name}, which is applied already. Give it a "
            "later number, or set out_of_order."
        )
    notes = [*gaps(migrations)]
    notes += [
        f"{row.name} is applied and has no file"
        for row in done.values()
        if row.version not in known
    ]
    applied = [each for each in migrations if each.version in done]
    return Todo(tuple(pending), tuple(applied), tuple(notes))


def _last(migrations: Sequence[Migration], to: str | None) -> int:
    if not migrations:
        return 0
    if to is None:
        return migrations[-1].version
    if not to.isdecimal() or int(to) not in {each.version for each in migrations}:
        raise FileError(f"There is no migration with the number {to}.")
    return int(to)
