"""What a `manual` step offers and asks to be written down. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal

from runbook_tui.actions.manual.spec import Choice, ManualOptions, RecordField, choices
from runbook_tui.definition.plan import PlanStep

Then = Literal["next", "end", "rollback", "abort"]


def offered(step: PlanStep) -> Mapping[str, Choice]:
    """Return the author's choices in order."""
    return choices(step.options)


def then(step: PlanStep, choice: str) -> Then | None:
    """Return what follows a choice, or None when it is none of the author's."""
    found = offered(step).get(choice)
    return found.then if found else None


def record(step: PlanStep) -> Mapping[str, RecordField]:
    """Return what must be written down, in order."""
    return ManualOptions.model_validate(dict(step.options)).record


def missing(
    step: PlanStep, choice: str, reason: str | None, fields: Mapping[str, str]
) -> str | None:
    """Return a sentence when an answer lacks what the author requires, else None."""
    wanted = offered(step)[choice]
    if wanted.reason == "required" and not (reason or "").strip():
        return f"{step.name}: the choice {choice} needs a reason."
    fields_wanted = record(step)
    for name in fields:
        if name not in fields_wanted:
            return f"{step.name} records no field {name}."
    for name, field in fields_wanted.items():
        value = fields.get(name, "").strip()
        if not value and not field.optional:
            return f"{step.name}: {name} is missing ({field.prompt})."
        if value and field.pattern and not re.fullmatch(field.pattern, value):
            return f"{step.name}: {name} does not match {field.pattern}."
    return None
