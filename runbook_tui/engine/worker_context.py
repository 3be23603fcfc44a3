"""What an action sees of the world while its worker performs it: the Context of actions.api."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Literal

from runbook_tui import process
from runbook_tui.actions.api import Exit, Job, Stopped
from runbook_tui.engine import faults
from runbook_tui.engine.results import redact_json
from runbook_tui.redact import Redactor
from state.json_value import Json
from state.stores import signals
from state.stores.attempt_dir import AttemptDir
from state.stores.output import OutputWriter

Stream = Literal["stdout", "stderr"]


class WorkerContext:
    """Writes into the attempt's directory; usable from several threads of the action."""

    def __init__(
        self, job: Job, attempt: AttemptDir, redactor: Redactor, lock: int, fault: str | None
    ) -> None:
        self.directory: Path = attempt.path
        self.stopping = threading.Event()
        self.lost = 0
        """Bytes of output that the disk would not take."""
        self.why_lost = ""
        self.redactor = redactor
        self._job = job
        self._attempt = attempt
        self._lock = lock
        self._fault = fault
        self._writing = threading.Lock()
        self._output = OutputWriter(attempt)
        self._stream: Stream = "stdout"
        self._calls: list[Callable[[], None]] = []
        self._calling = threading.Lock()

    def log(self, text: str, stream: Stream = "stdout") -> None:
        """Write a line (or several)."""
        self.write((text + "\n").encode(errors="surrogateescape"), stream)

    def write(self, data: bytes, stream: Stream = "stdout") -> None:
        """Write raw output; a full disk loses output but never ends the act."""
        with self._writing:
            if stream != self._stream:
                # What is held back belongs to the other stream; a secret is not split over two.
                self._keep(self.redactor.finish())
                self._stream = stream
            self._keep(self.redactor.feed(data))

    def flush(self) -> None:
        """Write what is held back, and have the output on disk."""
        with self._writing:
            self._keep(self.redactor.finish())
        with suppress(OSError):
            self._attempt.sync_output()

    def _keep(self, data: bytes) -> None:
        if data:
            try:
                self._output.write(data, self._stream)
            except OSError as problem:
                self.lost += len(data)
                self.why_lost = problem.strerror or str(problem)

    def progress(self, text: str, fraction: float | None = None) -> None:
        """Replace what is said to be going on; a full disk leaves it as it was."""
        with suppress(OSError):
            signals.write_progress(self._attempt, self.redactor.redact_text(text), fraction)

    def sample(self, data: Mapping[str, Json]) -> None:
        """Keep a measurement, on disk. Raises OSError when the disk will not take it."""
        signals.append_sample(self._attempt, redact_json(self.redactor, dict(data)))

    def host_progress(self, host: str, state: str, text: str = "") -> None:
        """Note how a host stands; a full disk leaves it as it was."""
        with suppress(OSError):
            signals.append_host(self._attempt, host, state, self.redactor.redact_text(text))

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
        """Run a program that holds the attempt's lock as we do; raise Stopped when stopped."""
        self.check_stop()
        sinks = [sink for sink in (None if quiet else self.write, on_output) if sink is not None]

        def take(data: bytes) -> None:
            for sink in sinks:
                sink(data)

        ended = process.run(
            argv,
            take,
            env={**os.environ, **(env or {})},
            cwd=cwd or self._job.cwd,
            stdin=stdin,
            pty=pty,
            keep=(self._lock,),
            on_start=self._note_main,
        )
        if ended.code != 0:  # what ended well did so before it was stopped
            self.check_stop()
        return ended

    def _note_main(self, pid: int) -> None:
        # The lock tells who is alive even when a full disk keeps us from recording the pid.
        with suppress(OSError):
            self._attempt.write_main(pid)

    def check_stop(self) -> None:
        """Raise Stopped when the attempt is to stop."""
        if self.stopping.is_set():
            raise Stopped

    def wait(self, seconds: float) -> None:
        """Sleep, or raise Stopped."""
        if self.stopping.wait(seconds):
            raise Stopped

    def on_stop(self, call: Callable[[], None]) -> None:
        """Have `call` run when the attempt is to stop; at once when it already is."""
        with self._calling:
            late = self.stopping.is_set()
            if not late:
                self._calls.append(call)
        if late:
            call()

    def begin_stop(self) -> list[Callable[[], None]]:
        """Let everything that waits go on, and return what is to be called."""
        with self._calling:
            self.stopping.set()
            return list(self._calls)

    def fault(self, point: str) -> None:
        """A fault point of the action."""
        faults.reach(point, self._job.step, fault=self._fault)

    def close(self) -> None:
        """Write what was held back and close the files."""
        with self._writing:
            self._keep(self.redactor.finish())
            self._output.close()
