"""Small files written so that a reader never sees half of one."""

from __future__ import annotations

import os
from pathlib import Path

from state.stores.paths import FILE_MODE


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


def write_all(handle: int, content: bytes) -> None:
    """Write all of `content`, however often the kernel takes only a part."""
    view = memoryview(content)
    while view:
        view = view[os.write(handle, view) :]


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
