"""Which steps a run has under which ids once all includes are put in their places, and how many."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from runbook_tui.definition.model import Runbook, Step, relative
from runbook_tui.definition.problems import Problem
from runbook_tui.definition.tree import spot

MAX_STEPS = 20_000
"""So many steps a run may have: includes of includes grow fast."""


@dataclass(frozen=True, slots=True)
class Part:
    """A step as the run knows it, and the file that it is in."""

    file: str
    step: Step


def parts(
    main: str, runbook: Runbook, others: Mapping[str, Runbook], problems: list[Problem]
) -> dict[str, Part]:
    """Return the steps of a runbook and of its rollback runbook, by their ids in a run.

    Adds to `problems` where includes make too many of them; their steps are left out then.
    """
    roots = {main: runbook}
    if (rollback := runbook.rollback) is not None:
        file = relative(main, rollback.file)
        roots |= {file: others[file]} if file in others else {}
    found: dict[str, Part] = {}
    sizes: dict[str, int] = {}
    for file, root in roots.items():
        for step in root.steps():
            found.setdefault(step.id, Part(file, step))
            inner = _included(step, file, others)
            if inner is None:
                continue
            if len(found) + _size(inner, others, sizes, (file,)) > MAX_STEPS:
                said = f"with this include a run has more than {MAX_STEPS:,} steps"
                problems.append(spot(step.options, "file").error("too-many-steps", said))
            else:
                found |= dict(_within(step.id, inner, others, (file,)))
    return found


def _included(step: Step, file: str, others: Mapping[str, Runbook]) -> str | None:
    """Return the name in `others` of the file that a step includes, if it does and is known."""
    given = step.options.get("file") if step.kind == "include" else None
    name = relative(file, given) if isinstance(given, str) else None
    return name if name in others else None


def _size(
    file: str, others: Mapping[str, Runbook], known: dict[str, int], above: tuple[str, ...]
) -> int:
    if file in above:
        return 0
    if file not in known:
        inner = [_included(step, file, others) for step in others[file].steps()]
        known[file] = len(inner) + sum(
            _size(one, others, known, (*above, file)) for one in inner if one is not None
        )
    return known[file]


def _within(
    outer: str, file: str, others: Mapping[str, Runbook], above: tuple[str, ...]
) -> Iterator[tuple[str, Part]]:
    if file in above:
        return
    for step in others[file].steps():
        id_ = f"{outer}/{step.id}"
        yield id_, Part(file, step)
        inner = _included(step, file, others)
        if inner is not None:
            yield from _within(id_, inner, others, (*above, file))
