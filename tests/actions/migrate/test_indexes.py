"""Which index a statement builds, read from its text."""

from __future__ import annotations

import pytest

from runbook_tui.actions.migrate.indexes import Index, built_by


@pytest.mark.parametrize(
    ("statement", "index"),
    [
        ("create index concurrently i on t (a)", Index("i", "t")),
        ("CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS Big ON S.T(a)", Index("big", "S.T")),
        ('create index concurrently "I ""x""" on "S" . "t" (a)', Index('I "x"', '"S"."t"')),
        ("create index\n  concurrently\n  i on only t using gin (a)", Index("i", "t")),
        ("create index concurrently on t (a)", None),
        ("create index i on t (a)", None),
        ("reindex index concurrently i", None),
        ("drop index concurrently i", None),
    ],
)
def test_built_by(statement: str, index: Index | None) -> None:
    assert built_by(statement) == index
