"""The cyclic garbage collector, kept out of the way of large runbooks and journals."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def paused(*, keep: bool = False) -> Iterator[None]:
    """Pause it: hundreds of thousands of values are made, and none of them is garbage.

    With `keep`, what is there at the end stays for the life of the process: it is never looked
    through again.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if keep:
            gc.freeze()
        if enabled:
            gc.enable()
