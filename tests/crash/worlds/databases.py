"""Migrations, statements that write, and dumps of a database of the world's own."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, ClassVar

import psycopg

from state.stores.files import sync_directory
from tests.crash.worlds.base import Facts, World

_MADE = "create table effects (id bigserial primary key, what text)"
_ROWS = "select what from effects order by what"
_LEDGER = "select version, name, checksum, applied_at is not null from schema_log order by version"
_INDEXES = """
    select c.relname, i.indisvalid from pg_index i join pg_class c on c.oid = i.indexrelid
    where i.indrelid = 'effects'::regclass and not i.indisprimary order by 1
"""


class DatabaseWorld(World):
    """A world with a database that has a table `effects`."""

    def make(self) -> None:
        super().make()
        self.url = self.servers.postgres.create()
        self.ask(_MADE)

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        """Return the rows of a query."""
        with closing(psycopg.connect(self.url, autocommit=True)) as connection:
            cursor = connection.execute(query.encode())
            return cursor.fetchall() if cursor.description else []

    def has(self, table: str) -> bool:
        """Tell whether there is a table."""
        return self.ask(f"select to_regclass('{table}') is not null") == [(True,)]

    def close(self) -> None:
        self.servers.postgres.drop(self.url)
        super().close()


class Migrate(DatabaseWorld):
    """One file, whose row in `effects` shows how often it was applied."""

    action = "migrate"
    points = ("migrate.committed",)
    files: ClassVar[Mapping[str, str]] = {
        "0001_one.sql": "insert into effects (what) values ('one');\n"
    }

    def make(self) -> None:
        super().make()
        (self.work / "migrations").mkdir()
        for name, text in self.files.items():
            (self.work / "migrations" / name).write_text(text)

    def options(self) -> Mapping[str, Any]:
        directory = str(self.work / "migrations")
        return {"migrate": {"database": self.url, "directory": directory}}

    def facts(self) -> Facts:
        ledger = self.ask(_LEDGER) if self.has("schema_log") else []
        indexes = self.ask(_INDEXES)
        return {"rows": self.ask(_ROWS), "ledger": ledger, "indexes": indexes}


class TwoMigrations(Migrate):
    """Two files: cut after the first, a part is there."""

    action = "migrate-two"
    files: ClassVar[Mapping[str, str]] = {
        **Migrate.files,
        "0002_two.sql": "insert into effects (what) values ('two');\n",
    }


class Index(Migrate):
    """A file outside of a transaction."""

    action = "migrate-index"
    files: ClassVar[Mapping[str, str]] = {
        "0001_index.sql": "-- runbook: no-transaction\n"
        "create index concurrently by_what on effects (what);\n"
    }


class Sql(DatabaseWorld):
    """A statement that writes a row."""

    action = "sql"
    points = ("sql.committed",)

    def options(self) -> Mapping[str, Any]:
        query = "insert into effects (what) values ('written')"
        return {"sql": {"query": query, "database": self.url, "write": True}}

    def facts(self) -> Facts:
        return {"rows": self.ask(_ROWS)}


class Backup(DatabaseWorld):
    """A dump in a directory, which must hold one dump and nothing else."""

    action = "backup"
    points = ("backup.dumped", "backup.kept")

    def make(self) -> None:
        super().make()
        self.dumps = self.home / "dumps"
        self.dumps.mkdir()

    def lie_on(self, disk: Path) -> None:
        """The dumps are cut off with the journal; the database is not."""
        super().lie_on(disk)
        self.dumps = disk / "dumps"
        self.dumps.mkdir()
        sync_directory(disk)
        self.write()

    def options(self) -> Mapping[str, Any]:
        return {"backup": {"database": self.url, "to": str(self.dumps)}}

    def facts(self) -> Facts:
        found = [one for one in self.dumps.iterdir() if one.stat().st_size]
        return {"kinds": sorted(one.suffix for one in found)}
