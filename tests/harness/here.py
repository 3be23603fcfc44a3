"""A context for actions in the test's own process: what `perform` sees, and what it said."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from runbook_tui.actions.api import Exit, Host, Job, Stopped
from runbook_tui.actions.registry import spec
from state.json_value import Json


class FaultReached(Exception):  # noqa: N818
    """The act got to the fault point at which the test cuts it off."""


@dataclass
class Here:
    """Keeps everything an action says. `cut` names the fault point that ends the act."""

    directory: Path
    cut: str | None = None
    lines: list[str] = field(default_factory=list)
    hosts: dict[str, list[str]] = field(default_factory=dict)
    reached: list[str] = field(default_factory=list)
    raw: bytearray = field(default_factory=bytearray)
    argvs: list[list[str]] = field(default_factory=list)
    stopping: threading.Event = field(default_factory=threading.Event)
    at_point: Callable[[str], None] = lambda point: None
    _calls: list[Callable[[], None]] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def text(self) -> str:
        """Return the whole output."""
        with self._lock:
            return self.raw.decode("utf-8", "replace")

    def stop(self) -> None:
        """Do what the worker does when somebody wants the attempt stopped."""
        self.stopping.set()
        for call in self._calls:
            call()

    def log(self, text: str, stream: Literal["stdout", "stderr"] = "stdout") -> None:
        """Keep a line."""
        self.write(text.encode() + b"\n", stream)

    def write(self, data: bytes, stream: Literal["stdout", "stderr"] = "stdout") -> None:
        """Keep raw output."""
        with self._lock:
            self.raw.extend(data)

    def flush(self) -> None:
        """Nothing is held back here."""

    def progress(self, text: str, fraction: float | None = None) -> None:
        """Keep what is going on."""
        self.lines.append(text)

    def sample(self, data: Mapping[str, Json]) -> None:
        """Measurements belong to monitors."""
        raise NotImplementedError

    def host_progress(self, host: str, state: str, text: str = "") -> None:
        """Keep how a host stands."""
        self.hosts.setdefault(host, []).append(state)

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
        """Run a program to its end."""
        self.argvs.append(list(argv))
        done = subprocess.run(
            list(argv),
            env={**os.environ, **(env or {})},
            cwd=cwd,
            input=stdin or b"",
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        if not quiet:
            self.write(done.stdout)
        if on_output:
            on_output(done.stdout)
        return Exit(done.returncode if done.returncode >= 0 else None)

    def check_stop(self) -> None:
        """Raise Stopped after `stop`."""
        if self.stopping.is_set():
            raise Stopped

    def wait(self, seconds: float) -> None:
        """Sleep, or raise Stopped."""
        if self.stopping.wait(seconds):
            raise Stopped

    def on_stop(self, call: Callable[[], None]) -> None:
        """Keep what is to be called by `stop`."""
        self._calls.append(call)

    def fault(self, point: str) -> None:
        """Keep the point; end the act there when the test wants that."""
        self.reached.append(point)
        self.at_point(point)
        if point == self.cut:
            raise FaultReached(point)


def job(
    kind: str,
    options: Mapping[str, Any],
    *,
    cwd: Path,
    hosts: Sequence[Host] = (),
    run: str = "1123-k7f3",
    step: str = "step",
    commit: str | None = None,
    variables: Mapping[str, str] | None = None,
    ssh_config: Path | None = None,
) -> Job:
    """Return the order that the driver would make of a step's options."""
    model = spec(kind).options.model_validate(options)
    return Job(
        run=run,
        step=step,
        number=1,
        action=kind,
        options=model.model_dump(mode="json", by_alias=True),
        directory=str(cwd),
        cwd=str(cwd),
        environment="sandbox",
        operator="dana",
        variables=variables or {},
        hosts=tuple(hosts),
        commit=commit,
        ssh_config=str(ssh_config) if ssh_config else None,
    )


def until(condition: Callable[[], object], seconds: float = 60) -> None:
    """Wait for a condition; AssertionError when it does not come true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true in time"
        time.sleep(0.02)
