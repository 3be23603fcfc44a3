"""What is known of `tag` before it acts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from runbook_tui.actions.api import Reach, Row, Spec
from runbook_tui.actions.shared.fields import Options


class TagOptions(Options):
    """Options of `tag`."""

    name: str = Field(description="Name of the tag, such as v1.4.0.", min_length=1)
    remote: str = Field(
        default="origin",
        description="Name or URL of the remote that the tag is pushed to.",
        min_length=1,
    )
    message: str | None = Field(
        default=None, description="Message of the tag. Default: the tag's name and the run's id."
    )
    sign: bool = Field(
        default=False, description="Sign the tag with the key that Git is configured with."
    )
    commit: str | None = Field(
        default=None,
        description="The commit to tag, as anything that Git resolves to one. Default: the commit "
        "that the run began with.",
    )


def _describe(options: Mapping[str, Any]) -> tuple[Row, ...]:
    kind = "signed tag" if options.get("sign") is True else "annotated tag"
    return (
        Row("Tag", f"{options['name']} ({kind})"),
        Row("At", str(options.get("commit") or "the commit of the run")),
        Row("Pushed to", str(options.get("remote") or "origin")),
    )


SPEC = Spec(
    kind="tag",
    summary="Makes an annotated or signed tag at the commit of the run and pushes it.",
    options=TagOptions,
    perform="runbook_tui.actions.tag.perform",
    proof="state",
    shorthand="name",
    causes=("remote",),
    outputs=lambda options: ("name", "commit", "previous"),
    describe=_describe,
    simulate=lambda options: (
        f"would tag the commit as {options['name']} and push it to "
        f"{options.get('remote') or 'origin'}",
    ),
    tools=lambda options: {"git": "git"},
    carries=lambda run, step, commit: {"commit": commit},
    reaches=lambda options: (Reach("git", str(options.get("remote") or "origin")),),
    example="""\
id: tag
name: Create Git tag for release
tag: {name: v1.4.0, remote: origin}
undo: {run: git push origin --delete v1.4.0}
""",
)
