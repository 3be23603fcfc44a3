"""The backend of the real program: journal, definition and engine, in the words of the screens."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Final, TypeVar

from runbook_tui import exits
from runbook_tui.actions import registry
from runbook_tui.definition import loader
from runbook_tui.definition.plan import Plan, PlanStep, SecretSource
from runbook_tui.definition.values import wrong_value
from runbook_tui.engine import (
    attending,
    awaiting_end,
    following,
    notes,
    session,
    taking_over,
    usual,
    voting,
)
from runbook_tui.engine.attending import Online
from runbook_tui.engine.driving import Place, Session
from runbook_tui.engine.environments_in_use import InUse
from runbook_tui.engine.ports import Operator
from runbook_tui.engine.sending import Sender
from runbook_tui.engine.session import Prepared
from runbook_tui.engine.usual import Usual
from runbook_tui.engine.workers import Workers
from runbook_tui.ui import home_lists
from runbook_tui.ui.backend import (
    Audited,
    BackendError,
    Check,
    Draft,
    Driven,
    Ended,
    HomeView,
    PlanFound,
    Recorded,
    Standing,
    Wanted,
)
from runbook_tui.ui.bridge import ScreenOperator
from runbook_tui.ui.in_words import in_words
from runbook_tui.ui.occupied import driven_by, in_detail, standing
from runbook_tui.ui.previews import checks, found
from state import fold
from state.audit import audit
from state.errors import CodecError, FoldError, StoreError
from state.protocols import JournalReader
from state.run_state import RunState
from state.stores.location import Location
from state.stores.store import Store
from widgets.durations import lasting

Found = TypeVar("Found")
LEARNED_FROM: Final = 40
"""How many runs, the newest, are read to learn how long steps usually take."""

ReadSecret = Callable[[SecretSource], str]


class EngineBackend:
    """Journal and engine behind the screens. `workers` is made early, before threads begin."""

    def __init__(
        self,
        location: Location,
        operator: str,
        read_secret: ReadSecret,
        workers: Workers | None = None,
        folders: Mapping[Path, Path | None] | None = None,
        directory: Path | None = None,
        given: Mapping[str, str] | None = None,
        change: session.Change = "ask",
    ) -> None:
        """`folders` hold runbooks, each with the directory that these are called in; `directory`
        is where all others are (default: here). `given` are secret parameters for a resume,
        `change` is what becomes of changed files then."""
        self.location = location
        self.state_directory = location.directory
        self.operator = operator
        self.host = socket.gethostname().partition(".")[0]
        self._read_secret = read_secret
        self._workers = workers
        self._folders = dict(folders or {})
        self._directory = directory
        self._given = dict(given or {})
        self._change = change
        self._session: Session | None = None
        self._guard = threading.Lock()
        self._connected: Store | None = None

    def close(self) -> None:
        """Let the helper process go; running workers go on."""
        if self._workers is not None:
            self._workers.close()
        if self._connected is not None:
            self._connected.close()

    @contextmanager
    def _place(self) -> Iterator[Place]:
        """A place with a store of its own; what goes wrong becomes a BackendError in words."""
        with in_words(), self._opened() as store:
            yield Place(store, self._pool(), self._read_secret, self.operator, self.host)

    def _opened(self) -> Store:
        """Open the store. A shared one stays connected until the end: each call is short then."""
        with self._guard:
            if self.location.url is not None and self._connected is None:
                self._connected = self.location.open()
        return self.location.open()

    def _pool(self) -> Workers:
        with self._guard:
            if self._workers is None:
                self._workers = Workers()
            return self._workers

    def home(self) -> HomeView:
        """Return what Home lists. A run whose record is not intact is listed as such."""
        states: list[RunState] = []
        broken: dict[str, str] = {}
        with in_words(), self._opened() as store:
            for run in store.journal.runs()[: home_lists.MOST_RUNS]:
                try:
                    states.append(fold.fold(store.journal.read(run)))
                except (FoldError, CodecError) as problem:
                    broken[run] = str(problem)
            driven = {state.run for state in states if _driven(store, state.run)}
            past = {
                one.run
                for one in states
                if one.final or (one.run not in driven and store.origin(one.run) is not None)
            }
        return home_lists.view(states, broken, driven, past, tuple(self._folders))

    def draft(self, file: Path, environment: str | None, given: Mapping[str, str]) -> Draft:
        """Read a runbook; the values given stand in its fields."""
        with in_words():
            loaded = loader.load(file)
        names = [(one.name, one.protected) for one in loaded.environments.values()]
        if environment is not None and environment not in dict(names):
            known = ", ".join(name for name, _ in names) or "none"
            raise BackendError(f"There is no environment {environment}.", f"There are: {known}.")
        wanted = []
        for name, parameter in loaded.runbook.parameters.items():

            def check(value: str, parameter: object = parameter) -> str:
                return wrong_value(parameter, value) or ""  # type: ignore[arg-type]  # bound above

            value = given.get(name, parameter.default or "")
            prompt = parameter.prompt or name
            wanted.append(Wanted(name, prompt, value, parameter.secret, check))
        steps = sum(not step.children for step in loaded.runbook.steps())
        with in_words(), self._opened() as store:
            whole = self._usual(store.journal, loaded.runbook.name, environment or "").run
        rollback = loaded.runbook.rollback
        return Draft(
            file,
            loaded.runbook.name,
            steps,
            tuple(names),
            tuple(wanted),
            rollback.file if rollback else "",
            f"usually {lasting(whole)}" if whole else "",
        )

    def look(
        self, file: Path, environment: str | None, given: Mapping[str, str]
    ) -> Sequence[PlanFound]:
        """Look, step by step, at what is already there; changes nothing."""
        return self._previewed(file, environment, given, found)

    def preflight(
        self, file: Path, environment: str | None, given: Mapping[str, str]
    ) -> Sequence[Check]:
        """Look whether all that the run needs can be reached."""
        return self._previewed(file, environment, given, checks)

    def _previewed(
        self,
        file: Path,
        environment: str | None,
        given: Mapping[str, str],
        look: Callable[[Prepared, Place], Sequence[Found]],
    ) -> Sequence[Found]:
        with self._place() as place:
            prepared = self._prepared(file, environment, given)
            return look(replace(prepared, plan=self._taught(place, prepared.plan)), place)

    def _prepared(self, file: Path, environment: str | None, given: Mapping[str, str]) -> Prepared:
        of_folder = next(
            (
                called_in
                for folder, called_in in self._folders.items()
                if file.absolute().is_relative_to(folder.absolute())
            ),
            None,
        )
        return session.prepare(file, environment, given, directory=self._directory or of_folder)

    def start(
        self, file: Path, environment: str | None, given: Mapping[str, str], operator: Operator
    ) -> Ended:
        """Start a run and drive it until it ends, waits without us, or is left."""

        def begin(place: Place) -> Session:
            return session.start(self._prepared(file, environment, given), place)

        return self._drive(begin, operator)

    def resume(self, run: str, operator: Operator) -> Ended:
        """Take a run up again and drive it."""
        return self._drive(
            lambda place: session.resume(run, place, self._given, change=self._change), operator
        )

    def roll_back(self, run: str, reason: str, operator: Operator) -> Ended:
        """Roll a run back and drive that; its confirmation is asked on the way."""
        return self._drive(
            lambda place: session.rollback(run, place, self._given, reason), operator
        )

    def _drive(self, begin: Callable[[Place], Session], operator: Operator) -> Ended:
        with self._place() as place:
            says = operator.waits_for if isinstance(operator, ScreenOperator) else _ignore
            try:
                with awaiting_end.begin(lambda: begin(place), says) as driven:
                    self._session = driven
                    code = driven.drive(operator)
                    return Ended(code, run=driven.run)
            except InUse as problem:
                says("")
                by = in_detail(place.store, driven_by(problem.held))
                return Ended(exits.IN_USE, problem.sentence, problem.advice, by=by)
            except StoreError as problem:
                return Ended(exits.STORE, problem.sentence, problem.advice)

    def recorded(self, run: str) -> Recorded:
        """Read a run and its plan."""
        with self._place() as place:
            state = session.read_state(place, run)
            plan = self._taught(place, self._plan_of(place, state))
            return Recorded(plan, state, _driven(place.store, run))

    def audited(self, run: str) -> Audited:
        """Check that the events of a run that nobody drives are as they were written."""
        with in_words(), self._opened() as store:
            records, head = store.journal.read(run), store.journal.head(run)
            return Audited(len(records), tuple(one.text for one in audit(records, head, run)))

    def _plan_of(self, place: Place, state: RunState) -> Plan:
        if self._session is not None and state.run in self._session.plans:
            return self._session.plans[state.run]
        return session.plan_of(place, state, self._given, complete=False)

    def _taught(self, place: Place, plan: Plan) -> Plan:
        learned = self._usual(place.journal, plan.runbook, plan.environment)
        return usual.taught(plan, learned)

    def _usual(self, journal: JournalReader, runbook: str, environment: str) -> Usual:
        runs = (fold.fold(journal.read(run)) for run in journal.runs()[:LEARNED_FROM])
        try:
            return usual.learn(runbook, environment, runs)
        except (FoldError, CodecError):  # a damaged run is told of at Home
            return Usual()

    def bring_output(self, attempt: str) -> None:
        """Bring here what another machine's attempt has written so far, where that is shared."""
        if self.location.url is None:
            return
        with suppress(StoreError, OSError), self._opened() as store:
            store.outputs.fetch(attempt)

    def describe(self, step: PlanStep) -> Sequence[tuple[str, str]]:
        """Say in rows (label, words) what a step's action will do."""
        rows = registry.spec(step.action).describe(step.options)
        return [(row.label, row.text) for row in rows]

    def note(self, run: str, step: str | None, words: str) -> None:
        """Write a note on a run that is not driven here."""
        with self._place() as place:
            state = session.read_state(place, run)
            notes.write(place.store, state, Sender(self.operator, self.host), words, step)

    def follow(
        self,
        run: str,
        tell: Callable[[RunState, Driven | None], None],
        going: Callable[[], bool],
    ) -> None:
        """Tell how a run stands and who drives it, as it changes, while `going`."""
        with in_words(), self.location.open() as store:
            here = attending.Attending(store, Sender(self.operator, self.host))
            try:
                for seen in following.follow(store, run, going):
                    driven = driven_by(seen.held)
                    if driven is not None:
                        driven = replace(driven, barred=here.barred(seen.state, seen.held))
                    tell(seen.state, driven)
                    here.at(seen.state.run)
            finally:
                here.end()

    def standing(self, place: str) -> Standing:
        """Look whether somebody drives in a place, or left something there."""
        with in_words(), self._opened() as store:
            return standing(store, place)

    def online(self, state: RunState) -> Sequence[Online]:
        """Return who watches a run now, and which of them may approve what it asks."""
        with in_words(), self._opened() as store:
            return attending.online(store, state)

    def vote(self, run: str, step: str, kind: str, reason: str) -> str:
        """Approve or deny what a step waits for; return what came of it."""
        with self._place() as place:
            own = Sender(self.operator, self.host)
            state = session.read_state(place, run)
            return voting.vote(place.store, state, step, kind, reason, own)

    def take_over(
        self,
        run: str,
        reason: str,
        operator: Operator,
        say: Callable[[str], None],
        going: Callable[[], bool],
    ) -> Ended:
        """Ask whoever drives a run, then drive it; `say` tells what goes on until then."""

        def begin(place: Place) -> Session:
            return taking_over.take_over(run, place, reason, self._given, say=say, going=going)

        return self._drive(begin, operator)


def _ignore(line: str) -> None:
    """Say it to nobody."""


def _driven(store: Store, run: str) -> bool:
    return store.leases.held_by("run", run) is not None
