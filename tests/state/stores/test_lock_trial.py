"""A disk whose locks keep nobody out is told from one whose locks hold."""

from __future__ import annotations

import errno
import fcntl
import os
from pathlib import Path

import pytest

from state.errors import StoreUnusable
from state.stores import lock_trial
from state.stores.lock_trial import locks_hold
from state.stores.sqlite import open_journal


def test_the_locks_of_a_local_disk_hold(tmp_path: Path) -> None:
    assert locks_hold(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_so_they_do_where_every_file_has_a_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.open

    def named_only(path: os.PathLike[str] | str, flags: int, mode: int = 0o777) -> int:
        if flags & os.O_TMPFILE == os.O_TMPFILE:
            raise OSError(errno.EOPNOTSUPP, "not supported")
        return real(path, flags, mode)

    monkeypatch.setattr(os, "open", named_only)
    assert locks_hold(tmp_path)
    assert list(tmp_path.iterdir()) == []


def _all_taken(handle: int, *rest: object) -> None:
    """A lock as some disks give it: to everybody."""


def _none(handle: int, *rest: object) -> None:
    """A lock as other disks give it: to nobody."""
    raise OSError(errno.ENOLCK, "No locks available")


@pytest.mark.parametrize("call", ["flock", "fcntl"])
@pytest.mark.parametrize("lock", [_all_taken, _none])
def test_a_disk_without_locks_is_refused_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str, lock: object
) -> None:
    monkeypatch.setattr(fcntl, call, lock)
    with pytest.raises(StoreUnusable, match="whose locks keep nobody out") as caught:
        open_journal(tmp_path / "state")
    assert caught.value.advice == "Name a directory on a local disk in RUNBOOK_STATE."
    assert list((tmp_path / "state").iterdir()) == [], "nothing was begun there"


def test_no_room_to_try_is_no_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(directory: Path) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(lock_trial, "_open", full)
    assert locks_hold(tmp_path)
