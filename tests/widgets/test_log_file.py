"""A log is read in blocks, and its lines are given with their place."""

from __future__ import annotations

from pathlib import Path

from widgets.log_file import LogFile


def test_lines_are_given_with_their_place_and_cut_when_long(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"one\r\n\ntwo\n" + b"y" * 100_000 + b"\nlast")
    file = LogFile(path)
    lines = file.lines_in(0)
    assert [(line.start, line.data[:4], line.cut) for line in lines] == [
        (0, b"one", False),
        (5, b"", False),
        (6, b"two", False),
        (10, b"yyyy", True),
    ]
    assert [line.data for line in file.lines_in(1)] == [b"last"]
    assert file.start_of_line(50_000) == 10
    assert file.start_of_line(8) == 6
    file.close()


def test_a_file_that_is_not_there_yet_is_empty(tmp_path: Path) -> None:
    file = LogFile(tmp_path / "later")
    assert file.size() == 0
    assert file.lines_in(0) == []
    (tmp_path / "later").write_bytes(b"now\n")
    assert [line.data for line in file.lines_in(0)] == [b"now"]
    file.close()
