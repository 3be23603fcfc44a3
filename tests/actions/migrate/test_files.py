"""Migration files are read in order, and refused beforehand when they are not as agreed."""

from __future__ import annotations

from pathlib import Path

import pytest

from runbook_tui.actions.migrate import files
from runbook_tui.actions.migrate.files import FileError


def test_order_is_by_number_and_line_ends_do_not_count(tmp_path: Path) -> None:
    (tmp_path / "10_b.sql").write_bytes(b"\xef\xbb\xbfselect 1;\r\nselect 2;\r\n")
    (tmp_path / "0009-a.sql").write_bytes(b"select 1;\nselect 2;\n")
    (tmp_path / "0009-a.down.sql").write_bytes(b"commit")
    (tmp_path / "README.md").write_bytes(b"\xff")
    first, second = files.read(tmp_path)
    assert [first.version, second.version] == [9, 10]
    assert first.checksum == second.checksum
    assert second.sql == "select 1;\nselect 2;\n"
    assert files.gaps([first, second]) == []


def test_a_marked_file_runs_without_a_transaction(tmp_path: Path) -> None:
    (tmp_path / "1_i.sql").write_text("-- runbook: no-transaction\ncreate index i on t (a);\n")
    assert [each.transaction for each in files.read(tmp_path)] == [False]


@pytest.mark.parametrize(
    ("named", "sentence"),
    [
        ({"a.sql": b""}, "a.sql has no number: name it like 0001_a.sql."),
        ({"1_a.sql": b"", "01_b.sql": b""}, "01_b.sql and 1_a.sql have the same number."),
        ({"1_a.sql": b"select '\xff'"}, "1_a.sql is not UTF-8 at byte 8."),
        (
            {"1_a.sql": b"create table t (a int);\ncommit;"},
            "1_a.sql, line 2: COMMIT controls the transaction, which is the program's to begin and "
            "to commit. Nothing was run.",
        ),
        (
            {"1_a.sql": b"-- runbook: no-transaction\nselect 1; select 2"},
            "1_a.sql is to run without a transaction and holds 2 statements. Give each a file of "
            "its own.",
        ),
    ],
)
def test_faults_are_found_beforehand(
    tmp_path: Path, named: dict[str, bytes], sentence: str
) -> None:
    for name, content in named.items():
        (tmp_path / name).write_bytes(content)
    with pytest.raises(FileError) as caught:
        files.read(tmp_path)
    assert str(caught.value) == sentence


def test_a_directory_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="does not exist"):
        files.read(tmp_path / "nowhere")
