"""What is known of `build` before it acts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field

from runbook_tui.actions.api import Row, Spec
from runbook_tui.actions.shared.docker_fields import LocalEngine, engine_reach
from runbook_tui.actions.shared.fields import Scalar
from runbook_tui.actions.shared.labels import labels


class BuildOptions(LocalEngine):
    """Options of `build`."""

    image: str = Field(
        description="Name and tag that the image gets, such as registry.example.org/app:v1.4.0.",
        min_length=1,
    )
    context: str = Field(
        default=".",
        description="Folder that the build sees, relative to the run's working directory.",
    )
    source: Literal["commit", "files"] = Field(
        default="commit",
        description="`commit` builds from the files as they are in the commit of the run, whatever "
        "has been changed since; `files` from those in the folder, for contexts that hold files "
        "that are not in Git.",
    )
    dockerfile: str = Field(
        default="Dockerfile", description="The Dockerfile, relative to the context."
    )
    target: str | None = Field(default=None, description="Stage of the Dockerfile to stop at.")
    args: dict[str, Scalar] = Field(
        default_factory=dict,
        description="Build arguments. The image's history shows them: no place for a secret.",
    )
    labels: dict[str, Scalar] = Field(
        default_factory=dict,
        description="Labels to add to those that every image gets: run, step, commit, version.",
    )
    network_mode: str | None = Field(
        default=None,
        description="Network of the build's containers: `host` where the engine has no bridge. "
        "Default: the engine's.",
    )
    no_cache: bool = Field(default=False, description="Build every layer anew.")


def _describe(options: Mapping[str, Any]) -> tuple[Row, ...]:
    rows = [
        Row("Image", str(options["image"])),
        Row("From", f"{options.get('dockerfile') or 'Dockerfile'} in {_context(options)}"),
    ]
    if options.get("target"):
        rows.append(Row("Stage", str(options["target"])))
    if args := options.get("args"):
        rows.append(Row("Arguments", " ".join(f"{key}={value}" for key, value in args.items())))
    return tuple(rows)


def _context(options: Mapping[str, Any]) -> str:
    context = options.get("context") or "."
    return f"{context} as it is" if options.get("source") == "files" else f"{context} at the commit"


SPEC = Spec(
    kind="build",
    summary="Builds an image that carries the run, the step and the commit in its labels.",
    options=BuildOptions,
    perform="runbook_tui.actions.build.perform",
    proof="mark",
    causes=("engine",),
    outputs=lambda options: ("image", "id"),
    describe=_describe,
    simulate=lambda options: (f"would build {options['image']} from {_context(options)}",),
    tools=lambda options: {"git": "git"},
    carries=lambda run, step, commit: {"labels": dict(labels(run, step, commit))},
    reaches=lambda options: (engine_reach(options),),
    example="""\
id: build
name: Build Docker image
build:
  image: registry.example.org/practice-hub:v1.4.0
  args: {VERSION: v1.4.0}
""",
)
