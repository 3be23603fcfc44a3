"""The index of a log tells the same as reading the whole file, at any size, while it grows."""

from __future__ import annotations

import random
import re
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from widgets import log_file
from widgets.log_file import BLOCK, LogFile
from widgets.log_index import Index, LineCount
from widgets.log_pattern import Pattern


def filled(index: Index, path: Path) -> Index:
    file = LogFile(path)
    while index.advance(file, file.size()):
        pass
    file.close()
    return index


def reference(data: bytes, pattern: bytes | None = None) -> list[int]:
    starts, position = [], 0
    for line in data.splitlines(keepends=True) if b"\r" not in data else data.split(b"\n"):
        if pattern is None or re.search(pattern, line):
            starts.append(position)
        position += len(line)
    return starts


@given(
    st.lists(
        st.sampled_from([0, 1, 7, 80, 300, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK]), max_size=9
    ),
    st.booleans(),
    st.randoms(use_true_random=False),
)
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_index_agrees_with_reading_everything(
    tmp_path: Path, lengths: list[int], ended: bool, chance: random.Random
) -> None:
    lines = [b"x" * length + chance.choice([b"", b"needle", b"hay"]) for length in lengths]
    data = b"\n".join(lines) + (b"\n" if ended and lines else b"")
    path = tmp_path / "log"
    path.write_bytes(data)
    file = LogFile(path)
    for index, pattern in ((LineCount(), None), (Index(Pattern("needle")), b"needle")):
        starts = reference(data, pattern)
        filled(index, path)
        assert index.total == len(starts)
        assert [index.place(file, number) for number in range(len(starts))] == starts
        assert index.place(file, len(starts)) is None
        for offset in {
            0,
            len(data),
            *starts,
            *(start + 1 for start in starts if start < len(data)),
        }:
            expected = [start for start in starts if start >= offset]
            assert index.after(file, offset) == (expected[0] if expected else None)
            earlier = [start for start in starts if start < offset]
            assert index.before(file, offset) == (earlier[-1] if earlier else None)
    file.close()


def test_index_of_a_growing_file_is_that_of_the_whole(tmp_path: Path) -> None:
    path, chance = tmp_path / "log", random.Random(7)
    data = b"".join(bytes(chance.choices(b"ab \n", k=chance.randint(1, 900))) for _ in range(600))
    lines, hits = LineCount(), Index(Pattern("a b"))
    file = LogFile(path)
    position = 0
    with path.open("wb", buffering=0) as writer:
        while position < len(data):
            step = chance.randint(1, 20000)
            writer.write(data[position : position + step])
            position += step
            for index in (lines, hits):
                while index.advance(file, file.size()):
                    pass
    assert lines.total == len(reference(data))
    assert hits.total == len(reference(data, b"a b"))
    file.close()


def test_memory_stays_flat_over_64_mib(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "big"
    row = b"2026-11-28 the quick brown fox jumps over the lazy dog, number %08d\n"
    chunk = b"".join(row % number for number in range(16384))
    with path.open("wb") as writer:
        for _ in range(64):
            writer.write(chunk)
    monkeypatch.setattr(log_file, "_CACHED_BLOCKS", 8)
    tracemalloc.start()
    lines, hits = LineCount(), Index(Pattern("number .*1234$"))
    for index in (lines, hits):
        filled(index, path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert lines.total == 64 * 16384
    assert hits.total == 64 * 2
    assert peak < 8 << 20
