"""Unpacks an archive into a directory of its own, trusting nothing in it.

Plain files only, each at a place inside; sizes and counts are bounded before anything is read.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

from runbook_tui.archive import layout
from runbook_tui.archive.layout import ArchiveError, Member
from state.stores.files import write_all
from state.stores.paths import FILE_MODE, make_directory

_BLOCK: Final = tarfile.BLOCKSIZE
_CHUNK: Final = 1 << 20
_MOST_PADDING: Final = 100
"""Blocks after the end of a tar: it is filled up to twenty of them."""
_PLAIN: Final = (tarfile.REGTYPE, tarfile.AREGTYPE)
_BROKEN: Final = (tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError)


def unpack(archive: Path, folder: Path, room: int) -> dict[str, Member]:
    """Write all members below `folder`, at most `room` bytes; return what they are.

    Raises ArchiveError, OSError.
    """
    found: dict[str, Member] = {}
    left = min(room, layout.MAX_TOTAL)
    try:
        with gzip.open(archive, "rb") as stream:
            for name, size in _members(stream):
                left -= size
                if left < 0:
                    raise ArchiveError(
                        f"The archive holds more than the {_mb(room)} that there is room for.",
                        "Make room in the state directory",
                    )
                if len(found) >= layout.MAX_MEMBERS or size > _most(name):
                    raise ArchiveError(f"The archive holds too much: {name}, {_mb(size)}.")
                if name in found or not layout.is_safe(name):
                    raise ArchiveError(f"The archive holds a file at a wrong place: {name}.")
                found[name] = _extract(stream, folder / name, size)
    except _BROKEN as problem:
        raise ArchiveError(f"The archive {archive} is damaged or cut off: {problem}.") from problem
    return found


def _most(name: str) -> int:
    if name == layout.MANIFEST:
        return layout.MAX_MANIFEST
    return layout.MAX_EVENTS if name.endswith("/events.jsonl") else layout.MAX_TOTAL


def _members(stream: BinaryIO | gzip.GzipFile) -> Iterator[tuple[str, int]]:
    """Yield name and size of each file; whoever gets them reads the content before going on."""
    name: str | None = None
    while True:
        block = _exactly(stream, _BLOCK)
        if not any(block):
            _drain(stream)
            return
        info = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
        if info.size < 0:
            raise ArchiveError(f"The archive holds a file of no size: {info.name}.")
        if info.type == tarfile.GNUTYPE_LONGNAME and info.size <= layout.MAX_NAME + 1:
            content = _exactly(stream, info.size + _padding(info.size))[: info.size]
            name = content.rstrip(b"\0").decode("utf-8", "surrogateescape")
            continue
        if info.type not in _PLAIN:
            raise ArchiveError(f"The archive holds something other than a file: {info.name}.")
        yield name or info.name, info.size
        name = None


def _drain(stream: BinaryIO | gzip.GzipFile) -> None:
    """Read what pads the end, so that the checksum behind it is looked at."""
    for _ in range(_MOST_PADDING):
        if not stream.read(_BLOCK):
            return
    raise ArchiveError("The archive goes on after its end.")


def _extract(stream: BinaryIO | gzip.GzipFile, path: Path, size: int) -> Member:
    digest = hashlib.sha256()
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        make_directory(path.parent)
        handle = os.open(path, flags, FILE_MODE)
    except (FileExistsError, NotADirectoryError) as problem:
        raise ArchiveError(
            f"The archive holds a file and a directory of one name: {path.name}."
        ) from problem
    try:
        left = size
        while left:
            piece = _exactly(stream, min(left, _CHUNK))
            write_all(handle, piece)
            digest.update(piece)
            left -= len(piece)
    finally:
        os.close(handle)
    _exactly(stream, _padding(size))
    return Member(size, digest.hexdigest())


def _exactly(stream: BinaryIO | gzip.GzipFile, size: int) -> bytes:
    content = stream.read(size)
    if len(content) != size:
        raise EOFError("it ends too early")
    return content


def _padding(size: int) -> int:
    return -size % _BLOCK


def _mb(size: int) -> str:
    return f"{size / 1e6:,.1f} MB"
