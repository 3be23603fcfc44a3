"""How much of an attempt's output is shared: all of it, or where it is long its beginning and end.

What is shared is one stream without a gap, so that its readers need not know of any of this. Where
something is left out there are two lines of ours in it: one as soon as that is certain, for those
who look on, and one with how much it was, before the end of the output follows.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import BinaryIO, Final

from state.stores.machine import host_name

HEAD: Final = 48 << 20
TAIL: Final = 16 << 20
"""Bytes of the beginning that are shared as they come, and of the end of what is longer than both.

What is not longer is shared whole; of that the last bytes are shared when the attempt has ended.
"""

_LINE: Final = 1 << 16
"""Bytes in which the end of a line is looked for, so that the end begins with a whole one."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A line of ours: where in the shared stream it stands, and after how many bytes of the file
    the stream goes on behind it.
    """

    at: int
    words: str
    file: int

    @property
    def end(self) -> int:
        """Where in the shared stream it ends."""
        return self.at + len(self.words.encode())

    def dump(self) -> bytes:
        """Return the mark as it is kept beside the output."""
        return json.dumps(asdict(self)).encode()


def load_mark(content: bytes) -> Mark:
    """Return a mark that was kept."""
    return Mark(**json.loads(content))


def first_mark(shared: int, size: int, path: str) -> Mark | None:
    """Return the mark that ends the beginning, once it is certain that something is left out."""
    if shared < HEAD or size <= HEAD + TAIL:
        return None
    words = (
        "\n… long output: what comes now is not shared until the step has ended. "
        f"All of it: {path} on {host_name()} …\n"
    )
    return Mark(shared, words, shared)


def second_mark(first: Mark, file: BinaryIO, size: int, path: str) -> Mark:
    """Return the mark before the end of the output, which begins with a whole line."""
    begin = max(first.file, size - TAIL)
    file.seek(begin)
    begin += file.read(_LINE).find(b"\n") + 1
    left = f"{(begin - first.file) / 1e6:.1f} MB"
    words = f"… {left} left out here. All of it: {path} on {host_name()} …\n"
    return Mark(first.end, words, begin)
