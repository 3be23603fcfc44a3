"""How one host's part of an `ssh` step ended, and what its exit code and outputs make of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from runbook_tui.actions.api import Job
from runbook_tui.actions.shared import output_file

GRACES: Final = (6, 4)
"""Seconds from interrupt to terminate, and from terminate to kill, when a script is stopped."""


class State(Enum):
    """How a host's part stands."""

    UNTRIED = "waiting"
    DONE = "done"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Part:
    """How one host's part ended. `acted` is False when the script cannot have begun."""

    host: str
    state: State
    words: str = ""
    code: int | None = None
    acted: bool = True
    stopped: bool = False
    cause: str | None = None
    tried: int | None = None
    """The earlier try that did it."""
    outputs: Mapping[str, str] = field(default_factory=dict)
    short: str = ""
    """The words in short, for a row that begins with the host's name."""


def judged(job: Job, host: str, code: int, data: bytes | None) -> Part:
    """Return the part of a script that ended with `code`; `data` is what it hands on, if wanted."""
    if code != 0:
        words = f"The script ended with exit code {code} on {host}."
        return Part(host, State.FAILED, words, code)
    declared = job.options.get("outputs") or ()
    if not declared:
        return Part(host, State.DONE, code=0)
    if data is None:
        words = f"The script ran on {host}, but what it hands on could not be read."
        return Part(host, State.FAILED, words, 0)
    try:
        outputs = output_file.read(data, declared, job.secrets)
    except output_file.OutputError as fault:
        return Part(host, State.FAILED, f"The script ran on {host}, but: {fault}", 0)
    return Part(host, State.DONE, code=0, outputs=outputs)
