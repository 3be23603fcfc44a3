"""A pseudo-terminal with a program in it: keys in, and what stands in each cell of the screen."""

from __future__ import annotations

import codecs
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self

_TOKEN: Final = re.compile(
    r"\x1b\[(?P<parameters>[0-?]*)[ -/]*(?P<final>[@-~])"
    r"|\x1b[\]PX^_].*?(?:\x07|\x1b\\)"
    r"|\x1b[ -/]*[0-~]"
    r"|(?P<control>[\x00-\x1f\x7f])"
    r"|(?P<text>[^\x00-\x1f\x7f]+)",
    re.DOTALL,
)
_UNFINISHED: Final = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*|[\]PX^_](?:(?!\x07|\x1b\\).)*|[ -/]*)?\Z", re.DOTALL
)
_BLANK: Final = (" ", "")
PATIENCE: Final = 60.0
"""Seconds to wait for something on the screen before the program is taken for stuck."""

Cell = tuple[str, str]


class Screen:
    """The cells of a terminal: character and style. Knows what Textual and less write."""

    def __init__(self, rows: int, columns: int) -> None:
        self.rows, self.columns = rows, columns
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._rest = ""
        self._style = ""
        self._row = self._column = 0
        self.cells: list[list[Cell]] = []
        self._clear()

    def _clear(self) -> None:
        self.cells = [[_BLANK] * self.columns for _ in range(self.rows)]

    def text(self, row: int) -> str:
        """Return a row's characters."""
        return "".join(character for character, _ in self.cells[row])

    def find(self, words: str) -> tuple[int, int] | None:
        """Return row and column of the first place where `words` stand."""
        for row in range(self.rows):
            column = self.text(row).find(words)
            if column >= 0:
                return row, column
        return None

    def area(self, row: int, first: int, last: int) -> tuple[Cell, ...]:
        """Return cells of a row, to see later whether they changed."""
        return tuple(self.cells[row][first:last])

    def feed(self, data: bytes) -> None:
        """Take what the program wrote."""
        text = self._rest + self._decoder.decode(data)
        unfinished = _UNFINISHED.search(text)
        self._rest = text[unfinished.start() :] if unfinished else ""
        for token in _TOKEN.finditer(text, 0, len(text) - len(self._rest)):
            if token["text"] is not None:
                self._write(token["text"])
            elif token["control"] is not None:
                self._control(token["control"])
            elif token["final"] is not None:
                self._sequence(token["parameters"], token["final"])

    def _write(self, text: str) -> None:
        room = self.columns - self._column
        cells = [(character, self._style) for character in text[:room]]
        self.cells[self._row][self._column : self._column + len(cells)] = cells
        self._column += len(cells)

    def _control(self, character: str) -> None:
        if character == "\r":
            self._column = 0
        elif character == "\b":
            self._column = max(0, self._column - 1)
        elif character == "\n":
            if self._row + 1 < self.rows:
                self._row += 1
            else:
                self.cells = [*self.cells[1:], [_BLANK] * self.columns]

    def _sequence(self, parameters: str, final: str) -> None:
        if final == "m":
            self._style = "" if parameters in ("", "0") else f"{self._style};{parameters}"
        elif final == "H":
            line, _, column = parameters.partition(";")
            self._row = min(int(line or 1), self.rows) - 1
            self._column = min(int(column or 1), self.columns) - 1
        elif final == "K":
            blank = [_BLANK] * (self.columns - self._column)
            self.cells[self._row][self._column :] = blank
        elif final == "J" and parameters == "2":
            self._clear()
        elif final == "J":
            self._sequence("", "K")
            for row in range(self._row + 1, self.rows):
                self.cells[row] = [_BLANK] * self.columns


def _take_terminal() -> None:
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


class StuckError(Exception):
    """What was waited for did not appear; the text holds the screen."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What a program has used: processor time in ms, most memory in bytes."""

    cpu: float
    peak: int


class Terminal:
    """A program on a terminal of its own. Use it as a context manager: it is killed at the end."""

    def __init__(
        self,
        argv: Sequence[str],
        *,
        rows: int = 24,
        columns: int = 80,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
    ) -> None:
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.screen = Screen(rows, columns)
        self._descriptor = ours
        fixed = {"TERM": "xterm-256color", "COLORTERM": "truecolor", "LANG": "C.UTF-8"}
        self.begun = time.perf_counter()
        self._child = subprocess.Popen(
            list(argv),
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env={**(os.environ if env is None else env), **fixed},
            cwd=cwd,
            start_new_session=True,
            # The program is to be the terminal's own, as under a shell.
            preexec_fn=_take_terminal,  # noqa: PLW1509 - no other thread is here
        )
        os.close(theirs)
        self.cost: Cost | None = None

    @property
    def pid(self) -> int:
        """The program's process."""
        return self._child.pid

    def send(self, keys: str) -> float:
        """Type; return the moment at which it was done."""
        begun = time.perf_counter()
        os.write(self._descriptor, keys.encode())
        return begun

    def until(
        self, there: Callable[[Screen], bool], what: str, patience: float = PATIENCE
    ) -> float:
        """Read until the screen shows what is waited for; return the moment at which it did.

        Raises StuckError when it does not come, or the program ends before.
        """
        deadline = time.perf_counter() + patience
        while not there(self.screen):
            left = deadline - time.perf_counter()
            if left <= 0 or not self._read(left):
                shown = "\n".join(self.screen.text(row) for row in range(self.screen.rows))
                raise StuckError(f"no {what} on the screen:\n{shown}")
        return time.perf_counter()

    def drain(self, seconds: float) -> None:
        """Read what comes for some time."""
        deadline = time.perf_counter() + seconds
        while (left := deadline - time.perf_counter()) > 0:
            self._read(left)

    def _read(self, timeout: float) -> bool:
        ready, _, _ = select.select([self._descriptor], [], [], timeout)
        if not ready:
            return False
        try:
            data = os.read(self._descriptor, 1 << 18)
        except OSError:  # the program has closed its terminal
            return False
        self.screen.feed(data)
        return bool(data)

    def memory(self) -> int:
        """Return the bytes of memory that are the program's own (anonymous, resident)."""
        status = Path(f"/proc/{self.pid}/status").read_text(encoding="ascii")
        line = next(line for line in status.splitlines() if line.startswith("RssAnon"))
        return int(line.split()[1]) * 1024

    def close(self) -> Cost:
        """Kill the program and return what it has used."""
        if self.cost is None:
            os.kill(self.pid, signal.SIGKILL)  # not reaped before: it cannot be another process
            _, status, used = os.wait4(self.pid, 0)
            self._child.returncode = -status
            os.close(self._descriptor)
            self.cost = Cost((used.ru_utime + used.ru_stime) * 1000, used.ru_maxrss * 1024)
        return self.cost

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
