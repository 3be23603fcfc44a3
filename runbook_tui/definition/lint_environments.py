"""Overlays: they must fit their steps, and a protected environment is never confirmed less."""

from __future__ import annotations

from collections.abc import Iterator

from runbook_tui.definition.environments import Environment
from runbook_tui.definition.model import Step, confirm_of
from runbook_tui.definition.overlays import Overlaid, overlay
from runbook_tui.definition.problems import nearest
from runbook_tui.definition.scope import Scope
from runbook_tui.definition.tree import spot

STRENGTH = ("none", "ask", "typed", "approval")


class OverlayCheck:
    """Checks and keeps what each environment lays over steps."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.laid: dict[str, dict[str, Overlaid]] = {}
        """By the step's id in a run, by environment: the steps that an environment changes."""

    def all(self) -> None:
        """Check the overlays of this file's steps."""
        steps = self.scope.own()
        for environment in (self.scope.environments or {}).values():
            for id_, own in environment.overlays.items():
                if id_ in steps:
                    laid = overlay(steps[id_], own, self.scope.problems)
                    self.laid.setdefault(id_, {})[environment.name] = laid
        for id_, by_environment in self.laid.items():
            self._confirmed(id_, steps[id_], by_environment)

    def of(self, step: Step) -> Iterator[tuple[str, dict[str, Overlaid]]]:
        """Yield what is laid over a step, by each of its ids in a run."""
        for id_, laid in self.laid.items():
            if id_.rpartition("/")[2] == step.id:
                yield id_, laid

    def strangers(self, *, inline: bool) -> None:
        """Tell of overlays that fit no step. A file of environments may serve other runbooks."""
        broken = {id_ for one in self.scope.others.values() for id_ in one.broken}
        broken |= self.scope.runbook.broken
        for environment in (self.scope.environments or {}).values():
            for id_ in environment.overlays:
                if id_ not in self.scope.parts and id_.rpartition("/")[2] not in broken:
                    self._stranger(environment, id_, list(self.scope.parts), inline)

    def _stranger(self, environment: Environment, id_: str, known: list[str], inline: bool) -> None:
        near = nearest(id_, known)
        if not inline and (near is None or near in environment.overlays):
            return
        place = environment.overlay_place(id_)
        hint = f'did you mean "{near}"?' if near else ""
        said = f'there is no step "{id_}"'
        make = place.error if inline else place.warning
        self.scope.problems.append(make("unknown-step", said, hint))

    def _confirmed(self, id_: str, step: Step, laid: dict[str, Overlaid]) -> None:
        """A confirmation in a protected environment is at least as strong as anywhere else."""
        environments = self.scope.environments or {}
        strength = {
            name: STRENGTH.index(confirm_of(laid[name].step.keys if name in laid else step.keys))
            for name in environments
        }
        strongest = max([*strength.values(), STRENGTH.index(confirm_of(step.keys))])
        for name, environment in environments.items():
            if not environment.protected or strength[name] >= strongest:
                continue
            own = environment.overlays.get(id_)
            if own is not None and "confirm" in own:
                place = spot(own, "confirm")
            elif "confirm" in step.node:
                place = spot(step.node, "confirm")
            else:
                place = spot(step.node)
            said = (
                f'"{id_}" is confirmed by "{STRENGTH[strength[name]]}" in {name}, which is '
                f'protected, and by "{STRENGTH[strongest]}" elsewhere'
            )
            hint = "in a protected environment a confirmation may not be weaker"
            self.scope.problems.append(place.error("confirm", said, hint))
