"""What the screens need of the rest of the program, as a Protocol; tests put a fake behind it.

Every method may be slow and is called in a thread. Failures are `BackendError`: a sentence and
what to do next, ready for the screen.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

from state.status import StepStatus

if TYPE_CHECKING:
    from runbook_tui.definition.plan import Plan, PlanStep
    from runbook_tui.engine.attending import Online
    from runbook_tui.engine.ports import Operator
    from state.run_state import RunState


class BackendError(Exception):
    """Something could not be done."""

    def __init__(self, sentence: str, advice: str = "") -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.advice = advice


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of Home. `target` is a run's id or a runbook's file."""

    target: str
    kind: Literal["run", "runbook"]
    title: str
    status: StepStatus | None
    place: str = ""
    protected: bool = False
    words: str = ""
    when: str = ""
    below: str = ""


@dataclass(frozen=True, slots=True)
class HomeView:
    """The three lists of Home."""

    needs: tuple[Entry, ...] = ()
    runbooks: tuple[Entry, ...] = ()
    history: tuple[Entry, ...] = ()
    running: int = 0


@dataclass(frozen=True, slots=True)
class Wanted:
    """A parameter that Launch asks for. `check` returns what is wrong with a value, or nothing."""

    name: str
    prompt: str
    value: str
    secret: bool
    check: Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Draft:
    """A runbook that may be started: its environments (name, protected) and parameters."""

    file: Path
    title: str
    steps: int
    environments: tuple[tuple[str, bool], ...]
    wanted: tuple[Wanted, ...]
    rollback: str = ""
    words: str = ""


@dataclass(frozen=True, slots=True)
class PlanFound:
    """One step of the plan, and what a look at its effect found."""

    step: str
    name: str
    found: str
    will: str
    there: bool = False
    asks: bool = False
    changes: bool = False
    usual: float | None = None
    details: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that the run needs. A red one blocks, a yellow one is named."""

    name: str
    sentence: str
    level: Literal["good", "warns", "blocks"]
    mend: str = ""


@dataclass(frozen=True, slots=True)
class Recorded:
    """A run as its journal has it, with its plan. `alive` says that a driver has it now."""

    plan: Plan
    state: RunState
    alive: bool = False


@dataclass(frozen=True, slots=True)
class Driven:
    """Who drives a run that is not driven here: `operator@host`, since when, how one knows."""

    who: str
    run: str
    since: str = ""
    seen: str = ""
    place: str = ""
    """The name of what they hold: an environment's lock."""
    runbook: str = ""
    step: str = ""
    barred: str = ""
    """Why whoever looks on here cannot approve what the run asks; empty when they may."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Who drives in a place; nobody, and then `left` says what the last run left unresolved."""

    by: Driven | None
    left: str = ""


@dataclass(frozen=True, slots=True)
class Audited:
    """What an audit of a run's journal found: how many events, and what is wrong, in sentences."""

    events: int
    faults: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Ended:
    """How driving ended: the exit code, and a sentence when it was cut short by a problem."""

    code: int
    sentence: str = ""
    advice: str = ""
    run: str = ""
    by: Driven | None = None
    """Who drives instead, when the place or the run is in use."""
    details: Mapping[str, str] = field(default_factory=dict)


class Backend(Protocol):
    """The rest of the program."""

    state_directory: Path
    operator: str
    host: str

    def home(self) -> HomeView:
        """Return what Home lists."""

    def draft(self, file: Path, environment: str | None, given: Mapping[str, str]) -> Draft:
        """Read a runbook; the values given stand in its fields."""

    def look(
        self, file: Path, environment: str | None, given: Mapping[str, str]
    ) -> Sequence[PlanFound]:
        """Look, step by step, at what is already there; changes nothing."""

    def preflight(
        self, file: Path, environment: str | None, given: Mapping[str, str]
    ) -> Sequence[Check]:
        """Look whether all that the run needs can be reached."""

    def start(
        self, file: Path, environment: str | None, given: Mapping[str, str], operator: Operator
    ) -> Ended:
        """Start a run and drive it until it ends, waits without us, or is left."""

    def resume(self, run: str, operator: Operator) -> Ended:
        """Take a run up again and drive it."""

    def roll_back(self, run: str, reason: str, operator: Operator) -> Ended:
        """Roll a run back and drive that; its confirmation is asked on the way."""

    def recorded(self, run: str) -> Recorded:
        """Read a run and its plan."""

    def audited(self, run: str) -> Audited:
        """Check that the events of a run that nobody drives are as they were written."""

    def bring_output(self, attempt: str) -> None:
        """Bring here what another machine's attempt has written so far, where that is shared.

        `attempt` is its directory. Does nothing for a local one, nor when it cannot be reached now.
        """

    def describe(self, step: PlanStep) -> Sequence[tuple[str, str]]:
        """Say in rows (label, words) what a step's action will do."""

    def note(self, run: str, step: str | None, words: str) -> None:
        """Write a note on a run that is not driven here."""

    def follow(
        self,
        run: str,
        tell: Callable[[RunState, Driven | None], None],
        going: Callable[[], bool],
    ) -> None:
        """Tell how a run stands and who drives it, as it changes, while `going`."""

    def standing(self, place: str) -> Standing:
        """Look whether somebody drives in a place, or left something there."""

    def online(self, state: RunState) -> Sequence[Online]:
        """Return who watches a run now, and which of them may approve what it asks."""

    def vote(self, run: str, step: str, kind: str, reason: str) -> str:
        """Approve or deny what a step waits for; return what came of it."""

    def take_over(
        self,
        run: str,
        reason: str,
        operator: Operator,
        say: Callable[[str], None],
        going: Callable[[], bool],
    ) -> Ended:
        """Ask whoever drives a run, then drive it; `say` tells what goes on until then."""
