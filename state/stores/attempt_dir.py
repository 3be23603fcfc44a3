"""The directory of one attempt: who may act (claim), who is alive (lock), how it ended (result).

The worker takes the lock *before* it claims, so a claim without a held lock means that the worker
and every process of its command are gone. Whoever wants to declare the attempt void claims as well:
exactly one claim succeeds, ever.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, Literal

from state.stores import removed
from state.stores.files import read_or_none, sync_directory, sync_file, write_all, write_whole
from state.stores.machine import ProcessMark, process_mark
from state.stores.paths import DIRECTORY_MODE, FILE_MODE, make_directory, state_of
from state.stores.result import Corrupt, Result, dump_result, load_result

Claim = Literal["worker", "void"]
_HOLD_SECONDS: Final = 10.0


@dataclass(frozen=True, slots=True)
class Liveness:
    """Whether somebody of the attempt lives: by its lock, by its recorded main process."""

    lock_held: bool
    main_alive: bool

    @property
    def alive(self) -> bool:
        """Whether anything says that it lives."""
        return self.lock_held or self.main_alive


class LockTakenError(Exception):
    """The attempt's lock is held by another process, which is not only looking."""


class AttemptDir:
    """One attempt's directory. All methods raise OSError when the file system refuses."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.output = path / "output.log"
        self.times = path / "times"
        self.streams = path / "streams"
        self.samples = path / "samples.jsonl"
        self.hosts = path / "hosts.jsonl"
        self.progress = path / "progress"
        self.evidence = path / "evidence"
        self._claim = path / "claim"
        self._lock = path / "lock"
        self._result = path / "result.json"
        self._main = path / "main"
        self._stop = path / "stop"
        self._shared = path / "shared"

    def create(self) -> None:
        """Make the directory, for the owner only. FileExistsError when it is there already."""
        make_directory(self.path.parent)
        self.path.mkdir(DIRECTORY_MODE)
        self.evidence.mkdir(DIRECTORY_MODE)
        for file in (self._lock, self.output):
            os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, FILE_MODE))

    def sync(self) -> None:
        """Bring it to the disk as it is: one that is gone after a power cut tells nothing."""
        sync_directory(self.path)
        sync_directory(self.path.parent)

    def exists(self) -> bool:
        """Whether the directory is there with its lock file; if not, nothing is known of it."""
        return self._lock.is_file()

    def restore(self) -> None:
        """Make the directory again that somebody removed, for what is yet to be said in it.

        Not where the whole state directory is gone: then nobody would read it.
        """
        state = state_of(self.path)
        if state is not None and state.is_dir():
            make_directory(self.path)

    def claim_worker(self) -> bool:
        """Claim the right to act, after `hold`. False when somebody was first: leave then.

        The claim says which process it is, so that a stop reaches it from any later session.
        """
        mark = process_mark(os.getpid())
        named = json.dumps(asdict(mark)) if mark else ""
        return self._take(f"worker {named}\n".encode())

    def claim_void(self) -> bool:
        """Declare that nobody will act. False when the worker was first."""
        return self._take(b"void\n")

    def _take(self, content: bytes) -> bool:
        try:
            handle = os.open(
                self._claim, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, FILE_MODE
            )
        except FileExistsError:
            return False
        try:
            write_all(handle, content)
        finally:
            os.close(handle)
        # After a power cut the claim must still be there: without it the step would run again.
        sync_directory(self.path)
        return True

    def claimed(self) -> Claim | None:
        """Return who has claimed. A claim that cannot be read counts as the worker's."""
        content = read_or_none(self._claim)
        if content is None:
            return None
        return "void" if content == b"void\n" else "worker"

    def worker(self) -> ProcessMark | None:
        """Return the worker process that claimed; None when none did, or the claim is torn."""
        content = read_or_none(self._claim)
        return None if content is None else _mark(content.removeprefix(b"worker "))

    def lock_identity(self) -> tuple[int, int]:
        """Return device and inode of the lock file, to find who has it open."""
        stat = self._lock.stat()
        return stat.st_dev, stat.st_ino

    def hold(self) -> int:
        """Take the lock and return its descriptor, which child processes inherit on purpose.

        Raises LockTakenError when another process keeps it.
        """
        handle = os.open(self._lock, os.O_RDWR | os.O_CLOEXEC)
        try:
            self._wait_for_lock(handle)
        except BaseException:
            os.close(handle)
            raise
        os.set_inheritable(handle, True)
        return handle

    def _wait_for_lock(self, handle: int) -> None:
        """Lock, or raise. Whoever looks at the lock holds it for an instant: ask again."""
        deadline = time.monotonic() + _HOLD_SECONDS
        while not _locked_now(handle, fcntl.LOCK_EX):
            if time.monotonic() > deadline:
                raise LockTakenError(f"the lock of {self.path} is held by another process")
            time.sleep(0.005)
        if os.fstat(handle).st_ino != self._lock.stat().st_ino:
            raise LockTakenError(f"the lock file of {self.path} was replaced")

    def locked(self) -> bool:
        """Whether a process of the attempt holds the lock, also one that was removed meanwhile."""
        try:
            handle = os.open(self._lock, os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            return bool(self.holders_of_removed())
        try:
            return not _locked_now(handle, fcntl.LOCK_SH)
        finally:
            os.close(handle)

    def holders_of_removed(self) -> list[ProcessMark]:
        """Return who has the lock file open that was here and is gone."""
        return removed.holders(self._lock)

    def write_main(self, pid: int) -> None:
        """Record the main process of the attempt's command; one already gone leaves no record."""
        mark = process_mark(pid)
        if mark is not None:
            write_whole(self._main, json.dumps(asdict(mark)).encode(), sync=False)

    def main(self) -> ProcessMark | None:
        """Return the recorded main process, if there is a readable record."""
        content = read_or_none(self._main)
        return None if content is None else _mark(content)

    def live(self) -> Liveness:
        """Ask the kernel who of the attempt is alive on this machine."""
        main = self.main()
        return Liveness(lock_held=self.locked(), main_alive=main is not None and main.alive())

    def ask_stop(self, reason: str) -> None:
        """Ask the attempt's worker to stop; the first reason stays."""
        if self.stop_asked() is None:
            self.restore()
            write_whole(self._stop, reason.encode(errors="replace"), sync=False)

    def stop_asked(self) -> str | None:
        """Return the reason when a stop was asked for."""
        content = read_or_none(self._stop)
        return None if content is None else content.decode(errors="replace")

    def sync_output(self) -> None:
        """Have the output outlive a power cut."""
        sync_file(self.output)

    def write_result(self, result: Result) -> None:
        """Leave the result: whole, and on disk when this returns."""
        write_whole(self._result, dump_result(result), sync=True)

    def read_result(self) -> Result | Corrupt | None:
        """Return the result, why the file holds none, or None when there is no file."""
        content = self.result_bytes()
        return None if content is None else load_result(content)

    def result_bytes(self) -> bytes | None:
        """Return the file of the result as it is, or None when there is none."""
        return read_or_none(self._result)

    def note_shared(self) -> None:
        """Note that other machines can read its output and result, to the end."""
        self._shared.touch(FILE_MODE)

    def is_shared(self) -> bool:
        """Whether that was noted."""
        return self._shared.exists()

    def keep_result(self, content: bytes) -> None:
        """Keep the result that the attempt left on another machine, as it is there."""
        write_whole(self._result, content, sync=True)


def _mark(content: bytes) -> ProcessMark | None:
    try:
        data = json.loads(content)
        return ProcessMark(str(data["boot"]), int(data["pid"]), int(data["start"]))
    except (ValueError, KeyError, TypeError):
        return None


def _locked_now(handle: int, kind: int) -> bool:
    try:
        fcntl.flock(handle, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
