"""What can be done while no question is open."""

from __future__ import annotations

from runbook_tui.engine.ports import Abort, Command, HandOver, Hold, Release, RollBack, StopStep
from runbook_tui.ui.scene import Scene
from widgets.ask import Ask
from widgets.choices import Choice
from widgets.rows import text
from widgets.safe import safe

MENU = "menu"
"""The id of the list of what can be done while no question is open."""

HANDING_OVER = "handing over"
"""The id of the question to whom the run is handed over by somebody who leaves."""

_HAND_OVER = Choice("hand_over", "Hand over …", "t", reason="required", prompt="To whom, and why")


def menu(scene: Scene, step: str | None) -> Ask:
    """Return the list of what can be done while nothing is asked."""
    state = scene.state
    running = [stands for stands, _ in state.open_attempts()]
    choices = [Choice("", "Keep going" if not scene.held else "Leave it paused")]
    if scene.held:
        choices.append(Choice("release", "Go on with the next step", "p"))
    else:
        choices.append(Choice("hold", "Pause after it" if running else "Pause here", "p"))
    chosen = next((stands for stands in running if stands.id == step), None) or (
        running[0] if running else None
    )
    if chosen is not None:
        choices.append(
            Choice(
                f"stop {chosen.id}",
                f"Stop {chosen.name} …",
                "x",
                reason="required",
                prompt="Why stop it",
            )
        )
    if scene.plan.way_back:
        choices.append(Choice("rollback", "Roll back …", "b", reason="required", prompt="Why"))
    choices.append(_HAND_OVER)
    choices.append(Choice("abort", "Abort …", "a", reason="required", prompt="Why abort"))
    lines = (text("Stopping is an interrupt, 10 s, then kill. Rolling back asks again."),)
    return Ask(MENU, text("What now?"), lines, tuple(choices))


def handing_over(scene: Scene) -> Ask:
    """Return what somebody is asked who leaves by handing over."""
    return Ask(
        HANDING_OVER,
        safe(f"Hand over run {scene.state.run}, and leave?"),
        (text("Running steps go on; nothing new starts until the run is taken up."),),
        (Choice("", "Stay"), _HAND_OVER),
    )


def from_menu(choice: str, reason: str) -> Command:
    """Return the command that a choice of the menu stands for."""
    if choice.startswith("stop "):
        return StopStep(choice.removeprefix("stop "), reason)
    if choice == "rollback":
        return RollBack(reason)
    if choice == "hand_over":
        to, _, why = reason.replace(":", " ", 1).partition(" ")
        return HandOver(to, why.strip() or "asked for")
    if choice == "abort":
        return Abort(reason)
    return Release() if choice == "release" else Hold()
