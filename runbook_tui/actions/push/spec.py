"""What is known of `push` before it acts."""

from __future__ import annotations

from pydantic import Field

from runbook_tui.actions.api import Row, Spec
from runbook_tui.actions.shared.docker_fields import (
    LocalEngine,
    Registry,
    RegistryAuth,
    engine_reach,
    registry_reach,
)


class PushOptions(LocalEngine):
    """Options of `push`."""

    image: str = Field(
        description="Name and tag of the image, such as registry.example.org/app:v1.4.0.",
        min_length=1,
    )
    auth: RegistryAuth | None = Field(
        default=None,
        description="Login at the registry. Default: none is needed.",
    )
    registry: Registry = Field(
        default_factory=Registry,
        description="How the digest is read back from the registry. The engine has its own "
        "settings for the push itself.",
    )


SPEC = Spec(
    kind="push",
    summary="Pushes an image and compares the registry's digest with the engine's.",
    options=PushOptions,
    perform="runbook_tui.actions.push.perform",
    proof="state",
    shorthand="image",
    causes=("registry", "engine"),
    outputs=lambda options: ("image", "digest", "reference"),
    describe=lambda options: (
        Row("Image", str(options["image"])),
        Row("To", str(options["image"]).split("/", 1)[0]),
    ),
    simulate=lambda options: (f"would push {options['image']} and compare digests",),
    reaches=lambda options: (
        engine_reach(options),
        registry_reach(str(options["image"]), options),
    ),
    example="""\
id: push
name: Push image to registry
push:
  image: registry.example.org/practice-hub:v1.4.0
  auth: {username: deploy, password: "${{ secrets.REGISTRY_TOKEN }}"}
""",
)
