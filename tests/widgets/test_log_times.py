"""When a line of a log was written."""

from __future__ import annotations

import struct
from pathlib import Path

from widgets.log_times import Times


def test_times_tell_when_a_line_was_written(tmp_path: Path) -> None:
    path = tmp_path / "times"
    path.write_bytes(b"".join(struct.pack("<QQ", *e) for e in [(0, 1000), (50, 2000), (90, 9000)]))
    times = Times(path)
    assert [times.at(offset) for offset in (0, 49, 50, 89, 90, 500)] == [
        *(1000, 1000, 2000, 2000, 9000, 9000)
    ]
    assert [times.offset(moment) for moment in (0, 1500, 9000, 9001)] == [0, 50, 90, None]
    times.close()
    assert Times(tmp_path / "none").at(0) is None
