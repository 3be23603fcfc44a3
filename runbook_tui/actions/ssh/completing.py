"""Goes on with the log of an attempt whose worker is gone: what is there already is not repeated.

A host's output is read again from its beginning. As many whole lines of it as the log holds are
left out, by host and stream; a line that was cut off at the log's end is completed.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from types import TracebackType
from typing import Self

from runbook_tui.actions.shared.host_lines import Stream, prefix
from runbook_tui.redact import Patterns, Redactor
from state.stores.attempt_dir import AttemptDir
from state.stores.output import STREAM_RECORD, STREAMS, OutputWriter


class LogCompleter:
    """Appends to an attempt's log what is not in it yet. The only writer of it."""

    def __init__(self, attempt: AttemptDir, hosts: Iterable[str], secrets: Sequence[str]) -> None:
        self.cut_host: str | None = None
        """The host whose line the log ends in."""
        self._hosts = list(hosts)
        self._attempt = attempt
        self._redactor = Redactor(Patterns(secrets))
        self._there: Counter[tuple[str, Stream]] = Counter()
        self._cut = b""
        self._cut_stream: Stream = "stdout"
        self._read()
        self._writer = OutputWriter(attempt)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._writer.close()

    def of(self, host: str) -> HostLog:
        """Return where a host's lines go, from its first on."""
        return HostLog(self, host)

    def take(self, host: str, line: bytes, stream: Stream) -> None:
        """Append a line unless it is there."""
        if self._there[host, stream] > 0:
            self._there[host, stream] -= 1
            return
        shown = self._redactor.feed(line) + self._redactor.finish()
        if self._cut:
            ours = (host, stream) == (self.cut_host, self._cut_stream)
            if ours and shown.startswith(self._cut):
                shown = shown[len(self._cut) :]
            else:
                self._writer.write(b"\n", self._cut_stream)
            self._cut = b""
        self._writer.write(shown, stream)

    def sync(self) -> None:
        """Have the log on disk when this returns."""
        self._attempt.sync_output()

    def _read(self) -> None:
        """Count what is there."""
        prefixes = [(prefix(host), host) for host in self._hosts]
        places, streams = _streams(self._attempt)
        offset = 0
        with self._attempt.output.open("rb") as log:
            for line in log:
                place = bisect_right(places, offset) - 1
                stream = streams[place] if place >= 0 else "stdout"
                host = next((host for start, host in prefixes if line.startswith(start)), None)
                if not line.endswith(b"\n"):
                    self._cut, self.cut_host, self._cut_stream = line, host, stream
                elif host is not None:
                    self._there[host, stream] += 1
                offset += len(line)


def _streams(attempt: AttemptDir) -> tuple[list[int], list[Stream]]:
    """Return where the stream changes, and to which."""
    try:
        data = attempt.streams.read_bytes()
    except FileNotFoundError:
        return [], []
    whole = data[: len(data) - len(data) % STREAM_RECORD.size]
    records = list(STREAM_RECORD.iter_unpack(whole))
    return [place for place, _ in records], [STREAMS[number] for _, number in records]


class HostLog:
    """One host's way into the log."""

    def __init__(self, log: LogCompleter, host: str) -> None:
        self._log = log
        self._host = host

    def write(self, data: bytes, stream: Stream = "stdout") -> None:
        """Take whole lines."""
        for line in data.split(b"\n")[:-1]:
            self._log.take(self._host, line + b"\n", stream)
