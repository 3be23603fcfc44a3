"""Between the driver's thread and the screen: states and questions up, commands down.

The driver never waits for the screen and the screen never for the driver: the newest state is
kept, the screen looks for it ten times a second; commands go through a queue.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from runbook_tui.engine.ports import Answer, Command
from runbook_tui.ui.backend import BackendError, Ended
from runbook_tui.ui.scene import Peek
from state.run_state import RunState
from state.stores.attempt_dir import AttemptDir
from state.stores.signals import HostState, read_hosts, read_progress, read_samples
from widgets.log_file import LogFile

if TYPE_CHECKING:
    from state.events import Record
    from state.run_state import Question

_TAIL = 8192
"""Bytes of the end of a log that are looked at for its last lines."""

LAST_LINES = 12

_CLOSE_SECONDS = 1.0
"""How long the end waits for a look that waits for a network; it changes nothing."""


class ScreenOperator:
    """The operator port of the screen. `start` answers what Launch has already asked."""

    def __init__(self, typed_at_start: str | None = None, *, started: bool = False) -> None:
        self._commands: queue.SimpleQueue[Command] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._state: RunState | None = None
        self._changed = False
        self._refusal = ""
        self._away = ""
        self._waits = ""
        self._typed_at_start = typed_at_start
        self._started = started

    def ask(self, question: Question) -> Answer | None:
        """Answer the start that the operator has just confirmed; else the screen will ask."""
        if question.asks == "start" and self._started:
            fields = {"typed": self._typed_at_start} if self._typed_at_start else {}
            return Answer(question.id, "yes", "person", None, fields)
        return None

    def publish(self, state: RunState, records: Sequence[Record]) -> None:
        """Keep the newest state for the screen."""
        with self._lock:
            self._state, self._changed = state, True
            self._waits = ""

    def commands(self, timeout: float) -> Sequence[Command]:
        """Wait for commands of the screen."""
        found: list[Command] = []
        try:
            found.append(self._commands.get(timeout=max(timeout, 0.0)))
            while True:
                found.append(self._commands.get_nowait())
        except queue.Empty:
            return found

    def refused(self, question: Question, sentence: str) -> None:
        """Keep why an answer did not count, for the screen to say."""
        with self._lock:
            self._refusal = sentence

    def store_away(self, sentence: str | None) -> None:
        """Keep why the run waits for its journal, for the screen to say."""
        with self._lock:
            self._away = sentence or ""

    def waits_for(self, sentence: str) -> None:
        """Keep for whom the session waits before it drives, for the screen to say."""
        with self._lock:
            self._waits = sentence

    @property
    def waits(self) -> str:
        """For whom the session waits before it drives; empty while it does not."""
        with self._lock:
            return self._waits

    @property
    def away(self) -> str:
        """Why the journal cannot be reached; empty while it can."""
        with self._lock:
            return self._away

    def take_refusal(self) -> str:
        """Return why the last answer did not count, once."""
        with self._lock:
            refusal, self._refusal = self._refusal, ""
        return refusal

    def send(self, command: Command) -> None:
        """Hand a command to the driver."""
        self._commands.put(command)

    def take(self) -> RunState | None:
        """Return the newest state if it is new since the last call."""
        with self._lock:
            changed, self._changed = self._changed, False
            return self._state if changed else None


class Driving:
    """The driver in a thread of its own."""

    def __init__(self, drive: Callable[[], Ended]) -> None:
        self._drive = drive
        self.ended: Ended | None = None
        self.failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="driver", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self.ended = self._drive()
        except BackendError as problem:
            self.ended = Ended(1, problem.sentence, problem.advice)
        except BaseException as failure:
            self.failure = failure
            raise

    @property
    def alive(self) -> bool:
        """True while the driver drives."""
        return self._thread.is_alive()

    def wait(self, seconds: float) -> bool:
        """Wait for the driver to end; True when it has."""
        self._thread.join(seconds)
        return not self._thread.is_alive()


class Watcher:
    """Reads what running attempts say about themselves, in a thread, twice a second."""

    def __init__(self, state_directory: Path, bring: Callable[[str], None]) -> None:
        """`bring` has the output of an attempt's directory brought here first."""
        self._root = state_directory
        self._bring = bring
        self._wanted: dict[str, str] = {}
        self._peeks: dict[str, Peek] = {}
        self._offsets: dict[Path, int] = {}
        self._samples: dict[Path, list[Mapping[str, object]]] = {}
        self._hosts: dict[Path, tuple[int, tuple[HostState, ...]]] = {}
        self._changed = False
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._wake = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watcher", daemon=True)
        self._thread.start()

    def want(self, directories: Mapping[str, str]) -> None:
        """Look at these attempts: step id to directory."""
        if directories != self._wanted:
            self._wanted = dict(directories)
            self._wake.set()

    def take(self) -> Mapping[str, Peek] | None:
        """Return what was found if it is new since the last call."""
        with self._lock:
            changed, self._changed = self._changed, False
            return dict(self._peeks) if changed else None

    def close(self) -> None:
        """End the thread."""
        self._stop.set()
        self._wake.set()
        self._thread.join(_CLOSE_SECONDS)

    def _run(self) -> None:
        while not self._stop.is_set():
            found = {step: self._peek(attempt) for step, attempt in dict(self._wanted).items()}
            with self._lock:
                if any(self._peeks.get(step) != peek for step, peek in found.items()):
                    self._peeks = {**self._peeks, **found}
                    self._changed = True
            self._wake.wait(0.5)
            self._wake.clear()

    def _peek(self, attempt: str) -> Peek:
        self._bring(attempt)
        path = self._root / attempt
        directory = AttemptDir(path)
        progress = read_progress(directory)
        samples, offset = read_samples(directory, self._offsets.get(path, 0))
        self._offsets[path] = offset
        kept = self._samples.setdefault(path, [])
        kept.extend(samples)
        return Peek(
            progress=progress.text if progress else "",
            last=last_lines(directory.output),
            samples=tuple(kept),
            hosts=self._hosts_of(directory),
        )

    def _hosts_of(self, directory: AttemptDir) -> tuple[HostState, ...]:
        """Return how the hosts stand; read anew only when something was said."""
        try:
            size = directory.hosts.stat().st_size
        except FileNotFoundError:
            return ()
        known = self._hosts.get(directory.path)
        if known is None or known[0] != size:
            known = self._hosts[directory.path] = (size, tuple(read_hosts(directory).values()))
        return known[1]


def last_lines(path: Path, count: int = LAST_LINES) -> tuple[str, ...]:
    """Return the last lines of a log that are not blank; only its end is read."""
    file = LogFile(path)
    try:
        size = file.size()
        data = file.read(max(0, size - _TAIL), _TAIL)
    finally:
        file.close()
    lines = data.decode("utf-8", "replace").split("\n")[1 if size > _TAIL else 0 :]
    return tuple([line for line in lines if line.strip()][-count:])
