"""A link to a host that is made again when it is lost: a dropped connection decides nothing."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import Final

from runbook_tui.actions.api import ActionFailed, Host
from runbook_tui.actions.shared.remote_script import RUN, SHELLS, Captured, assigned
from runbook_tui.actions.shared.ssh_connection import HostConnection, Output, connect
from runbook_tui.actions.ssh import shell

FIRST: Final = 1.0
LONGEST: Final = 30.0
"""Seconds before the first try to reconnect; before each later one twice as long, up to these."""


class LinkLost(Exception):  # noqa: N818 - it reads as what happened
    """The host did not answer any more, however often it was tried; the text says why."""


class StopAsked(Exception):  # noqa: N818
    """The step is to stop."""


def delays(patience: float) -> list[float]:
    """Return the seconds before each try to reconnect, all within `patience` seconds."""
    return list(_delays(patience))


def _delays(patience: float) -> Iterator[float]:
    delay, left = FIRST, patience
    while left > 0:
        yield min(delay, left)
        left -= delay
        delay = min(2 * delay, LONGEST)


class Link:
    """Sends our own short scripts to a host, again when the answer was lost.

    What is sent must do no harm when it arrives twice. `tell` says how the link stands.
    """

    def __init__(
        self,
        host: Host,
        ssh_config: str | None,
        timeout: float,
        patience: float,
        stopping: threading.Event,
        tell: Callable[[str], None],
    ) -> None:
        self._host = host
        self._ssh_config = ssh_config
        self._timeout = timeout
        self._delays = delays(patience)
        self._stopping = stopping
        self._tell = tell
        self._lost = 0
        self._connection: HostConnection | None = None

    def open(self) -> HostConnection:
        """Connect; raises ActionFailed in words."""
        self._connection = connect(self._host, self._ssh_config, self._timeout)
        return self._connection

    def close(self) -> None:
        """Close the connection, whatever state it is in."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(OSError, EOFError):
                connection.close()

    def capture(self, body: str, variables: Mapping[str, str]) -> Captured:
        """Run a short script and return what it said. Raises LinkLost, StopAsked."""
        out, err = bytearray(), bytearray()

        def begin() -> str:
            out.clear()
            err.clear()
            return assigned(variables)

        def keep(data: bytes, stream: str) -> None:
            (out if stream == "stdout" else err).extend(data)

        code = self.follow(body, begin, keep)
        return Captured(code, out.decode("utf-8", "replace"), err.decode("utf-8", "replace"))

    def follow(self, body: str, setting: Callable[[], str], output: Output) -> int:
        """Run a script until it has an exit code; `setting` is asked anew for each try."""
        while True:
            code = self._once(shell.whole(body, setting()), output)
            if code is not None:
                self._lost = 0
                return code
            if self._stopping.is_set():
                raise StopAsked
            self._again()

    def last_word(self, body: str, variables: Mapping[str, str]) -> Captured | None:
        """Run a script of ours once although the step is to stop; None when that is impossible."""
        found = bytearray()
        try:
            if self._connection is None or not self._connection.alive():
                self.close()
                self.open()
            text = shell.whole(body, assigned(variables))
            code = self._execute(text, lambda data, stream: found.extend(data), lambda: False)
        except ActionFailed:
            return None
        said = found.decode("utf-8", "replace")
        return None if code is None else Captured(code, said, said)

    def _once(self, text: str, output: Output) -> int | None:
        def take(data: bytes, stream: shell.Stream) -> None:
            self._lost = 0
            output(data, stream)

        try:
            return self._execute(text, take, self._stopping.is_set)
        except ActionFailed:
            return None

    def _execute(self, text: str, output: Output, stop: Callable[[], bool]) -> int | None:
        if self._connection is None:
            return None
        command = RUN.format(shell=SHELLS["sh"])
        return self._connection.execute(command, stdin=text.encode(), output=output, stop=stop)

    def _again(self) -> None:
        """Reconnect, with more and more time between the tries. Raises LinkLost, StopAsked."""
        self.close()
        why = "the connection was lost"
        while self._lost < len(self._delays):
            self._lost += 1
            self._tell(f"link lost, reconnecting {self._lost}/{len(self._delays)}")
            if self._stopping.wait(self._delays[self._lost - 1]):
                raise StopAsked
            try:
                self.open()
            except ActionFailed as fault:
                why = fault.sentence
            else:
                self._tell("the link is back")
                return
        raise LinkLost(why)
