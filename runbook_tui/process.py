"""Runs a program and hands on its output until the program itself has ended.

The end is the exit of the main process, after what it wrote has been read. A process that it left
in the background and that keeps the output open does not hold us up; a note tells of it.
"""

from __future__ import annotations

import errno
import fcntl
import os
import pty as pseudo
import select
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

from runbook_tui import proc
from runbook_tui.actions.api import Exit
from state.stores.machine import ProcessMark

CHUNK = 1 << 20
"""Bytes read at once, and asked for as the pipe's size: few copies, few wake-ups."""

LINGER = 0.3
"""Seconds given to what the main process left behind (`> >(tee log)`) to close the output."""

_ROWS, _COLUMNS = 24, 80

Sink = Callable[[bytes], None]


def run(
    argv: Sequence[str],
    on_output: Sink,
    *,
    env: Mapping[str, str] | None = None,
    cwd: str | None = None,
    stdin: bytes | None = None,
    pty: bool = False,
    on_error: Sink | None = None,
    keep: Sequence[int] = (),
    on_start: Callable[[int], None] = lambda pid: None,
) -> Exit:
    """Run a program to its end in a session of its own.

    Standard error goes to `on_output` too, in order, unless `on_error` is given. `stdin` is given
    as a file in memory; without it the program reads /dev/null. The descriptors `keep` are
    inherited; `on_start` gets the pid. An exception of a callback leaves the program running.
    Raises OSError when the program cannot be started.
    """
    outputs = [_Output(on_output, pty=pty)]
    if on_error is not None:
        outputs.append(_Output(on_error, pty=False))
    try:
        child = _start(argv, env, cwd, stdin, outputs, keep)
        for output in outputs:
            output.close_ours()
        on_start(child.pid)
        held = _pump(child, outputs)
    finally:
        for output in outputs:
            output.close()
    code = child.wait()
    return Exit(code if code >= 0 else None, -code if code < 0 else None, _note(held))


class _Output:
    """One pipe or pseudo-terminal that the program writes to and we read."""

    def __init__(self, sink: Sink, *, pty: bool) -> None:
        self.sink = sink
        self.pty = pty
        self.ended = False
        if pty:
            self.ours, self.theirs = pseudo.openpty()
            size = struct.pack("HHHH", _ROWS, _COLUMNS, 0, 0)
            fcntl.ioctl(self.theirs, termios.TIOCSWINSZ, size)
        else:
            self.ours, self.theirs = os.pipe()
            with suppress(PermissionError):  # the user's allowance for large pipes is used up
                fcntl.fcntl(self.ours, fcntl.F_SETPIPE_SZ, CHUNK)
        os.set_blocking(self.ours, False)
        stat = os.fstat(self.theirs)
        self.identity = (stat.st_dev, stat.st_ino)

    def read(self) -> int:
        """Hand on what is there; return how much, 0 when there is nothing (yet, or `ended`)."""
        try:
            data = os.read(self.ours, CHUNK)
        except BlockingIOError:
            return 0
        except OSError as problem:
            if not self.pty or problem.errno != errno.EIO:
                raise
            data = b""
        if data:
            self.sink(data)
        else:
            self.ended = True
        return len(data)

    def waiting(self) -> int:
        """Return how many bytes can be read now."""
        answer = fcntl.ioctl(self.ours, termios.FIONREAD, b"\0\0\0\0")
        return int(struct.unpack("i", answer)[0])

    def close_ours(self) -> None:
        """Close the end that the program writes to: only the program's processes have it now."""
        os.close(self.theirs)
        self.theirs = -1

    def close(self) -> None:
        """Close what is still open."""
        for descriptor in (self.ours, self.theirs):
            if descriptor >= 0:
                os.close(descriptor)
        self.ours = self.theirs = -1


def _start(
    argv: Sequence[str],
    env: Mapping[str, str] | None,
    cwd: str | None,
    stdin: bytes | None,
    outputs: Sequence[_Output],
    keep: Sequence[int],
) -> subprocess.Popen[bytes]:
    source = subprocess.DEVNULL if stdin is None else _in_memory(stdin)
    terminal = outputs[0].theirs if outputs[0].pty else None

    def take_terminal() -> None:
        fcntl.ioctl(terminal or 0, termios.TIOCSCTTY, 0)

    try:
        return subprocess.Popen(
            list(argv),
            stdin=source,
            stdout=outputs[0].theirs,
            stderr=outputs[-1].theirs,
            env=env,
            cwd=cwd,
            pass_fds=tuple(keep),
            start_new_session=True,
            preexec_fn=None if terminal is None else take_terminal,  # noqa: PLW1509
        )
    finally:
        if source >= 0:
            os.close(source)


def _in_memory(content: bytes) -> int:
    """Return a descriptor to read `content` from; it never touches a disk and never blocks."""
    descriptor = os.memfd_create("stdin")
    with os.fdopen(os.dup(descriptor), "wb") as file:
        file.write(content)
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor


def _pump(child: subprocess.Popen[bytes], outputs: Sequence[_Output]) -> list[str]:
    """Read until the main process has ended; return who keeps its output open."""
    ended = os.pidfd_open(child.pid)
    poll = select.poll()
    poll.register(ended, select.POLLIN)
    by_descriptor = {output.ours: output for output in outputs}
    for descriptor in by_descriptor:
        poll.register(descriptor, select.POLLIN)
    try:
        while True:
            ready = [descriptor for descriptor, _ in poll.poll()]
            for descriptor in ready:
                output = by_descriptor.get(descriptor)
                if output is not None and not output.read() and output.ended:
                    poll.unregister(descriptor)
            if ended in ready:
                return _drain(outputs)
    finally:
        os.close(ended)


def _drain(outputs: Sequence[_Output]) -> list[str]:
    """Read what the main process wrote before it ended; return who else may still write.

    All that it wrote is in the pipe now, so a flood from the background has an end for us.
    """
    owed = {output.ours: output.waiting() for output in outputs if not output.ended}
    deadline = time.monotonic() + LINGER
    while left := [output for output in outputs if not output.ended]:
        overdue = time.monotonic() >= deadline
        read = {output.ours: output.read() for output in left}
        for descriptor, count in read.items():
            owed[descriptor] -= count
        if overdue and all(owed[output.ours] <= 0 or not read[output.ours] for output in left):
            break
        if not any(read.values()):
            _await([output.ours for output in left], deadline)
    return _keepers(outputs)


def _await(descriptors: Sequence[int], deadline: float) -> None:
    poll = select.poll()
    for descriptor in descriptors:
        poll.register(descriptor, select.POLLIN)
    poll.poll(max(0.0, deadline - time.monotonic()) * 1000)


def _keepers(outputs: Sequence[_Output]) -> list[str]:
    """Return the names of the processes that have an output open which did not end."""
    marks: set[ProcessMark] = set()
    hidden = False
    for output in outputs:
        if output.ended:
            continue
        found = proc.holders(*output.identity)
        marks.update(found)
        # Nobody to be seen: it was closed in this instant, or its holder is another user's.
        hidden = hidden or (not found and not output.read() and not output.ended)
    return [*sorted(map(proc.name, marks)), *(["another user's process"] if hidden else [])]


def _note(held: Sequence[str]) -> str | None:
    if not held:
        return None
    return f"a background process keeps its output open: {', '.join(held)}"
