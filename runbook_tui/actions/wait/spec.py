"""What is known of `wait`: the driver keeps the deadline, no worker is needed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from runbook_tui.actions.api import Row, Spec
from runbook_tui.actions.shared.fields import Duration, Options


class WaitOptions(Options):
    """Options of `wait`."""

    for_: Duration = Field(alias="for", description="How long to wait.")
    since: str | None = Field(
        default=None,
        description="Id of an earlier step: the time counts from that step's end. Default: from "
        "now. The deadline is kept over interruptions.",
    )


def _text(options: Mapping[str, Any]) -> str:
    since = options.get("since")
    return f"{options.get('for')}{f' since {since} ended' if since else ''}"


SPEC = Spec(
    kind="wait",
    summary="Lets time pass, from now or from the end of an earlier step.",
    options=WaitOptions,
    perform="",
    changes=False,
    worker=False,
    probes=False,
    shorthand="for",
    describe=lambda options: (Row("Waits", _text(options)),),
    simulate=lambda options: (f"would wait {_text(options)}",),
    example="""\
id: settle
name: Let the caches warm up
wait: {for: 10m, since: deploy}
""",
)
