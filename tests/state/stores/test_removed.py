"""An attempt whose directory was deleted while a process of it lives."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from state.stores import removed
from state.stores.attempt_dir import AttemptDir
from state.stores.result import Result


@pytest.fixture
def attempt(tmp_path: Path) -> AttemptDir:
    made = AttemptDir(tmp_path / "state/runs/1123-k7f3/attempts/a.1")
    made.create()
    return made


@contextmanager
def held(attempt: AttemptDir) -> Iterator[int]:
    """Have another process share the attempt's lock; yield its pid."""
    handle = attempt.hold()
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE, pass_fds=(handle,)) as child:
        os.close(handle)
        yield child.pid


def test_whoever_holds_a_removed_lock_is_alive(attempt: AttemptDir) -> None:
    with held(attempt) as pid:
        shutil.rmtree(attempt.path.parent)
        assert attempt.live().alive
        assert [mark.pid for mark in attempt.holders_of_removed()] == [pid]
        # Another one's path is not ours, however alike.
        assert not removed.holders(attempt.path / "lock2")
    assert not attempt.live().alive


def test_what_was_removed_is_made_again_for_stop_and_result(attempt: AttemptDir) -> None:
    shutil.rmtree(attempt.path.parent.parent)
    attempt.ask_stop("late")
    assert attempt.stop_asked() == "late"
    attempt.write_result(Result("succeeded"))
    assert attempt.read_result() == Result("succeeded")
    assert not attempt.exists(), "its lock is gone for good"


def test_nothing_is_made_where_the_whole_state_is_gone(attempt: AttemptDir, tmp_path: Path) -> None:
    shutil.rmtree(tmp_path / "state")
    attempt.restore()
    AttemptDir(tmp_path / "1").restore()
    assert list(tmp_path.iterdir()) == []
