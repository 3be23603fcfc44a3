"""A whole driver without processes: workers that do as scripted, an operator with a script.

Everything else is real: plans, decisions, attempt directories, the journal's rules.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from runbook_tui.definition.plan import Plan
from runbook_tui.engine import clock, outline
from runbook_tui.engine.driving import Place, Session
from runbook_tui.engine.ports import Answer, Command, NoAnswer, Order, WorkerStartError
from runbook_tui.engine.repository import Checkout
from state import fold
from state.codec import EMPTY, Head, chain, head_of
from state.errors import Overtaken, RunExists
from state.events import Payload, Record, RunStarted
from state.holders import Held
from state.json_value import Json
from state.messages import Message
from state.protocols import Lease
from state.run_state import Question, RunState
from state.stores.attempt_dir import AttemptDir
from state.stores.file_leases import FileLeases
from state.stores.local import LocalOutputs, NoIdentities, PollingNews
from state.stores.result import Result
from state.stores.store import Store
from tests.harness.processes import DEADLINE

RUN = "1123-k7f3"


class MemoryJournal:
    """A journal that keeps everything in memory, with hooks before and after each transaction."""

    def __init__(self) -> None:
        self.records: dict[str, list[Record]] = {}
        self.files: dict[str, dict[str, bytes]] = {}
        self.before_append: Callable[[Sequence[Payload]], None] = lambda payloads: None
        self.after_append: Callable[[], None] = lambda: None

    def runs(self) -> list[str]:
        return list(reversed(self.records))

    def head(self, run: str) -> Head | None:
        return head_of(self.records[run][-1]) if run in self.records else None

    def read(self, run: str, after: int = 0) -> list[Record]:
        return self.records.get(run, [])[after:]

    def sources(self, run: str) -> dict[str, bytes]:
        return self.files[run]

    def close(self) -> None:
        """Nothing to let go."""

    def create_run(
        self,
        run: str,
        started: RunStarted,
        *,
        operator: str,
        host: str,
        token: int,
        sources: Mapping[str, bytes],
    ) -> Record:
        if run in self.records:
            raise RunExists(run)
        record = chain(EMPTY, run, clock.utc(), started, operator=operator, host=host, token=token)
        self.records[run], self.files[run] = [record], dict(sources)
        return record

    def keep(self, run: str, sources: Mapping[str, bytes]) -> None:
        self.files[run] = {**sources, **self.files[run]}

    def append(
        self,
        run: str,
        payloads: Sequence[Payload],
        *,
        operator: str,
        host: str,
        token: int,
        after: int | None = None,
    ) -> list[Record]:
        self.before_append(payloads)
        kept = self.records[run]
        if after is not None and after != len(kept):
            raise Overtaken(run)
        made: list[Record] = []
        for payload in payloads:
            head = head_of([*kept, *made][-1])
            made.append(
                chain(head, run, clock.utc(), payload, operator=operator, host=host, token=token)
            )
        kept += made
        self.after_append()
        return made

    def state(self, run: str = RUN) -> RunState:
        """Return a run as it stands."""
        return fold.fold(self.records[run])

    def kinds(self, run: str = RUN) -> list[str]:
        """Return the kinds of a run's events, in order."""
        return [record.kind for record in self.records[run]]


class MemoryInbox:
    """An inbox that keeps everything in memory, in the order in which it came."""

    def __init__(self, journal: MemoryJournal) -> None:
        self._journal = journal
        self.messages: list[Message] = []
        self.out: set[str] = set()

    def send(
        self, run: str, kind: str, data: Mapping[str, Json], *, sender: str, host: str
    ) -> Message:
        if run not in self._journal.records:
            raise KeyError(run)
        id_ = f"m{len(self.messages) + 1}"
        self.messages.append(Message(id_, run, kind, data, sender, host, clock.utc()))
        return self.messages[-1]

    def pending(self, run: str) -> list[Message]:
        return [one for one in self.messages if one.run == run and one.id not in self.out]

    def done(self, run: str, ids: Iterable[str]) -> None:
        self.out |= set(ids)


@dataclass(slots=True)
class Does:
    """What a worker does: leave a result, now or when told; die without one; never begin."""

    result: Result | None = None
    how: str = "now"
    """now | later (until `finish`, or a stop) | dies | never | refuses"""


def works(**given: Any) -> Does:
    """Return a worker that succeeds at once."""
    return Does(Result("succeeded", **{"effect": "done", **given}))


def fails(reason: str = "broken", **given: Any) -> Does:
    """Return a worker that fails at once."""
    return Does(Result("failed", reason=reason, **given))


def sees(verdict: str, summary: str = "looked", **given: Any) -> Does:
    """Return a look that finds this."""
    return Does(Result("succeeded", verdict=verdict, reason=summary, effect="none", **given))


def runs(result: Result | None = None) -> Does:
    """Return a worker that is at it until it is told to finish, or stopped."""
    return Does(result, "later")


@dataclass(slots=True)
class _Live:
    order: Order
    directory: AttemptDir
    lock: int
    does: Does


@dataclass
class FakePool:
    """Workers that do as scripted: by step and mode, one after another, the last one repeated."""

    script: dict[tuple[str, str], list[Does]] = field(default_factory=dict)
    acted: list[str] = field(default_factory=list)
    orders: list[Order] = field(default_factory=list)
    live: dict[str, _Live] = field(default_factory=dict)
    stopped: list[str] = field(default_factory=list)
    deaf: bool = False
    """Workers do not hear that they are to stop."""
    unreachable: bool = False
    """Nobody can be sent to stop a worker."""
    before_start: Callable[[], None] = lambda: None
    after_start: Callable[[], None] = lambda: None

    def on(self, step: str, *does: Does, mode: str = "perform") -> FakePool:
        """Add to the script of a step."""
        self.script.setdefault((step, mode), []).extend(does)
        return self

    def start(self, order: Order) -> None:
        """Do what the script says; every performing worker that begins has acted."""
        self.before_start()
        self._start(order)
        self.after_start()

    def _start(self, order: Order) -> None:
        self.orders.append(order)
        key = (order.job.step, order.mode)
        left = self.script.get(key, [])
        does = (left.pop(0) if len(left) > 1 else left[0]) if left else works()
        if order.mode != "perform" and not self.script.get(key):
            does = sees("unknown")
        directory = AttemptDir(Path(order.job.directory))
        if does.how == "refuses":
            directory.claim_void()
            raise WorkerStartError("No worker could be started: none left.")
        if does.how == "never":
            return
        lock = directory.hold()
        directory.claim_worker()
        if order.mode == "perform":
            self.acted.append(order.job.step)
        self.live[str(directory.path)] = _Live(order, directory, lock, does)
        if does.how != "later":
            self._end(str(directory.path), does.result)

    def finish(self, step: str, result: Result | None = None) -> None:
        """Let the running worker of a step leave its result."""
        for path, live in list(self.live.items()):
            if live.order.job.step == step:
                self._end(path, result or live.does.result or works().result)

    def kill(self, step: str) -> None:
        """Let the running worker of a step die without a result."""
        for path, live in list(self.live.items()):
            if live.order.job.step == step:
                self._end(path, None)

    def stop(self, directory: str, reason: str) -> None:
        """Stop a worker: it leaves the result `stopped`."""
        if self.unreachable:
            raise WorkerStartError("The step could not be stopped: the helper is gone.")
        live = self.live.get(directory)
        if live is not None and not self.deaf:
            self.stopped.append(live.order.job.step)
            self._end(directory, Result("stopped", reason=reason))

    def _end(self, path: str, result: Result | None) -> None:
        live = self.live.pop(path)
        if result is not None:
            live.directory.write_result(result)
        os.close(live.lock)

    def close(self) -> None:
        """Let all locks go."""
        for path in list(self.live):
            self._end(path, None)


Line = tuple[str, str | None] | str
"""An answer of the script: a choice, or a choice with its reason."""


class ScriptedOperator:
    """Answers by step (or what is asked) and obeys cues; gives up when nothing happens for long."""

    def __init__(
        self, answers: Mapping[str, Sequence[Line]] | None = None, *, person: bool = False
    ) -> None:
        self.answers = {name: list(lines) for name, lines in (answers or {}).items()}
        self.person = person
        self.asked: list[Question] = []
        self.refusals: list[str] = []
        self.away: list[str | None] = []
        self.records: list[Record] = []
        self.state: RunState | None = None
        self.cues: list[tuple[Callable[[RunState], bool], Callable[[], Command | None]]] = []
        self.deadline = time.monotonic() + DEADLINE

    def when(
        self, condition: Callable[[RunState], bool], do: Callable[[], Command | None] | Command
    ) -> ScriptedOperator:
        """Once the state is so, send a command or do something else. Cues come in order."""
        self.cues.append((condition, do if callable(do) else lambda: do))
        return self

    def ask(self, question: Question) -> Answer | None:
        """Answer from the script; a person may come back to it later, policy has no answer."""
        self.asked.append(question)
        for name in (question.step, question.asks):
            lines = self.answers.get(name or "")
            if lines:
                line = lines.pop(0)
                choice, reason = line if isinstance(line, tuple) else (line, None)
                fields = {"typed": question.typed} if question.typed else {}
                return Answer(question.id, choice, "person", reason, fields)
        if self.person:
            return None
        raise NoAnswer

    def refused(self, question: Question, sentence: str) -> None:
        """Note why an answer did not count."""
        self.refusals.append(sentence)

    def publish(self, state: RunState, records: Sequence[Record]) -> None:
        """Keep what is said."""
        self.state = state
        self.records += records

    def store_away(self, sentence: str | None) -> None:
        """Note why the store is away, and that it is back."""
        self.away.append(sentence)

    def commands(self, timeout: float) -> Sequence[Command]:
        """Obey the next cue when its time has come."""
        assert time.monotonic() < self.deadline, f"nothing ends: {self.state}"
        if self.cues and self.state is not None and self.cues[0][0](self.state):
            command = self.cues.pop(0)[1]()
            return () if command is None else (command,)
        time.sleep(0.0005)
        return ()


class Stage:
    """Runs in a state directory of their own, driven here."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.journal = MemoryJournal()
        self.pool = FakePool()
        self.secrets: dict[str, str] = {}
        self.inbox = MemoryInbox(self.journal)
        self.store = Store(
            root,
            self.journal,
            FileLeases(root),
            self.inbox,
            LocalOutputs(root),
            PollingNews(self.journal),
            NoIdentities(),
        )
        self.place = Place(
            self.store, self.pool, lambda source: self.secrets[source.name], "dana", "here"
        )

    def session(self, plan: Plan, run: str = RUN) -> Session:
        """Start a run, or take it up when it has been started."""
        names = outline.locks(plan)
        since = clock.utc()
        taken: list[Lease] = []
        for name in [*names, f"run-{run}"]:
            lease = self.store.leases.acquire(
                "environment", name, run=run, operator="dana", since=since
            )
            assert not isinstance(lease, Held), lease
            taken.append(lease)
        session = Session(self.place, run, plan, taken)
        if run not in self.journal.records:
            session.create(outline.started(plan, Checkout(self.root, "c0ffee")))
        elif not self.journal.state(run).final:
            session.take_up(None)
        return session

    def drive(self, plan: Plan, operator: ScriptedOperator | None = None, run: str = RUN) -> int:
        """Drive a run to its end or parting; return the exit code."""
        with self.session(plan, run) as session:
            return session.drive(operator or ScriptedOperator())

    def statuses(self, run: str = RUN) -> dict[str, str]:
        """Return how each step stands."""
        return {step.id: step.status.value for step in self.journal.state(run).steps.values()}
