"""What an interrupted monitor has already done: its samples, and the time that it has served."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from runbook_tui.actions.monitor.limit import Watch
from state.json_value import Json
from state.stores import signals
from state.stores.attempt_dir import AttemptDir


def earlier(previous: Sequence[str]) -> list[dict[str, Json]]:
    """Return the samples of the attempt before, unless that one has ended.

    An attempt with a result has been judged: a new one watches from the beginning.
    """
    if not previous:
        return []
    directory = AttemptDir(Path(previous[-1]))
    if directory.read_result() is not None:
        return []
    return signals.read_samples(directory)[0]


def seconds(samples: Sequence[Mapping[str, Any]]) -> float:
    """Return the time served when the last sample was taken."""
    return float(samples[-1].get("served", 0.0)) if samples else 0.0


def count_on(watch: Watch, samples: Sequence[Mapping[str, Any]]) -> None:
    """Have breaches counted on from where the samples end."""
    for sample in samples:
        for state in (sample.get("limits") or {}).values():
            watch.total += bool(state.get("over"))
    if samples:
        last = samples[-1].get("limits") or {}
        watch.row = {name: int(state.get("over", 0)) for name, state in last.items()}
