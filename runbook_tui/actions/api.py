"""All that an action imports, ours or a plugin's.

An action is two modules: `spec.py` declares (options, what it changes, how it is described and
simulated; read by the driver), `perform.py` acts and looks (imported by the worker process only).
This module is imported by both, so it knows neither pydantic nor YAML nor the screen.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol

from state.json_value import Json
from state.status import Verdict

if TYPE_CHECKING:
    from pydantic import BaseModel

Effect = Literal["none", "done", "partial", "unknown"]
"""What is known of an attempt's effect on the world."""


@dataclass(frozen=True, slots=True)
class Host:
    """An inventory host: its name in the runbook and where it is."""

    name: str
    user: str | None
    address: str
    port: int | None = None


HERE: Final = "\0"
"""What a variable's value begins with that each host has its own of: its `name` or `address`."""


def values_on(host: Host, variables: Mapping[str, str]) -> dict[str, str]:
    """Return variables as they are on a host."""
    own = {f"{HERE}name": host.name, f"{HERE}address": host.address}
    return {name: own.get(value, value) for name, value in variables.items()}


@dataclass(frozen=True, slots=True)
class Job:
    """One order to an action, complete and resolved: what the worker gets, over a pipe.

    `options` are those of the action's model, dumped to JSON, references filled in (script fields
    hold `${RUNBOOK_V_n}` and `variables` their values). `hosts` are the hosts the step names.
    `secrets` are the values that no output may show. `before` and `carries` are the intent's;
    `directory` is the attempt's. `timeout` is in seconds. `previous` are the directories of this
    step's earlier attempts (a monitor keeps its samples).
    """

    run: str
    step: str
    number: int
    action: str
    options: Mapping[str, Any]
    directory: str
    cwd: str
    environment: str
    operator: str
    variables: Mapping[str, str] = field(default_factory=dict)
    hosts: tuple[Host, ...] = ()
    secrets: tuple[str, ...] = ()
    commit: str | None = None
    before: str | None = None
    carries: Mapping[str, Json] = field(default_factory=dict)
    timeout: float | None = None
    previous: tuple[str, ...] = ()
    ssh_config: str | None = None
    """Path of the ssh_config to use; None for the user's own."""
    secret_files: Mapping[str, str] = field(default_factory=dict)
    """Secrets that the step wants in private files, by name: `run` and `ssh` write them."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What proves an outcome, in a line for people and in data for programs."""

    kind: str
    summary: str
    data: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Finding:
    """What a probe saw.

    `found`, `missing` and `unclear` (what could not be found out) are lines for the screen, `left`
    the names of what going on would still do: hosts, files.
    """

    verdict: Verdict
    summary: str
    evidence: tuple[Evidence, ...] = ()
    found: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    unclear: tuple[str, ...] = ()
    left: tuple[str, ...] = ()
    outputs: Mapping[str, str] = field(default_factory=dict)
    by_host: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """The outputs a step adopts when this finding proves it done."""
    ended: Outcome | ActionFailed | None = None
    """How the act itself ended, by the record that it keeps of itself: it is adopted as if the
    worker had left it."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How `perform` ended when it did not fail."""

    outputs: Mapping[str, str] = field(default_factory=dict)
    evidence: tuple[Evidence, ...] = ()
    by_host: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    exit_code: int | None = 0
    verdict: Verdict | None = None


class ActionFailed(Exception):  # noqa: N818 - it reads as what happened
    """The action did not reach its goal, and says why in the words of the domain.

    `sentence` names what failed, at what and why; `effect` what is true of the world now; `cause`
    is a word that `retries: {on: …}` may name; `unknown=True` means that nobody can tell whether
    it failed (a lost connection), so the step becomes unknown and not failed.
    """

    def __init__(
        self,
        sentence: str,
        *,
        effect: Effect = "unknown",
        cause: str | None = None,
        exit_code: int | None = None,
        unknown: bool = False,
        evidence: Sequence[Evidence] = (),
        outputs: Mapping[str, str] | None = None,
        by_host: Mapping[str, Mapping[str, str]] | None = None,
        detail: Mapping[str, Json] | None = None,
    ) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.effect: Effect = effect
        self.cause = cause
        self.exit_code = exit_code
        self.unknown = unknown
        self.evidence = tuple(evidence)
        self.outputs = dict(outputs or {})
        self.by_host = dict(by_host or {})
        self.detail = dict(detail or {})


class Stopped(Exception):  # noqa: N818
    """Raised by `Context.check_stop` when the attempt was asked to stop or ran out of time."""


@dataclass(frozen=True, slots=True)
class Exit:
    """How a child process ended: an exit code, or the signal that ended it."""

    code: int | None
    signal: int | None = None
    note: str | None = None


class Context(Protocol):
    """What an action may do to the world besides its own business. Lives in the worker."""

    directory: Path
    """The attempt's directory; files for evidence go under `directory / "evidence"`."""

    def log(self, text: str, stream: Literal["stdout", "stderr"] = "stdout") -> None:
        """Write one line (or several) to the step's output, redacted."""

    def write(self, data: bytes, stream: Literal["stdout", "stderr"] = "stdout") -> None:
        """Write raw output, redacted."""

    def flush(self) -> None:
        """Write what redaction still holds back; all output is on disk when this returns."""

    def progress(self, text: str, fraction: float | None = None) -> None:
        """Say in the present tense, with a number, what is going on (replaces the last one)."""

    def sample(self, data: Mapping[str, Json]) -> None:
        """Keep one measurement of a monitor; it is on disk when this returns."""

    def host_progress(self, host: str, state: str, text: str = "") -> None:
        """Say how a host stands: waiting | running | lost | done | failed | unknown."""

    def run(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        cwd: str | None = None,
        stdin: bytes | None = None,
        pty: bool = False,
        quiet: bool = False,
        on_output: Callable[[bytes], None] | None = None,
    ) -> Exit:
        """Run a program, its output into the log (unless quiet); raises Stopped when stopped.

        `env` is added to the worker's own environment. The program is stopped with all of its
        descendants when the attempt is.
        """

    def check_stop(self) -> None:
        """Raise Stopped if the attempt was asked to stop or its time is over."""

    def wait(self, seconds: float) -> None:
        """Sleep, or raise Stopped as soon as the attempt is to stop."""

    def on_stop(self, call: Callable[[], None]) -> None:
        """Have `call` run (from another thread) when the attempt is asked to stop."""

    def fault(self, point: str) -> None:
        """A named fault point of the action (`push.manifest`); does nothing outside drills."""


class Perform(Protocol):
    """The module `perform.py` of an action.

    `perform` raises ActionFailed, or Stopped. `probe` never changes anything and never raises for
    what it cannot find out: that is the verdict unknown. Read-only actions need no probe.
    """

    def perform(self, job: Job, context: Context) -> Outcome: ...

    def probe(self, job: Job, context: Context) -> Finding: ...


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a plan or description: a label and what stands beside it."""

    label: str
    text: str


@dataclass(frozen=True, slots=True)
class Spec:
    """What the driver knows of an action.

    `shorthand` is the option that a bare scalar fills (`run: SCRIPT`). `scripts` names the options
    that hold shell text: references in them become environment variables. `outputs` returns the
    names that a step with these options gives (for lint); `hosts` the option that names hosts.
    `causes` are the words that `retries: {on: …}` may use. `describe` says in rows what a step
    with these (shown, masked) options will do, for the plan and the questions. `simulate` says what
    a rehearsal or plan prints instead of acting. `tools` maps a client program to its Debian
    package. `carries` makes what the effect will bear from (run, step, commit).
    """

    kind: str
    summary: str
    options: type[BaseModel]
    perform: str
    changes: bool = True
    proof: Literal["state", "mark", "none"] = "none"
    worker: bool = True
    probes: bool = True
    shorthand: str | None = None
    scripts: tuple[str, ...] = ()
    hosts: str | None = None
    needs_hosts: bool = False
    causes: tuple[str, ...] = ()
    outputs: Callable[[Mapping[str, Any]], tuple[str, ...]] = lambda options: ()
    describe: Callable[[Mapping[str, Any]], tuple[Row, ...]] = lambda options: ()
    simulate: Callable[[Mapping[str, Any]], tuple[str, ...]] = lambda options: ()
    tools: Callable[[Mapping[str, Any]], Mapping[str, str]] = lambda options: {}
    carries: Callable[[str, str, str | None], Mapping[str, Json]] = lambda run, step, commit: {}
    reaches: Callable[[Mapping[str, Any]], tuple[Reach, ...]] = lambda options: ()
    """What `doctor` must be able to reach before a step with these options can work."""
    example: str = ""
    """One step in YAML that shows the options; part of the documentation, linted by a test."""
    reads: Callable[[Mapping[str, Any]], bool] = lambda options: False
    """Of an action that changes things: whether a step with these options changes nothing."""
    blind: Callable[[Mapping[str, Any]], bool] = lambda options: False
    """Of an action that probes: whether it cannot, with these options."""
    removes: Callable[[Mapping[str, Any]], bool] = lambda options: False
    """Whether an undo with these options removes what it has nothing to put in the place of: a
    person is asked before it begins."""
    per_host: tuple[str, ...] = ()
    """Scripts in which `${{ host }}` means each host at hand (see `HERE`)."""
    records: bool = False
    """Whether the probe reads a record that the act keeps of its own end, and is of use only where
    the act's worker left no result."""

    def probes_with(self, options: Mapping[str, Any]) -> bool:
        """Tell whether the action's probe can say anything of a step with these options."""
        return self.probes and not self.blind(options)

    def changes_with(self, options: Mapping[str, Any]) -> bool:
        """Tell whether a step with these options changes anything."""
        return self.changes and not self.reads(options)


@dataclass(frozen=True, slots=True)
class Reach:
    """Something outside that a step needs: `doctor` and the preflight look whether it answers.

    `kind`: host | docker | registry | postgres | http | git | directory | smtp | s3.
    """

    kind: str
    target: str
    options: Mapping[str, Any] = field(default_factory=dict)
