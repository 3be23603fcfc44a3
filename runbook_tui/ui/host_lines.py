"""What the host table shows of a step that runs on hosts. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from runbook_tui.ui.scene import Peek, Scene
from state.status import AttemptStatus
from widgets.host_table import HostLine

if TYPE_CHECKING:
    from runbook_tui.definition.plan import PlanStep
    from state.run_state import AttemptState
    from state.stores.signals import HostState


_WORDS = {"waiting": "not started", "done": "done"}


def hosts(scene: Scene, step: str) -> tuple[HostState, ...]:
    """Return how the hosts of the step's last attempt stand: when it is over, by the journal.

    A worker that was killed told no more of its hosts; a look found out what became of them.
    """
    told = scene.peeks.get(step, Peek()).hosts
    stands = scene.state.steps.get(step)
    last = stands.last if stands is not None else None
    if last is None or last.ended_at is None or not told:
        return told
    if last.status is AttemptStatus.SUCCEEDED:
        return tuple(_corrected(host, ("done", "")) for host in told)
    known = _known(last)
    return tuple(_corrected(host, known.get(host.host)) for host in told)


def _known(attempt: AttemptState) -> dict[str, tuple[str, str]]:
    """Return state and words of each host, as far as an ended attempt's outcome has them."""
    given = attempt.detail.get("hosts")
    if not isinstance(given, Mapping):
        return {}
    return {
        name: (str(one.get("state")), f"exit {one['code']}" if one.get("code") else "")
        for name, one in given.items()
        if isinstance(one, Mapping)
    }


def _corrected(host: HostState, known: tuple[str, str] | None) -> HostState:
    if known is not None and known[0] != host.state:
        return replace(host, state=known[0], text=known[1], began=None)
    if known is None and host.state in ("running", "lost"):
        return replace(host, state="unknown", text="not followed to its end", began=None)
    return host


def lines(scene: Scene, step: str) -> tuple[HostLine, ...]:
    """Return the hosts of the step's last attempt in the order of the step."""
    now = scene.now.timestamp()
    found = []
    for host in hosts(scene, step):
        seconds = None
        if host.began is not None:
            over = host.state in ("done", "failed", "unknown")
            seconds = max((host.at if over else now) - host.began, 0.0)
        words = host.text or _WORDS.get(host.state, "")
        found.append(HostLine(host.host, host.state, words, seconds))
    return tuple(found)


def note(scene: Scene, step: PlanStep | None, hosts: tuple[HostLine, ...]) -> str:
    """Say how many more may fail, while that is still to come."""
    if step is None or step.action != "ssh" or not any(one.state == "waiting" for one in hosts):
        return ""
    bad = sum(one.state in ("failed", "unknown") for one in hosts)
    most = step.options.get("max_failures")
    if most is None:
        most = None if step.options.get("parallel") else 0
    if not bad or not isinstance(most, int):
        return ""
    if bad > most:
        runs = any(one.state in ("running", "lost") for one in hosts)
        finish = "; the running ones finish" if runs else ""
        return f"{bad} failed, at most {most} may: no new host starts{finish}."
    said = f"{bad} of at most {most} failure{'' if most == 1 else 's'}. At {most + 1} no new host"
    return f"{said} starts; the running ones finish."
