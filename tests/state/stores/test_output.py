"""A step's output and its indexes: each place knows its time and its stream."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from state.stores.attempt_dir import AttemptDir
from state.stores.output import STREAM_RECORD, TIME_RECORD, OutputIndex, OutputWriter, Stream
from tests.state.test_fold import FAST


@pytest.fixture
def attempt(tmp_path: Path) -> AttemptDir:
    directory = AttemptDir(tmp_path / "a.1")
    directory.create()
    return directory


def write(attempt: AttemptDir, *parts: tuple[int, bytes, Stream]) -> None:
    """Write parts, each at a Unix time in ms."""
    times: Iterator[float] = iter([when / 1000 for when, _, _ in parts])
    with OutputWriter(attempt, clock=lambda: next(times)) as writer:
        for _, content, stream in parts:
            writer.write(content, stream)


def test_each_place_knows_when_it_came_and_from_where(attempt: AttemptDir) -> None:
    write(
        attempt,
        (1000, b"one\n", "stdout"),
        (1050, b"still one\n", "stdout"),
        (1100, b"error\n", "stderr"),
        (5000, b"late\n", "stdout"),
    )
    assert attempt.output.read_bytes() == b"one\nstill one\nerror\nlate\n"
    index = OutputIndex(attempt)
    assert [index.time_of(place) for place in (0, 5, 14, 19, 20, 99)] == [
        *(1000, 1000, 1100, 1100, 5000, 5000)
    ]
    assert [index.stream_of(place) for place in (0, 13, 14, 19, 20)] == [
        *("stdout", "stdout", "stderr", "stderr", "stdout")
    ]
    assert [index.offset_at(when) for when in (0, 1000, 1001, 1100, 1101, 9000)] == [
        *(0, 0, 14, 14, 20, 20)
    ]
    assert attempt.times.stat().st_size == 3 * TIME_RECORD.size
    assert attempt.streams.stat().st_size == 2 * STREAM_RECORD.size, "stdout goes without saying"
    index.close()


def test_an_index_grows_with_the_log_and_a_later_writer_goes_on(attempt: AttemptDir) -> None:
    index = OutputIndex(attempt)
    assert (index.time_of(0), index.offset_at(7), index.stream_of(0)) == (None, 0, "stdout")
    write(attempt, (1000, b"one\n", "stdout"))
    assert index.time_of(3) == 1000
    write(attempt, (9000, b"two\n", "stderr"))
    assert (index.time_of(4), index.stream_of(4)) == (9000, "stderr")
    assert attempt.output.read_bytes() == b"one\ntwo\n"
    index.close()


def test_a_clock_that_is_set_back_is_noted(attempt: AttemptDir) -> None:
    write(attempt, (90_000, b"a", "stdout"), (30_000, b"b", "stdout"), (30_010, b"c", "stdout"))
    index = OutputIndex(attempt)
    assert [index.time_of(place) for place in range(3)] == [90_000, 30_000, 30_000]
    index.close()


_PART = st.tuples(st.integers(0, 250), st.binary(max_size=4), st.sampled_from(["stdout", "stderr"]))


@FAST
@given(parts=st.lists(_PART, max_size=30))
def test_indexes_never_disagree_with_what_was_written(
    parts: list[tuple[int, bytes, Stream]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    attempt = AttemptDir(tmp_path_factory.mktemp("log") / "a.1")
    attempt.create()
    now, timed = 1000, []
    for gap, content, stream in parts:
        now += gap
        timed.append((now, content, stream))
    write(attempt, *(part for part in timed if part[1]))
    index = OutputIndex(attempt)
    place = 0
    for when, content, stream in timed:
        for _ in content:
            noted = index.time_of(place)
            assert noted is not None
            assert when - 100 < noted <= when
            assert index.stream_of(place) == stream
            place += 1
    assert attempt.output.stat().st_size == place
    index.close()
