"""Value classes that are made by the ten thousand.

A frozen dataclass sets each of its fields by a call: with that, folding a large run takes half as
long again. So these are frozen for mypy, which reads all sources and tests, and plain at run time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dataclasses import dataclass as value
else:
    from dataclasses import dataclass

    def value(**options: Any) -> Any:
        """Make a dataclass that compares and hashes as a frozen one does."""
        return dataclass(**{**options, "frozen": False, "unsafe_hash": True})


__all__ = ["value"]
