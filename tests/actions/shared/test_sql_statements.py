"""SQL is split where the server splits it, and forbidden commands are found wherever they hide."""

from __future__ import annotations

import pytest

from runbook_tui.actions.shared.sql_statements import split, troubles


@pytest.mark.parametrize(
    ("sql", "texts"),
    [
        ("", []),
        ("-- only a comment\n;;", []),
        ("select 1; select 2", ["select 1", "select 2"]),
        ("select ';' || \"a;b\" -- ; x\n;select 2;", ["select ';' || \"a;b\" -- ; x", "select 2"]),
        ("select e'\\';' ;select 'it''s;'", ["select e'\\';'", "select 'it''s;'"]),
        ("do $$ begin; end $$; select 1", ["do $$ begin; end $$", "select 1"]),
        ("do $f$ x $$; $f$; select 1", ["do $f$ x $$; $f$", "select 1"]),
        ("/* a; /* b; */ c; */ select 1; select 2", ["select 1", "select 2"]),
        ("select $1; select a$b$c;", ["select $1", "select a$b$c"]),
        (
            "create function f() returns int begin atomic select case when true then 1 end; "
            "select 2; end; select 3",
            [
                "create function f() returns int begin atomic select case when true then 1 end; "
                "select 2; end",
                "select 3",
            ],
        ),
    ],
)
def test_statements(sql: str, texts: list[str]) -> None:
    assert [statement.text for statement in split(sql)] == texts


@pytest.mark.parametrize(
    ("sql", "line", "command"),
    [
        ("select 1;\nCOMMIT;", 2, "COMMIT"),
        ("/* x */ begin; select 1", 1, "BEGIN"),
        ("start transaction;", 1, "START"),
        ("select 1;\n\nend", 3, "END"),
        ("ROLLBACK to x", 1, "ROLLBACK"),
        ("abort", 1, "ABORT"),
        ("prepare transaction 'x'", 1, "PREPARE"),
        ("copy t from stdin;\n1\n\\.", 3, r"\."),
        ("copy t (a) from stdin with csv", 1, "COPY FROM STDIN"),
        ("select 1;\n\\connect other", 2, r"\c"),
    ],
)
def test_what_breaks_one_transaction_a_file(sql: str, line: int, command: str) -> None:
    first = next(troubles(sql))
    assert (first.line, first.sentence.partition(" controls")[0].partition(" is a")[0]) == (
        line,
        command if not command.startswith("COPY") else first.sentence,
    )
    assert first.sentence.startswith(command)


@pytest.mark.parametrize(
    "sql",
    [
        "comment on table t is 'commit; begin'",
        'select "commit" from t -- rollback;',
        "do $$ begin perform 1; end $$",
        "create procedure p() begin atomic insert into t values (1); end",
        "copy t to stdout",
        "prepare q as select 1",
        "create table t (a int); -- begin;\n insert into t values (1)",
    ],
)
def test_what_only_looks_like_it(sql: str) -> None:
    assert list(troubles(sql)) == []
