"""The actions there are: ours by name, others' by the entry-point group `runbook_tui.actions`."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from importlib.metadata import entry_points

from runbook_tui.actions.api import Spec

GROUP = "runbook_tui.actions"

BUILT_IN = (
    "announce",
    "backup",
    "build",
    "check",
    "copy",
    "deploy",
    "env",
    "join",
    "manual",
    "migrate",
    "monitor",
    "push",
    "run",
    "smoke",
    "sql",
    "ssh",
    "tag",
    "wait",
)


@cache
def kinds() -> tuple[str, ...]:
    """Return the kinds of action that a step may name, sorted."""
    return tuple(sorted({*BUILT_IN, *(point.name for point in entry_points(group=GROUP))}))


@cache
def spec(kind: str) -> Spec:
    """Return what is known of an action.

    Raises KeyError for a kind that does not exist. A built-in cannot be replaced by a plugin.
    """
    if kind in BUILT_IN:
        found: Spec = import_module(f"runbook_tui.actions.{kind}.spec").SPEC
        return found
    for point in entry_points(group=GROUP, name=kind):
        loaded: Spec = point.load()
        return loaded
    raise KeyError(kind)
