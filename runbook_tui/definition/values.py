"""Values of parameters: what a value must be like, and what it can never hold."""

from __future__ import annotations

from runbook_tui.definition.model import Parameter
from runbook_tui.definition.patterns import matches
from runbook_tui.definition.scan import forbidden
from runbook_tui.definition.tree import describe

BOOLEANS = ("true", "false")


def wrong_value(parameter: Parameter, value: str) -> str | None:
    """Return what is wrong with a value for a parameter, as the rest of a sentence, or None.

    Whether a host is in the inventory is not known here. A secret value is never repeated.
    """
    shown = "the value given" if parameter.secret else describe(value)
    if value and (wrong := forbidden(value)):
        return f"holds a {wrong}"
    if parameter.type == "bool" and value not in BOOLEANS:
        return f"must be true or false, not {shown}"
    if parameter.choices is not None and value not in parameter.choices:
        return f"must be one of {', '.join(parameter.choices)}, not {shown}"
    if parameter.pattern is not None and not matches(parameter.pattern, value):
        return f"must match {parameter.pattern}; {shown} does not"
    return None
