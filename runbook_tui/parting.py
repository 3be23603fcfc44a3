"""The last line that the program says of a run that it drove: how it stands, and how to go on."""

from __future__ import annotations

from typing import Final

_WORDS: Final = {
    0: "done",
    1: "a step failed. Go on with: runbook resume {run}",
    3: "waits for a decision. Go on with: runbook resume {run}",
    4: "somebody else drives it now. Watch: runbook watch {run}",
    5: "aborted. Take it back with: runbook rollback {run}",
    7: "rolled back",
    130: "left. Running steps go on. Go on with: runbook resume {run}",
}


def words(run: str, code: int) -> str:
    """Return the line for an exit code; empty for one that says nothing of a run."""
    found = _WORDS.get(code)
    return f"run {run}: {found.format(run=run)}" if found is not None else ""
