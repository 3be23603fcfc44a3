"""Small files in the attempt's directory by which a later look can tell how far an act had got."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

XID: Final = "xid"
"""Number of the transaction that was begun last: the server knows what became of it."""

SENDING: Final = "sending"
"""A message may have gone out from here on."""


def write(directory: Path, name: str, text: str = "") -> None:
    """Write a mark; it is on disk when this returns."""
    handle = os.open(directory / name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        os.write(handle, text.encode())
        os.fsync(handle)
    finally:
        os.close(handle)
    folder = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def last(previous: Sequence[str], name: str) -> str | None:
    """Return the mark of the latest attempt that left one."""
    found = [path for each in previous if (path := Path(each) / name).exists()]
    return found[-1].read_text() if found else None
