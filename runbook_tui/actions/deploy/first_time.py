"""Taking back a deployment where nothing served before it: what that run put there goes again.

The labels of a host's containers tell: which the run started, and what each replaced. What anybody
else has put there stays.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from runbook_tui.actions.api import ActionFailed, Context, Evidence
from runbook_tui.actions.deploy import containers, on_host
from runbook_tui.actions.deploy.containers import Container
from runbook_tui.actions.deploy.on_host import Place


@dataclass(frozen=True, slots=True)
class First:
    """A host on which nothing is to go back to.

    `ours` are the containers that it put there, `others` those that are somebody else's.
    """

    host: str
    run: str
    ours: tuple[Container, ...]
    others: tuple[Container, ...]

    @property
    def line(self) -> str:
        """How it stands, for people."""
        if self.ours:
            return f"{self.host}: {_names(self.ours)} is there, put there by {self.run}"
        left = f"; {_names(self.others)} stays, put there by others" if self.others else ""
        return f"{self.host}: nothing of {self.run} is there{left}"


def told(place: Place) -> First | Place:
    """Return how a host stands on which nothing is to go back to, else the place with its image.

    Where the step has none to go back to, the labels of the run's own container tell.
    """
    target = place.target
    if target.image or target.takes_back is None:
        return place
    found = containers.of_service(place.client, target.service)
    by_run = [one for one in found if one.run == target.takes_back]
    before = next((one.previous for one in by_run if one.previous is not None), None)
    if before is not None:
        options = {**target.options, "image": before}
        return replace(place, target=replace(target, options=options))
    others = tuple(one for one in found if one not in by_run)
    return First(target.host, target.takes_back, tuple(by_run), others)


def remove(place: Place, context: Context, found: First) -> Evidence:
    """Have the proxy send nothing there, then stop and remove what the run put there."""
    context.log(found.line)
    if found.ours:
        _withdraw(place, context, found.ours)
        context.fault("deploy.withdrawn")
        on_host.stop(place, context, found.ours)
        context.fault("deploy.removed")
        found = _proven(place)
    return evidence(found)


def evidence(found: First) -> Evidence:
    """Return what proves that a host is as it was."""
    stays = [one.name for one in found.others]
    return Evidence(
        "no container", found.line, {"host": found.host, "run": found.run, "stays": list(stays)}
    )


def _withdraw(place: Place, context: Context, ours: Sequence[Container]) -> None:
    """Take the containers out of the proxy; a reload that a killed attempt owed is made up for."""
    if place.proxy is None:
        return
    port = place.proxy.live_port()
    if port is not None and port not in {one.port for one in ours}:
        return
    context.progress(f"{place.target.host}: the proxy is to send nothing there any more")
    if port is not None:
        place.proxy.withdraw(port)
    place.proxy.reload(context)
    context.log(f"{place.target.host}: no request goes to {_names(ours)}")


def _proven(place: Place) -> First:
    """Look once more: this is what the step claims."""
    found = told(place)
    if isinstance(found, Place) or found.ours:
        raise ActionFailed(
            f"What was put on {place.target.host} was removed, but then came again.",
            effect="partial",
        )
    return found


def _names(some: Sequence[Container]) -> str:
    return ", ".join(one.name for one in some)
