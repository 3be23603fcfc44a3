"""Small files in the attempt's directory by which a later look can tell how far an act had got."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from runbook_tui.actions.shared.secrecy import first_with_secret

XID: Final = "xid"
"""Number of the transaction that was begun last: the server knows what became of it."""

SENDING: Final = "sending"
"""A message may have gone out from here on."""

SENT: Final = "sent"
"""A message was accepted: what its server answered."""

ANSWER: Final = "answer"
"""What a statement that writes answered; it counts if its transaction was committed."""


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


def write_outputs(
    directory: Path, name: str, outputs: Mapping[str, str], secrets: Sequence[str]
) -> None:
    """Write a mark with outputs to be handed on; without them when one holds a secret."""
    kept = {} if first_with_secret(outputs.values(), secrets) is not None else dict(outputs)
    write(directory, name, json.dumps(kept))


def read_outputs(text: str | None) -> dict[str, str]:
    """Return the outputs of a mark; none when it holds none that can be read."""
    try:
        found = json.loads(text or "{}")
    except ValueError:
        return {}
    return {str(name): str(value) for name, value in found.items()}


def last(previous: Sequence[str], name: str) -> str | None:
    """Return the mark of the latest attempt that left one."""
    found = [path for each in previous if (path := Path(each) / name).exists()]
    return found[-1].read_text() if found else None
