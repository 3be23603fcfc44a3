"""Performs `ssh` steps in the test's own process, one attempt after the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from runbook_tui.actions.api import ActionFailed, Finding, Job, Outcome
from runbook_tui.actions.ssh.perform import perform, probe
from runbook_tui.engine.worker_context import WorkerContext
from runbook_tui.redact import Redactor
from state.stores.attempt_dir import AttemptDir
from tests.harness.here import Here, job
from tests.harness.sshd import Ssh


@dataclass
class Step:
    """One step on some hosts; each try has a directory of its own."""

    ssh: Ssh
    base: Path
    script: str
    hosts: Sequence[str]
    options: Mapping[str, Any] = field(default_factory=dict)
    secrets: tuple[str, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict)
    tries: int = 0
    others: set[str] = field(default_factory=set)
    """Records that other tests left on the hosts: stopped scripts, which nobody looked at."""

    def __post_init__(self) -> None:
        self.others = {name for host in self.hosts for name in self.records(host)}

    def job(self, number: int) -> Job:
        """Return the order of a try."""
        options = {
            "script": self.script,
            "hosts": list(self.hosts),
            "connect_timeout": 60,
            **self.options,
        }
        order = job(
            "ssh",
            options,
            cwd=self.base,
            hosts=[self.ssh[name].host for name in self.hosts],
            variables=self.variables,
            ssh_config=self.ssh.config(self.base / "ssh"),
        )
        return replace(
            order,
            number=number,
            directory=str(self.directory(number)),
            carries={"record": f"token-{number}-{self.base}"},
            previous=tuple(str(self.directory(one)) for one in range(1, number)),
            secrets=self.secrets,
        )

    def directory(self, number: int) -> Path:
        """Return the directory of a try."""
        return self.base / f"try-{number}"

    def begin(self) -> tuple[Job, Here]:
        """Return the order of the next try and what hears it."""
        self.tries += 1
        AttemptDir(self.directory(self.tries)).create()
        return self.job(self.tries), Here(self.directory(self.tries))

    def run(self) -> tuple[Outcome, Here]:
        """Try, and return how it ended."""
        order, here = self.begin()
        return perform(order, here), here

    def fail(self) -> tuple[ActionFailed, Here]:
        """Try, and return how it failed."""
        order, here = self.begin()
        try:
            outcome = perform(order, here)
        except ActionFailed as failure:
            return failure, here
        raise AssertionError(f"it did not fail: {outcome}")

    def look(self) -> Finding:
        """Look what the last try did."""
        order = self.job(self.tries)
        previous = (*order.previous, order.directory)
        place = self.base / f"look-{self.tries}-{len(list(self.base.iterdir()))}"
        return probe(replace(order, directory=str(place), previous=previous), Here(place))

    def context(self, order: Job) -> WorkerContext:
        """Return a context that writes the log as a worker does."""
        attempt = AttemptDir(Path(order.directory))
        return WorkerContext(order, attempt, Redactor(order.secrets), 0, None)

    def log(self, number: int = 0) -> str:
        """Return a try's log, by default the last one's."""
        return (self.directory(number or self.tries) / "output.log").read_text()

    def records(self, host: str) -> list[str]:
        """Return the names of this step's records on a host."""
        base = self.ssh[host].home / "state" / "runbook-remote"
        found = {path.name for path in base.iterdir()} if base.exists() else set()
        return sorted(found - self.others)
