"""Reading the parameters of a runbook."""

from __future__ import annotations

import re

from runbook_tui.definition.model import NAME, Parameter
from runbook_tui.definition.problems import Problem
from runbook_tui.definition.references import RESERVED
from runbook_tui.definition.tree import Map, Seq, describe, spelling, spot
from runbook_tui.definition.validate import validate
from runbook_tui.definition.values import wrong_value

BROKEN = Parameter(type="host")
"""Stands for a parameter that cannot be read: nothing more is wrong because of it."""


def read_parameters(node: Map, problems: list[Problem]) -> dict[str, Parameter]:
    """Return the parameters of a runbook, in order, after adding what is wrong to `problems`."""
    given = node.get("parameters")
    if not isinstance(given, Map):
        return {}
    found: dict[str, Parameter] = {}
    for name, own in given.items():
        place = spot(given, name, of_key=True)
        if name in RESERVED:
            said = f'"{name}" cannot name a parameter: references use it for something else'
            problems.append(place.error("reserved", said, f"reserved: {', '.join(RESERVED)}"))
        elif not re.fullmatch(NAME, name):
            said = f'"{name}" cannot name a parameter: use letters, digits, _ and -'
            problems.append(place.error("name", said))
        elif own is None:
            found[name] = Parameter()
        elif not isinstance(own, Map):
            said = f"expected a mapping, found {describe(own)}"
            hint = f"a default is written {name}: {{default: …}}"
            problems.append(spot(given, name).error("type", said, hint))
        else:
            found[name] = _parameter(own, problems) or BROKEN
    return found


def _parameter(node: Map, problems: list[Problem]) -> Parameter | None:
    _spell(node)
    before = len(problems)
    parameter = validate(Parameter, node, problems)
    if parameter is None or len(problems) > before:
        return parameter
    if parameter.group is not None and parameter.type != "host":
        said = "`group` goes with `type: host`"
        problems.append(spot(node, "group", of_key=True).error("parameter", said))
    if parameter.secret and parameter.default is not None:
        said = "a secret parameter cannot have a default: it would stand in the file"
        problems.append(spot(node, "default").error("secret", said))
    elif parameter.default is not None and parameter.type != "host":
        if "${{" in parameter.default:
            said = "a default is text; it cannot hold references"
            problems.append(spot(node, "default").error("reference", said))
        elif wrong := wrong_value(parameter, parameter.default):
            problems.append(spot(node, "default").error("value", f"the default {wrong}"))
    return parameter


def _spell(node: Map) -> None:
    """Write defaults and choices as the file spells them: `1.10` stays `1.10`."""
    default = node.get("default")
    if isinstance(default, bool | int | float):
        node["default"] = spelling(node, "default")
    choices = node.get("choices")
    if isinstance(choices, Seq):
        for index, choice in enumerate(choices):
            if isinstance(choice, bool | int | float):
                choices[index] = spelling(choices, index)
