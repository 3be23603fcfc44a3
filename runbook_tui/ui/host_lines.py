"""What the host table shows of a step that runs on hosts. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runbook_tui.ui.scene import Peek, Scene
from widgets.host_table import HostLine

if TYPE_CHECKING:
    from runbook_tui.definition.plan import PlanStep


_WORDS = {"waiting": "not started", "done": "done"}


def lines(scene: Scene, step: str) -> tuple[HostLine, ...]:
    """Return the hosts of the step's last attempt in the order of the step."""
    now = scene.now.timestamp()
    found = []
    for host in scene.peeks.get(step, Peek()).hosts:
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
        return f"{bad} failed, at most {most} may: no new host starts; the running ones finish."
    said = f"{bad} of at most {most} failure{'' if most == 1 else 's'}. At {most + 1} no new host"
    return f"{said} starts; the running ones finish."
