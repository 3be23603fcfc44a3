"""Small files written so that a reader never sees half of one."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from state.stores.paths import FILE_MODE

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def write_whole(path: Path, content: bytes, *, sync: bool) -> None:
    """Put `content` at `path` in one go; with `sync` it outlives a power cut when this returns.

    Raises OSError; what was at `path` before is untouched then.
    """
    draft = path.with_name(f".{path.name}.{os.getpid()}.new")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, FILE_MODE)
    try:
        try:
            write_all(handle, content)
            if sync:
                os.fsync(handle)
        finally:
            os.close(handle)
        draft.replace(path)
    except OSError:
        draft.unlink(missing_ok=True)
        raise
    if sync:
        sync_directory(path.parent)


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """Open a new file that is at `path`, on disk and whole, when the block ends well.

    Otherwise, also when the process is killed meanwhile, nothing of it is left and what was at
    `path` is untouched: until then the file has no name. A link is followed; what is no plain file
    (a device, a pipe) is never replaced. Raises OSError, which names the file when it has no room.
    """
    path = Path(os.path.realpath(path))
    if path.exists() and not path.is_file():
        raise OSError(errno.EINVAL, "Only a plain file can be written anew", str(path))
    try:
        with _unnamed_or_drafted(path) as file:
            yield file
    except OSError as problem:
        if problem.filename is not None or problem.errno not in _FULL:
            raise
        raise OSError(problem.errno, problem.strerror, str(path)) from problem


@contextmanager
def _unnamed_or_drafted(path: Path) -> Iterator[BinaryIO]:
    try:
        handle = os.open(path.parent, os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC, FILE_MODE)
    except OSError as problem:
        if problem.errno not in (errno.EOPNOTSUPP, errno.EISDIR):
            raise
        with _drafted(path) as file:
            yield file
        return
    with os.fdopen(handle, "w+b") as file:
        yield file
        file.flush()
        os.fsync(handle)
        _name(handle, path)
    sync_directory(path.parent)


@contextmanager
def _drafted(path: Path) -> Iterator[BinaryIO]:
    """Do the same where every file has a name (vfat, some network disks): a kill leaves a draft."""
    draft = path.with_name(f".{path.name}.{os.getpid()}.new")
    handle = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, FILE_MODE)
    try:
        with os.fdopen(handle, "w+b") as file:
            yield file
            file.flush()
            os.fsync(handle)
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    sync_directory(path.parent)


def _name(handle: int, path: Path) -> None:
    """Give a file without a name its name, instead of a file that has it already."""
    unnamed = f"/proc/self/fd/{handle}"
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        # With a directory's descriptor the link in /proc is followed, which is what is wanted.
        os.link(unnamed, path.name, dst_dir_fd=folder)
    except FileExistsError:
        draft = f".{path.name}.{os.getpid()}.new"
        os.link(unnamed, draft, dst_dir_fd=folder)
        os.replace(draft, path.name, src_dir_fd=folder, dst_dir_fd=folder)
    finally:
        os.close(folder)


def write_all(handle: int, content: bytes) -> None:
    """Write all of `content`, however often the kernel takes only a part."""
    view = memoryview(content)
    while view:
        view = view[os.write(handle, view) :]


def sync_file(path: Path) -> None:
    """Have what is in a file outlive a power cut."""
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_directory(path: Path) -> None:
    """Have the names in a directory outlive a power cut."""
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def read_or_none(path: Path) -> bytes | None:
    """Return a small file's content, None when there is none."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
