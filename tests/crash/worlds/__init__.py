"""A small world for each action with an effect, made afresh for every cell."""

from __future__ import annotations

from collections.abc import Mapping

from tests.crash.worlds import commands, databases, images, messages
from tests.crash.worlds.base import World

WORLDS: Mapping[str, type[World]] = {
    world.action: world
    for world in (
        commands.Run,
        commands.VerifiedRun,
        commands.Undo,
        commands.Ssh,
        commands.VerifiedSsh,
        commands.Tag,
        commands.Copy,
        databases.Migrate,
        databases.TwoMigrations,
        databases.Index,
        databases.Sql,
        databases.Backup,
        messages.Webhook,
        messages.Mail,
        images.Build,
        images.Push,
        images.Deploy,
        images.FirstDeploy,
    )
}
"""By the name that the first column of `matrix.tsv` has."""
