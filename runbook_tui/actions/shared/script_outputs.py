"""How a script step declares the values it hands on (`outputs`), for `run` and `ssh`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field

from runbook_tui.actions.shared.fields import Options, Pattern

OutputName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]


class OutputRule(Options):
    """What a declared output must look like."""

    pattern: Pattern | None = Field(
        default=None, description="Regular expression that the whole value must match."
    )
    optional: bool = Field(
        default=False, description="The script may leave this output out without failing the step."
    )


DeclaredOutputs = list[OutputName] | dict[OutputName, OutputRule | None]
"""A list of names, or names with rules."""


def names(options: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the names that the option `outputs` declares, in either spelling."""
    return tuple(options.get("outputs") or ())
