"""Exit codes of the program: part of the command line's contract."""

from __future__ import annotations

from typing import Final

DONE: Final = 0
FAILED: Final = 1
"""A step failed and nobody decided; the run can be resumed."""
USAGE: Final = 2
WAITS: Final = 3
"""The run waits for an operator's decision; it can be resumed."""
IN_USE: Final = 4
"""The environment is leased by someone else, or has an unresolved attempt."""
ABORTED: Final = 5
STORE: Final = 6
ROLLED_BACK: Final = 7
INTERRUPTED: Final = 130
