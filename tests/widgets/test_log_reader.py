"""The thread that reads a log."""

from __future__ import annotations

import threading
from pathlib import Path

from widgets.log_index import Index, LineCount
from widgets.log_pattern import Pattern
from widgets.log_reader import LogReader


def test_reader_keeps_up_with_a_growing_file_and_ends(tmp_path: Path) -> None:
    path = tmp_path / "log"
    lines, hits = LineCount(), Index(Pattern("7$"))
    arrived = threading.Event()

    def look() -> None:
        if lines.total == 5000 and hits.total == 500 and lines.covered == path.stat().st_size:
            arrived.set()

    reader = LogReader(path, [lines, hits], look)
    reader.start()
    with path.open("w", encoding="utf-8") as writer:
        for number in range(5000):
            writer.write(f"line {number}\n")
    assert arrived.wait(60)
    reader.close()
    assert not reader.is_alive()
