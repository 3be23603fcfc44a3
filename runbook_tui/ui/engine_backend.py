"""The backend of the real program: journal, definition and engine, in the words of the screens."""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from runbook_tui.actions import registry
from runbook_tui.definition import loader
from runbook_tui.definition.loader import Loaded
from runbook_tui.definition.plan import Plan, PlanStep, SecretSource
from runbook_tui.definition.problems import DefinitionError, UsageProblem
from runbook_tui.definition.values import wrong_value
from runbook_tui.engine import notes, rollbacks, session
from runbook_tui.engine.driving import Place, Session
from runbook_tui.engine.environments_in_use import InUse
from runbook_tui.engine.ports import Operator
from runbook_tui.engine.session import Prepared
from runbook_tui.engine.workers import Workers
from runbook_tui.secrets import SecretError
from runbook_tui.ui import home_lists
from runbook_tui.ui.backend import (
    BackendError,
    Check,
    Draft,
    Ended,
    HomeView,
    PlanFound,
    Recorded,
    Wanted,
)
from runbook_tui.ui.previews import checks, found
from state import fold
from state.errors import StoreError
from state.run_state import RunState
from state.stores import locks
from state.stores.sqlite import SqliteJournal, open_journal

Found = TypeVar("Found")
ReadSecret = Callable[[SecretSource], str]


class EngineBackend:
    """Journal and engine behind the screens. `workers` is made early, before threads begin."""

    def __init__(
        self,
        state_directory: Path,
        operator: str,
        read_secret: ReadSecret,
        workers: Workers | None = None,
        folders: Sequence[Path] = (),
        directory: Path | None = None,
        given: Mapping[str, str] | None = None,
    ) -> None:
        """`directory` is where a run is called; `given` are secret parameters for a resume."""
        self.state_directory = state_directory
        self.operator = operator
        self.host = socket.gethostname().partition(".")[0]
        self._read_secret = read_secret
        self._workers = workers
        self._folders = tuple(folders)
        self._directory = directory
        self._given = dict(given or {})
        self._session: Session | None = None

    def close(self) -> None:
        """Let the helper process go; running workers go on."""
        if self._workers is not None:
            self._workers.close()

    def _journal(self) -> SqliteJournal:
        try:
            return open_journal(self.state_directory)
        except StoreError as problem:
            raise _said(problem) from problem

    def _place(self, journal: SqliteJournal) -> Place:
        if self._workers is None:
            self._workers = Workers()
        return Place(
            self.state_directory,
            journal,
            self._workers,
            self._read_secret,
            self.operator,
            self.host,
        )

    def home(self) -> HomeView:
        """Return what Home lists."""
        journal = self._journal()
        try:
            states = [
                fold.fold(journal.read(run)) for run in journal.runs()[: home_lists.MOST_RUNS]
            ]
        except StoreError as problem:
            raise _said(problem) from problem
        finally:
            journal.close()
        driven = {state.run for state in states if self._driven(state.run)}
        return home_lists.view(states, driven, self._folders)

    def _driven(self, run: str) -> bool:
        return locks.held_by(self.state_directory, "run", run) is not None

    def draft(self, file: Path, environment: str | None, given: Mapping[str, str]) -> Draft:
        """Read a runbook; the values given stand in its fields."""
        loaded = _loaded(file)
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
        rollback = loaded.runbook.rollback
        return Draft(
            file,
            loaded.runbook.name,
            steps,
            tuple(names),
            tuple(wanted),
            rollback.file if rollback else "",
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
        journal = self._journal()
        try:
            prepared = session.prepare(file, environment, given, directory=self._directory)
            return look(prepared, self._place(journal))
        except (UsageProblem, SecretError) as problem:
            raise BackendError(f"{problem.sentence}.", f"{problem.advice}.") from problem
        except DefinitionError as error:
            raise _first_problem(error, file) from error
        except StoreError as problem:
            raise _said(problem) from problem
        finally:
            journal.close()

    def start(
        self, file: Path, environment: str | None, given: Mapping[str, str], operator: Operator
    ) -> Ended:
        """Start a run and drive it until it ends, waits without us, or is left."""

        def begin(place: Place) -> Session:
            prepared = session.prepare(file, environment, given, directory=self._directory)
            return session.start(prepared, place)

        return self._drive(begin, operator)

    def resume(self, run: str, operator: Operator) -> Ended:
        """Take a run up again and drive it."""
        return self._drive(lambda place: session.resume(run, place, self._given), operator)

    def roll_back(self, run: str, reason: str, operator: Operator) -> Ended:
        """Roll a run back and drive that; its confirmation is asked on the way."""
        return self._drive(
            lambda place: session.rollback(run, place, self._given, reason), operator
        )

    def _drive(self, begin: Callable[[Place], Session], operator: Operator) -> Ended:
        journal = self._journal()
        try:
            with begin(self._place(journal)) as driven:
                self._session = driven
                code = driven.drive(operator)
                return Ended(code, run=driven.run)
        except UsageProblem as problem:
            raise BackendError(f"{problem.sentence}.", f"{problem.advice}.") from problem
        except InUse as problem:
            return Ended(4, problem.sentence, problem.advice)
        except StoreError as problem:
            return Ended(6, problem.sentence, problem.advice)
        finally:
            journal.close()

    def recorded(self, run: str) -> Recorded:
        """Read a run and its plan."""
        journal = self._journal()
        try:
            place = self._place(journal)
            state = session.read_state(place, run)
            return Recorded(self._plan_of(place, state), state, self._driven(run))
        except UsageProblem as problem:
            raise BackendError(f"{problem.sentence}.", f"{problem.advice}.") from problem
        except StoreError as problem:
            raise _said(problem) from problem
        finally:
            journal.close()

    def _plan_of(self, place: Place, state: RunState) -> Plan:
        if self._session is not None and state.run in self._session.plans:
            return self._session.plans[state.run]
        if state.base is not None:
            base = session.read_state(place, state.base)
            return rollbacks.make(session.plan_of(place, base, {}), base).plan
        return session.plan_of(place, state, {})

    def describe(self, step: PlanStep) -> Sequence[tuple[str, str]]:
        """Say in rows (label, words) what a step's action will do."""
        rows = registry.spec(step.action).describe(step.options)
        return [(row.label, row.text) for row in rows]

    def note(self, run: str, step: str | None, words: str) -> None:
        """Write a note on a run that nobody drives."""
        journal = self._journal()
        try:
            state = session.read_state(self._place(journal), run)
            notes.add(self.state_directory, journal, state, self.operator, words, step)
        except InUse as problem:
            raise BackendError(problem.sentence, problem.advice) from problem
        except StoreError as problem:
            raise _said(problem) from problem
        finally:
            journal.close()


def _loaded(file: Path) -> Loaded:
    try:
        return loader.load(file)
    except DefinitionError as error:
        raise _first_problem(error, file) from error
    except OSError as problem:
        raise BackendError(f"{file} cannot be read: {problem.strerror}.") from problem


def _first_problem(error: DefinitionError, file: Path) -> BackendError:
    first = error.problems[0]
    more = len(error.problems) - 1
    also = f" {more} more: runbook lint {file}" if more else ""
    return BackendError(
        f"{first.file}:{first.line}:{first.column}: {first.message}", f"{first.hint}{also}".strip()
    )


def _said(problem: StoreError) -> BackendError:
    return BackendError(getattr(problem, "sentence", str(problem)), getattr(problem, "advice", ""))
