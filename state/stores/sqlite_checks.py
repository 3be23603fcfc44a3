"""What must hold before SQLite may touch the state directory, each refusal in words.

The ballast is 300 kB of reserved room: on a full disk it is freed, so that the journal can still be
opened and read. Opening with less can kill the process (SIGBUS, from the mapped index).
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from state.errors import StoreCorrupt, StoreFull, StoreUnusable
from state.stores.files import sync_directory
from state.stores.lock_trial import locks_hold
from state.stores.paths import DIRECTORY_MODE, FILE_MODE, make_directory

JOURNAL: Final = "journal.db"
RECOVERED: Final = "journal.db.recovered"
"""A journal that was made of a damaged one and is about to take its place."""
BALLAST: Final = "ballast"
BALLAST_BYTES: Final = 300 * 1024
WRITE_BYTES: Final = 1024 * 1024
"""The journal is opened for writing only while this much room is left."""
OPEN_BYTES: Final = 256 * 1024
"""Room that opening (index and write-ahead log) may need at once."""

_DOUBTFUL_BYTES: Final = 32 * 1024 * 1024

NETWORK_SYSTEMS: Final = frozenset(
    [
        "9p",
        "afs",
        "ceph",
        "cifs",
        "davfs",
        "fuse.davfs2",
        "fuse.glusterfs",
        "fuse.rclone",
        "fuse.s3fs",
        "fuse.sshfs",
        "glusterfs",
        "gpfs",
        "lustre",
        "ncpfs",
        "nfs",
        "nfs4",
        "ocfs2",
        "smb3",
        "smbfs",
    ]
)


def check_directory(directory: Path) -> None:
    """Make the directory or see that it can hold a journal. Raises StoreUnusable."""
    try:
        make_directory(directory)
    except OSError as problem:
        raise StoreUnusable(
            f"The state directory {directory} cannot be made: {_why(problem)}.",
            "Name another one in RUNBOOK_STATE.",
        ) from problem
    _check_owner(directory)
    kind = file_system(directory, _mounts())
    if kind in NETWORK_SYSTEMS:
        raise StoreUnusable(
            f"The state directory {directory} is on a network file system ({kind}), where a "
            "journal is not safe.",
            "Name a directory on a local disk in RUNBOOK_STATE.",
        )
    if os.statvfs(directory).f_flag & os.ST_RDONLY:
        raise StoreUnusable(
            f"The state directory {directory} is on a disk that is read-only now.",
            "Find out why (dmesg): a disk with errors is made so. Mount it writable, then resume.",
        )
    if not os.access(directory, os.R_OK | os.W_OK | os.X_OK):
        raise StoreUnusable(
            f"The state directory {directory} cannot be written.",
            "Make it writable for yourself, or name another one in RUNBOOK_STATE.",
        )
    if not locks_hold(directory):
        raise StoreUnusable(
            f"The state directory {directory} is on a disk ({kind}) whose locks keep nobody out: "
            "two programs could drive one run.",
            "Name a directory on a local disk in RUNBOOK_STATE.",
        )


def _check_owner(directory: Path) -> None:
    found = directory.stat()
    if not stat.S_ISDIR(found.st_mode):
        raise StoreUnusable(
            f"The state directory {directory} is not a directory.",
            "Name another one in RUNBOOK_STATE.",
        )
    if found.st_uid != os.geteuid():
        raise StoreUnusable(
            f"The state directory {directory} belongs to the user with id {found.st_uid}.",
            "Work as that user, or name a directory of your own in RUNBOOK_STATE.",
        )
    if stat.S_IMODE(found.st_mode) & 0o077:
        if any(directory.iterdir()):
            raise StoreUnusable(
                f"The state directory {directory} is open to other users.",
                f"Close it: chmod 700 {directory}",
            )
        directory.chmod(DIRECTORY_MODE)


def check_file(directory: Path) -> bool:
    """See that a journal file may be opened or made; return whether there is one.

    Raises StoreUnusable or StoreCorrupt.
    """
    take_recovered(directory)
    file = directory / JOURNAL
    wal = directory / f"{JOURNAL}-wal"
    try:
        found = file.lstat()
    except FileNotFoundError:
        if _size(wal):
            raise StoreCorrupt(
                f"The journal {file} is gone, but its write-ahead log is there.",
                "Put the file back from a backup, or move the log away to begin anew.",
            ) from None
        return False
    if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid():
        raise StoreUnusable(
            f"The journal {file} is not a file of yours.",
            "Work as its owner, or name another directory in RUNBOOK_STATE.",
        )
    if found.st_size == 0 and not _size(wal) and (directory / "runs").is_dir():
        raise StoreCorrupt(
            f"The journal {file} is empty, but there are runs.",
            "Put the file back from a backup.",
        )
    if stat.S_IMODE(found.st_mode) != FILE_MODE:
        file.chmod(FILE_MODE)
    return True


def take_recovered(directory: Path) -> None:
    """Put a recovered journal in the damaged one's place: also what a killed program left to do.

    Until that is done, neither the old file nor its log alone is the journal.
    """
    recovered = directory / RECOVERED
    if not recovered.exists():
        return
    # The old log goes first: it must never be taken for one of the new file.
    for part in ("-wal", "-shm"):
        (directory / f"{JOURNAL}{part}").unlink(missing_ok=True)
    recovered.replace(directory / JOURNAL)
    sync_directory(directory)


def make_file(directory: Path) -> None:
    """Make the journal file, empty, for the owner only; another program may have been first."""
    flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC
    try:
        os.close(os.open(directory / JOURNAL, flags, FILE_MODE))
    except FileExistsError:
        return
    except OSError as problem:
        raise StoreUnusable(
            f"The journal in {directory} cannot be made: {_why(problem)}.",
            "Make room or name another directory in RUNBOOK_STATE.",
        ) from problem


def free_bytes(directory: Path) -> int:
    """Return how much room is left for this user.

    Root may use what is kept for root; but ext4 shows it up to 16 MB more, which nobody gets. When
    it is no more than that, root's room is found out by taking some.
    """
    found = os.statvfs(directory)
    everybody = found.f_bavail * found.f_frsize
    roots = found.f_bfree * found.f_frsize
    if os.geteuid() != 0 or roots <= everybody:
        return everybody
    if roots > _DOUBTFUL_BYTES:
        return roots
    sizes = (WRITE_BYTES + BALLAST_BYTES, WRITE_BYTES, OPEN_BYTES)
    taken = next((size for size in sizes if _can_take(directory, size)), 0)
    return max(everybody, taken)


def _can_take(directory: Path, size: int) -> bool:
    """Tell whether so many bytes can be had, by reserving them for an instant."""
    try:
        handle = os.open(directory, os.O_TMPFILE | os.O_WRONLY | os.O_CLOEXEC, FILE_MODE)
    except OSError:
        return False
    try:
        os.posix_fallocate(handle, 0, size)
    except OSError:
        return False
    finally:
        os.close(handle)
    return True


def check_room(directory: Path, *, write: bool) -> None:
    """See that there is room to open (`write`: to go on writing). Raises StoreFull.

    Where it gets too tight to open, the ballast is freed first.
    """
    free = free_bytes(directory)
    if free < OPEN_BYTES:
        (directory / BALLAST).unlink(missing_ok=True)
        free = free_bytes(directory)
    if free < (WRITE_BYTES if write else OPEN_BYTES):
        raise full(directory, free)


def full(directory: Path, free: int) -> StoreFull:
    """Return the error that says how little room is left."""
    return StoreFull(
        f"The disk of the state directory {directory} is full: {free // 1024} kB are left.",
        "Free some space there, then resume; nothing recorded was lost.",
    )


def keep_ballast(directory: Path) -> None:
    """Reserve the ballast again when there is ample room for it."""
    file = directory / BALLAST
    if _size(file) == BALLAST_BYTES or free_bytes(directory) < WRITE_BYTES + BALLAST_BYTES:
        return
    handle = os.open(file, os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC, FILE_MODE)
    try:
        os.posix_fallocate(handle, 0, BALLAST_BYTES)
    finally:
        os.close(handle)


def file_system(directory: Path, mounts: Iterable[str]) -> str | None:
    """Return the kind of file system that holds a directory, from lines of mountinfo."""
    place = os.fsencode(directory.resolve())
    best, kind = -1, None
    for line in mounts:
        before, _, after = line.partition(" - ")
        words, rest = before.split(), after.split()
        if len(words) < 5 or not rest:
            continue
        point = words[4].encode().decode("unicode_escape").encode("latin-1")
        inside = place == point or place.startswith(point.rstrip(b"/") + b"/")
        if inside and len(point) >= best:
            best, kind = len(point), rest[0]
    return kind


def _mounts() -> list[str]:
    return Path("/proc/self/mountinfo").read_text("utf-8", "surrogateescape").splitlines()


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except FileNotFoundError:
        return 0


def _why(problem: OSError) -> str:
    return problem.strerror or str(problem)
