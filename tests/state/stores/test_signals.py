"""Progress, samples and host states: read back as told, torn lines left aside."""

from __future__ import annotations

from pathlib import Path

import pytest

from state.stores.attempt_dir import AttemptDir
from state.stores.signals import (
    append_host,
    append_sample,
    read_hosts,
    read_progress,
    read_samples,
    write_progress,
)


@pytest.fixture
def attempt(tmp_path: Path) -> AttemptDir:
    directory = AttemptDir(tmp_path / "a.1")
    directory.create()
    return directory


def test_the_latest_progress_counts(attempt: AttemptDir) -> None:
    assert read_progress(attempt) is None
    write_progress(attempt, "0008 waits for a lock", None)
    write_progress(attempt, "pushing 3 of 4", 0.75)
    progress = read_progress(attempt)
    assert progress is not None
    assert (progress.text, progress.fraction) == ("pushing 3 of 4", 0.75)
    for torn in (b"", b"[]", b'{"text": "x"}'):
        attempt.progress.write_bytes(torn)
        assert read_progress(attempt) is None


def test_samples_are_read_on_from_where_one_stopped(attempt: AttemptDir) -> None:
    assert read_samples(attempt) == ([], 0)
    append_sample(attempt, {"p95": 612.5, "at": 1})
    append_sample(attempt, {"p95": None, "text": "line\nbreak ü"})
    first, offset = read_samples(attempt)
    assert first == [{"p95": 612.5, "at": 1}, {"p95": None, "text": "line\nbreak ü"}]
    with attempt.samples.open("ab") as file:
        file.write(b'{"p95": 7')
    assert read_samples(attempt, offset) == ([], offset)
    with attempt.samples.open("ab") as file:
        file.write(b"}\ntorn\n")
    append_sample(attempt, {"p95": 8})
    later, end = read_samples(attempt, offset)
    assert later == [{"p95": 7}, {"p95": 8}]
    assert end == attempt.samples.stat().st_size


def test_hosts_stand_as_they_last_said_in_the_order_they_came(attempt: AttemptDir) -> None:
    assert read_hosts(attempt) == {}
    append_host(attempt, "web-2", "running", "connecting")
    append_host(attempt, "web-1", "waiting", "")
    append_host(attempt, "web-2", "failed", "no route")
    with attempt.hosts.open("ab") as file:
        file.write(b'{"host": "web-3"}\n')
    hosts = read_hosts(attempt)
    assert [(name, host.state, host.text) for name, host in hosts.items()] == [
        ("web-2", "failed", "no route"),
        ("web-1", "waiting", ""),
    ]
    with pytest.raises(ValueError, match="never odd"):
        append_host(attempt, "web-1", "odd", "")
