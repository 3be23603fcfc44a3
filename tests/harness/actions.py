"""Performs an action and tells what came of it.

`act`, `refused` and `look` run it in this process with a context that records; `begin` and
`perform` in a real worker process, as a run does.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib import import_module
from pathlib import Path
from typing import Any

from runbook_tui import process
from runbook_tui.actions import registry
from runbook_tui.actions.api import ActionFailed, Exit, Finding, Host, Job, Outcome, Perform
from state.json_value import Json
from state.stores.attempt_dir import AttemptDir
from state.stores.result import Result
from tests.harness import here
from tests.harness.attempts import Attempts, result


@dataclass
class Recorder(here.Here):
    """A context that keeps samples too, and runs programs as the worker does."""

    samples: list[Mapping[str, Json]] = field(default_factory=list)

    def sample(self, data: Mapping[str, Json]) -> None:
        """Keep a measurement."""
        self.samples.append(data)

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
        """Run a program to the end of its main process."""
        self.argvs.append(list(argv))

        def sink(data: bytes) -> None:
            if not quiet:
                self.write(data)
            if on_output is not None:
                on_output(data)

        whole = {**os.environ, **(env or {})}
        return process.run(argv, sink, env=whole, cwd=cwd, stdin=stdin, pty=pty)


@dataclass(frozen=True)
class Bench:
    """Where a test's attempts lie; `cwd` is the run's directory."""

    cwd: Path
    run: str = "1123-k7f3"
    step: str = "step"

    def job(
        self,
        kind: str,
        options: object,
        *,
        number: int = 1,
        hosts: Sequence[Host] = (),
        variables: Mapping[str, str] | None = None,
        secrets: Sequence[str] = (),
        ssh_config: Path | None = None,
    ) -> Job:
        """Return the job of attempt `number`, its directory made; earlier attempts are named."""
        spec = registry.spec(kind)
        if not isinstance(options, Mapping):
            options = {spec.shorthand or "": options}
        order = here.job(
            kind,
            options,
            cwd=self.cwd,
            hosts=hosts,
            run=self.run,
            step=self.step,
            variables=variables,
            ssh_config=ssh_config,
        )
        directory = self.attempt(number)
        (directory / "evidence").mkdir(parents=True, exist_ok=True)
        return replace(
            order,
            number=number,
            directory=str(directory),
            secrets=tuple(secrets),
            carries=spec.carries(self.run, self.step, None),
            previous=tuple(str(self.attempt(earlier)) for earlier in range(1, number)),
        )

    def attempt(self, number: int) -> Path:
        """Return an attempt's directory."""
        return self.cwd / ".attempts" / f"{self.run}.{self.step}.{number}"


def _module(kind: str) -> Perform:
    module: Any = import_module(registry.spec(kind).perform)
    found: Perform = module
    return found


def context(job: Job) -> Recorder:
    """Return a context for a job."""
    return Recorder(Path(job.directory))


def act(job: Job, recorder: Recorder | None = None) -> Outcome:
    """Perform a job here; raises what the action raises."""
    return _module(job.action).perform(job, recorder or context(job))


def refused(job: Job, recorder: Recorder | None = None) -> ActionFailed:
    """Perform a job here that must fail, and return its failure."""
    try:
        outcome = act(job, recorder)
    except ActionFailed as failure:
        return failure
    raise AssertionError(f"it did not fail: {outcome}")


def look(job: Job) -> Finding:
    """Probe here."""
    return _module(job.action).probe(job, context(job))


def begin(attempts: Attempts, kind: str, options: Mapping[str, Any], **given: Any) -> AttemptDir:
    """Start an action, or with `mode="probe"` a look at it, in a real worker process."""
    spec = registry.spec(kind)
    filled = spec.options.model_validate(options).model_dump(mode="json")
    return attempts.start(filled, perform=spec.perform, **given)


def perform(
    attempts: Attempts, kind: str, options: Mapping[str, Any], **given: Any
) -> tuple[Result, str]:
    """Perform an action, or look, in a real worker process; returns its result and its log."""
    attempt = begin(attempts, kind, options, **given)
    return result(attempt), attempt.output.read_text()
