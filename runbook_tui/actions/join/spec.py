"""What is known of `join`: the driver sees in the record that the step has ended."""

from __future__ import annotations

from pydantic import Field

from runbook_tui.actions.api import Row, Spec
from runbook_tui.actions.shared.fields import Options


class JoinOptions(Options):
    """Options of `join`."""

    join: str = Field(min_length=1, description="Id of an earlier step with `background: true`.")


SPEC = Spec(
    kind="join",
    summary="Waits until a step in the background has ended.",
    options=JoinOptions,
    perform="",
    changes=False,
    worker=False,
    probes=False,
    shorthand="join",
    describe=lambda options: (Row("Waits for", str(options.get("join"))),),
    simulate=lambda options: (f"would wait for {options.get('join')}",),
    example="""\
id: soaked
name: Wait for the end of the soak
join: soak
""",
)
