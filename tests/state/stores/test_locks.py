"""Environment and run locks: one holder, by the kernel's word, with a token that only grows."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from state.holders import Held, Holder
from state.stores import locks
from state.stores.locks import (
    Lock,
    acquire,
    held_by,
    read_holder,
)

SINCE = "2026-11-23T12:00:51.000000Z"

_HOLDER = """
import sys
from pathlib import Path
from state.stores.locks import acquire
lock = acquire(Path(sys.argv[1]), "environment", "production", run="1124-r1b0", operator="lee",
               since="2026-11-23T11:00:00.000000Z")
print(getattr(lock, "token", "held"), flush=True)
sys.stdin.read()
"""


def take(state: Path, name: str = "production", above: int = 0) -> Lock | Held:
    """Try to take an environment's lock as dana."""
    return acquire(
        state,
        "environment",
        name,
        run="1123-k7f3",
        operator="dana",
        since=SINCE,
        above=above,
    )


def taken(state: Path, name: str = "production", above: int = 0) -> Lock:
    """Take a lock that is free."""
    lock = take(state, name, above)
    assert isinstance(lock, Lock)
    return lock


def other(state: Path) -> subprocess.Popen[str]:
    """Start another process that holds the lock of production until its stdin closes."""
    argv = [sys.executable, "-c", _HOLDER, str(state)]
    pipe = subprocess.PIPE
    return subprocess.Popen(argv, stdin=pipe, stdout=pipe, cwd=Path(__file__).parents[3], text=True)


def test_one_process_holds_and_the_other_is_told_by_whom_until_it_is_killed(
    tmp_path: Path,
) -> None:
    with other(tmp_path) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "1\n"
        refused = take(tmp_path)
        assert isinstance(refused, Held)
        assert refused == held_by(tmp_path, "environment", "production")
        assert refused.name == "production"
        assert refused.holder is not None
        assert (refused.holder.run, refused.holder.operator) == ("1124-r1b0", "lee")
        assert (refused.holder.pid, refused.holder.token) == (holder.pid, 1)
        assert refused.holder.since == "2026-11-23T11:00:00.000000Z"
        holder.kill()
        holder.wait()
    assert held_by(tmp_path, "environment", "production") is None
    lock = taken(tmp_path)
    assert lock.token == 2
    assert lock.previous == refused.holder
    assert (lock.holder.operator, lock.holder.pid) == ("dana", os.getpid())
    with other(tmp_path) as late:
        assert late.communicate()[0] == "held\n"
    lock.release()


def test_the_token_grows_with_every_acquisition_and_past_what_the_journal_has_seen(
    tmp_path: Path,
) -> None:
    tokens = []
    for above in (0, 0, 41, 0):
        lock = taken(tmp_path, above=above)
        tokens.append(lock.token)
        lock.release()
        lock.release()
    assert tokens == [1, 2, 42, 43]


def test_a_holders_file_that_cannot_be_read_neither_blocks_nor_lowers_the_token(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locks, "_LOOK_SECONDS", 0.05)
    taken(tmp_path).release()
    record = tmp_path / "locks" / "environment-production.json"
    record.write_text("{torn")
    lock = taken(tmp_path, above=7)
    assert (lock.token, lock.previous) == (8, None)
    record.unlink()
    refused = take(tmp_path)
    assert isinstance(refused, Held)
    assert refused.holder is None
    lock.release()


def test_a_run_and_an_environment_of_one_name_are_two_locks_and_any_name_is_a_file(
    tmp_path: Path,
) -> None:
    for name in ("production", "../../etc/passwd", "größe / x"):
        environment = taken(tmp_path, name)
        run = acquire(tmp_path, "run", name, run=name, operator="dana", since=SINCE)
        assert isinstance(run, Lock)
        run.release()
        environment.release()
    files = list((tmp_path / "locks").iterdir())
    assert len(files) == 12
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    assert [path.name for path in tmp_path.iterdir()] == ["locks"]


def test_a_replaced_lock_file_does_not_let_two_believe_they_hold_it(tmp_path: Path) -> None:
    first = taken(tmp_path)
    file = tmp_path / "locks" / "environment-production.lock"
    stale = os.open(file, os.O_RDWR)
    file.unlink()
    second = taken(tmp_path)
    assert second.token == first.token + 1, "the older one is fenced by its token"
    assert os.fstat(stale).st_ino != file.stat().st_ino
    os.close(stale)
    first.release()
    assert isinstance(take(tmp_path), Held)
    second.release()


def test_a_program_that_we_start_does_not_keep_the_lock(tmp_path: Path) -> None:
    lock = taken(tmp_path)
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE, close_fds=False) as child:
        lock.release()
        again = taken(tmp_path)
        again.release()
        child.communicate()


def test_a_holder_is_what_its_file_says(tmp_path: Path) -> None:
    lock = taken(tmp_path)
    assert read_holder(tmp_path, "environment", "production") == lock.holder
    assert isinstance(lock.holder, Holder)
    assert "." not in lock.holder.host
    lock.release()
