"""A run told in events, without an engine: the screens see what a driver would publish."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from runbook_tui.definition.plan import (
    Contact,
    Plan,
    PlanEnvironment,
    PlanGroup,
    PlanParameter,
    PlanPhase,
    PlanStep,
    RollbackRunbook,
    Undo,
)
from runbook_tui.engine import outline
from runbook_tui.engine.attending import Online
from runbook_tui.engine.ports import Command, Leave, Operator
from runbook_tui.engine.repository import Checkout
from runbook_tui.ui.backend import (
    Audited,
    BackendError,
    Check,
    Draft,
    Driven,
    Ended,
    Entry,
    HomeView,
    PlanFound,
    Recorded,
    Standing,
    Wanted,
)
from state import fold
from state.audit import audit
from state.codec import EMPTY, chain, head_of
from state.events import (
    AttemptEnded,
    AttemptIntended,
    Payload,
    QuestionAnswered,
    QuestionAsked,
    Record,
    StepJudged,
)
from state.run_state import RunState
from state.status import StepStatus
from state.stores.attempt_dir import AttemptDir

BEGAN = datetime(2026, 11, 24, 12, 1, 37, tzinfo=UTC)
HOSTILE = "[@click=app.quit]a[/]\x1b]52;c;x\x07[/bin/sh]"
INERT = "[@click=app.quit]a[/]^[]52;c;x^G[/bin/sh]"


def step(id_: str, name: str, phase: str, action: str = "run", **more: object) -> PlanStep:
    return PlanStep(id_, name, phase, action, {"script": "true"}, "production", **more)  # type: ignore[arg-type]  # a short hand for tests


PRE, DEPLOY, POST = "Pre-deployment", "Deployment", "Post-deployment"


def practice_plan(name: str = "Deploy Practice Hub") -> Plan:
    checks = PlanGroup(
        "checks",
        "Checks, 2 at once",
        PRE,
        (
            step("tests", "Run all tests", PRE, group="checks", usually=130, refs=("6.1.1",)),
            step("types", "Run type checking", PRE, group="checks", usually=31, refs=("6.1.2",)),
        ),
    )
    review = step("review", "Review recent code changes", PRE, "manual", refs=("6.1.8",))
    deploying = (
        step("tag", "Create Git tag for the release", DEPLOY, "tag", usually=1, refs=("6.2.1",)),
        step(
            "migrate",
            "Run database migrations",
            DEPLOY,
            "migrate",
            usually=15,
            timeout=300,
            help="If it waits on a lock: find its holder with\nselect * from pg_stat_activity;",
            undo=Undo("run", {}),
            refs=("6.2.4",),
        ),
        step(
            "deploy",
            "Deploy to production",
            DEPLOY,
            "deploy",
            confirm="typed",
            usually=240,
            refs=("6.2.7",),
        ),
        step("monitor", "Monitor error rates", DEPLOY, "monitor", usually=1800, refs=("6.2.8",)),
        step("announce", "Announce to team", DEPLOY, "announce", confirm="ask", refs=("6.2.10",)),
    )
    after = (step("sentry", "Monitor Sentry", POST, "manual", usually=3600, refs=("6.3.1",)),)
    place = PlanEnvironment("production", True, "production", {}, {}, {})
    return Plan(
        runbook=name,
        description="Tag, build, ship and watch a release.",
        file="/srv/runbooks/deployment.yaml",
        environment="production",
        parameters={"version": PlanParameter("version", "v1.4.0", "Release version")},
        phases=(
            PlanPhase(PRE, (checks, review)),
            PlanPhase(DEPLOY, deploying),
            PlanPhase(POST, after),
        ),
        environments={"production": place},
        sources={"deployment.yaml": b"x"},
        rollback=RollbackRunbook("rollback.yaml"),
        contacts=(Contact("DBA", "Kim Ode", "+44 20 7946 0018"),),
    )


class Story:
    """Events of one run, one after the other; `at` is the clock of the journal."""

    def __init__(self, directory: Path, plan: Plan | None = None, run: str = "1124-k7f3") -> None:
        self.directory = directory
        self.plan = plan or practice_plan()
        self.run = run
        self.at = BEGAN
        self.records: list[Record] = []
        self.state: RunState | None = None
        started = outline.started(self.plan, Checkout(directory, "4f2a91c0aa", False))
        self.tell(started)

    def wait(self, seconds: float) -> Story:
        self.at += timedelta(seconds=seconds)
        return self

    def tell(self, payload: Payload) -> Story:
        head = head_of(self.records[-1]) if self.records else EMPTY
        at = self.at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        record = chain(head, self.run, at, payload, operator="dana", host="bastion", token=1)
        self.records.append(record)
        self.state = fold.apply(self.state, record)
        return self

    def begin(self, id_: str, log: Sequence[str] = (), number: int = 1) -> Story:
        """Start an attempt and write its log."""
        relative = f"runs/{self.run}/attempts/{id_}.{number}"
        directory = AttemptDir(self.directory / relative)
        directory.create()
        directory.output.write_text("".join(f"{line}\n" for line in log), encoding="utf-8")
        action = self.plan.step(id_).action
        return self.tell(AttemptIntended(id_, number, action, relative, "m", "b"))

    def end(self, id_: str, status: str = "succeeded", number: int = 1, **more: object) -> Story:
        return self.tell(AttemptEnded(id_, number, status, **more))  # type: ignore[arg-type]  # a short hand for tests

    def ask(self, id_: str | None, asks: str, text: str, *choices: str, **more: object) -> Story:
        number = len(self.records)
        return self.tell(QuestionAsked(f"q{number}", id_, asks, text, choices, **more))  # type: ignore[arg-type]  # a short hand for tests

    def checked(self) -> Story:
        """Up to the beginning of the deployment."""
        self.begin("tests").begin("types").wait(31).end("types").wait(99).end("tests")
        self.tell(StepJudged("checks", "succeeded"))
        self.ask("review", "manual", "Review recent code changes: done?", "done", "skip")
        question = self.records[-1].data["id"]
        self.wait(20).tell(QuestionAnswered(str(question), "done", "person"))
        return self.tell(StepJudged("review", "succeeded", proof="person"))

    def migrating(self, *log: str) -> Story:
        """Up to the running migration."""
        self.checked().begin("tag").wait(1).end("tag", proof="machine")
        return self.begin("migrate", log or MIGRATION_LOG).wait(8)


MIGRATION_LOG = (
    "connected to db-1 as migrator",
    "advisory lock 7311 taken",
    "0006_activity_idx.sql  applied   41 ms",
    "0008_task_idx.sql      waits for a lock",
)


class FakeBackend:
    """The rest of the program, as a story tells it. Commands of the screen are kept."""

    operator = "dana"
    host = "bastion"

    def __init__(self, directory: Path, story: Story | None = None) -> None:
        self.state_directory = directory
        self.story = story
        self.port: Operator | None = None
        self.commands: list[Command] = []
        self.started: list[tuple[str | None, dict[str, str]]] = []
        self.notes: list[tuple[str | None, str]] = []
        self.view = HomeView()
        self.checks: tuple[Check, ...] = (Check("git", "reached", "good"),)
        self.problem: BackendError | None = None
        self.finish: queue.SimpleQueue[Ended] = queue.SimpleQueue()
        self.driven: Driven | None = None
        self.stands = Standing(None)
        self.watchers: tuple[Online, ...] = ()
        self.votes: list[tuple[str, str, str]] = []
        self.taken: list[str] = []
        self.yields = threading.Event()

    def home(self) -> HomeView:
        return self.view

    def draft(self, file: Path, environment: str | None, given: Mapping[str, str]) -> Draft:
        if self.problem is not None:
            raise self.problem

        def check(value: str) -> str:
            return "" if value.startswith("v") else "must match v1.2.3"

        version = Wanted("version", "Release version", given.get("version", ""), False, check)
        places = (("production", True), ("staging", False))
        return Draft(file, "Deploy Practice Hub", 9, places, (version,), "rollback.yaml")

    def look(
        self, file: Path, environment: str | None, given: Mapping[str, str]
    ) -> Sequence[PlanFound]:
        return (
            PlanFound(
                "tag",
                "Create Git tag",
                f"{given['version']} at 4f2a91c",
                "will create",
                changes=True,
            ),
            PlanFound("build", "Build Docker image", HOSTILE, "is there", there=True, usual=72),
            PlanFound(
                "deploy",
                "Deploy to production",
                "app-1, app-2",
                "you type",
                asks=True,
                changes=True,
            ),
        )

    def preflight(
        self, file: Path, environment: str | None, given: Mapping[str, str]
    ) -> Sequence[Check]:
        return self.checks

    def start(
        self, file: Path, environment: str | None, given: Mapping[str, str], operator: Operator
    ) -> Ended:
        self.started.append((environment, dict(given)))
        return self._drive(operator)

    def resume(self, run: str, operator: Operator) -> Ended:
        return self._drive(operator)

    def roll_back(self, run: str, reason: str, operator: Operator) -> Ended:
        return self._drive(operator)

    def _drive(self, operator: Operator) -> Ended:
        assert self.story is not None
        self.port = operator
        self.publish()
        while self.finish.empty():
            for command in operator.commands(0.02):
                self.commands.append(command)
                if isinstance(command, Leave):
                    return Ended(3)
        return self.finish.get()

    def publish(self) -> None:
        """Show the story as far as it is told."""
        assert self.port is not None
        assert self.story is not None
        assert self.story.state is not None
        self.port.publish(self.story.state, ())

    def recorded(self, run: str) -> Recorded:
        if self.story is None or self.story.state is None:
            raise BackendError(f"There is no run {run}.", "See: runbook runs")
        return Recorded(self.story.plan, self.story.state)

    def audited(self, run: str) -> Audited:
        assert self.story is not None
        faults = audit(self.story.records, head_of(self.story.records[-1]), run)
        return Audited(len(self.story.records), tuple(fault.text for fault in faults))

    def bring_output(self, attempt: str) -> None:
        """Nothing: every attempt of a story is here."""

    def describe(self, step: PlanStep) -> Sequence[tuple[str, str]]:
        return (("Does", f"{step.action} of {step.name}"), ("Hostile", HOSTILE))

    def note(self, run: str, step: str | None, words: str) -> None:
        self.notes.append((step, words))

    def follow(
        self,
        run: str,
        tell: Callable[[RunState, Driven | None], None],
        going: Callable[[], bool],
    ) -> None:
        assert self.story is not None
        while going():
            assert self.story.state is not None
            tell(self.story.state, self.driven)
            time.sleep(0.02)

    def standing(self, place: str) -> Standing:
        return self.stands

    def online(self, state: RunState) -> Sequence[Online]:
        return self.watchers

    def vote(self, run: str, step: str, kind: str, reason: str) -> str:
        self.votes.append((step, kind, reason))
        return f"{kind}: {step} of {run}"

    def take_over(
        self,
        run: str,
        reason: str,
        operator: Operator,
        say: Callable[[str], None],
        going: Callable[[], bool],
    ) -> Ended:
        self.taken.append(reason)
        say("Asking dana@bastion (seen 1 s ago), who has 30 s to answer.")
        while not self.yields.is_set():
            if not going():
                return Ended(2)
            self.yields.wait(0.02)
        return self._drive(operator)


def home_view() -> HomeView:
    """Home with something in each list."""
    return HomeView(
        needs=(
            Entry(
                "1124-k7f3",
                "run",
                "Deploy Practice Hub v1.4.0",
                StepStatus.WAITING,
                "production",
                True,
                "waits for you",
                "0:04",
                "Deploy to production: type the environment's name. Driver: dana",
            ),
            Entry(
                "1123-p0aa",
                "run",
                "Weekly operations",
                StepStatus.UNKNOWN,
                "production",
                True,
                "outcome unknown",
                "3 h",
            ),
        ),
        runbooks=(
            Entry("deployment.yaml", "runbook", "Deploy Practice Hub", None, words="29 steps"),
            Entry("daily.yaml", "runbook", HOSTILE, None, words="5 steps"),
        ),
        history=(
            Entry(
                "1121-m3d9",
                "run",
                "Deploy Practice Hub v1.3.2",
                StepStatus.SUCCEEDED,
                "production",
                True,
                "1:49 h",
                "Thu 14:02 lee",
            ),
            Entry(
                "1120-b7r0",
                "run",
                "Deploy Practice Hub v1.3.1",
                StepStatus.FAILED,
                "staging",
                False,
                "2:51",
                "Wed 16:58 dana",
            ),
        ),
        running=1,
    )
