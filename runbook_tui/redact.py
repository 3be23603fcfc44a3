"""Masks secrets in output on its way to disk and screen, exactly, whatever the chunks are.

Matching is done on the output without colours and carriage returns (they pass through), by
Hyperscan on the heads of all variants, then byte for byte. What might be the beginning of a secret
at the end of a chunk is held back until more has come.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from itertools import accumulate
from threading import Lock

import hyperscan

from runbook_tui.redact_variants import variants

MASK = b"***"

_HEAD = 16
"""Bytes of each pattern that Hyperscan looks for; the rest is compared where one was found."""

_TOKEN = rb"\r|\x1b\[[0-?]{0,48}[ -/]{0,4}[@-~]"
_TOKENS = re.compile(rb"(" + _TOKEN + rb")")
_UNFINISHED = re.compile(rb"\x1b(?:\[[0-?]{0,48}[ -/]{0,4})?\Z")
_LONG_RUN = re.compile(rb"(?:" + _TOKEN + rb"){256,}")
"""So many control sequences in a row end what a secret could be: what is held back stays small."""

Interval = tuple[int, int]


class Patterns:
    """The variants of a set of secrets, compiled. May be shared by Redactors and threads."""

    def __init__(self, secrets: Iterable[str]) -> None:
        found = {_without_tokens(each) for secret in secrets for each in variants(secret)}
        self._by_head: dict[bytes, list[bytes]] = {}
        for pattern in sorted(found - {b""}):
            self._by_head.setdefault(pattern[:_HEAD], []).append(pattern)
        self._heads = sorted(self._by_head)
        self._database: hyperscan.Database | None = None
        self._scanning = Lock()

    def __bool__(self) -> bool:
        return bool(self._heads)

    def look(self, text: bytes, *, final: bool) -> tuple[list[Interval], int]:
        """Return the matches in `text`, unsorted, and where what must be held back begins.

        No match begins at or after that position; with `final` nothing is held back.
        """
        matches: list[Interval] = []
        hold = len(text)
        for start, head in self._head_hits(text):
            for pattern in self._by_head[head]:
                if text.startswith(pattern, start):
                    matches.append((start, start + len(pattern)))
                elif start + len(pattern) > len(text) and pattern.startswith(text[start:]):
                    hold = min(hold, start)
        if final:
            return matches, len(text)
        hold = min(hold, self._unfinished_head(text))
        return [match for match in matches if match[0] < hold], hold

    def _head_hits(self, text: bytes) -> list[tuple[int, bytes]]:
        hits: list[tuple[int, bytes]] = []

        def note(number: int, _start: int, end: int, _flags: int, _context: object) -> None:
            head = self._heads[number]
            hits.append((end - len(head), head))

        with self._scanning:
            if self._database is None:
                self._database = _compile(self._heads)
            self._database.scan(text, match_event_handler=note)
        return hits

    def _unfinished_head(self, text: bytes) -> int:
        """Return where the longest end of `text` begins that is the beginning of a head."""
        for start in range(max(0, len(text) - _HEAD + 1), len(text)):
            end = text[start:]
            at = bisect_right(self._heads, end)
            if at < len(self._heads) and self._heads[at].startswith(end):
                return start
        return len(text)


def _compile(heads: Sequence[bytes]) -> hyperscan.Database:
    # As regular expressions of hex escapes: Hyperscan's literals would end at a zero byte.
    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    database.compile(
        expressions=[b"".join(b"\\x%02x" % byte for byte in head) for head in heads],
        ids=list(range(len(heads))),
        elements=len(heads),
        flags=[0] * len(heads),
    )
    return database


def _without_tokens(pattern: bytes) -> bytes:
    return re.sub(_TOKEN, b"", pattern)


class _Shadow:
    """Output without its control sequences, and the way back to the output."""

    __slots__ = ("_places", "_sums", "_tokens", "output", "text")

    def __init__(self, output: bytes, *, bare: bool) -> None:
        """`bare`: it is known to hold no control sequence."""
        self.output = output
        self.text = output
        self._tokens: list[bytes] = []
        self._places: list[int] = []
        self._sums: list[int] = [0]
        if not bare:
            parts = _TOKENS.split(output)
            self.text = b"".join(parts[::2])
            self._tokens = parts[1::2]
            self._places = list(accumulate(map(len, parts[:-1:2])))
            self._sums = [0, *accumulate(map(len, self._tokens))]

    def before(self, place: int) -> int:
        """Return where the character at `place` of the text stands in the output."""
        return place + self._sums[bisect_right(self._places, place)]

    def after(self, place: int) -> int:
        """Return where the output goes on behind the character before `place` of the text."""
        return place + self._sums[bisect_left(self._places, place)]

    def inside(self, start: int, end: int, *, closed: bool) -> bytes:
        """Return the control sequences between two places; those at `end` too when `closed`."""
        find = bisect_right if closed else bisect_left
        return b"".join(self._tokens[bisect_right(self._places, start) : find(self._places, end)])


class Redactor:
    """Masks one stream of output.

    The output of `feed` and `finish` put together is the same for any chunking of the input.
    Overlapping and touching secrets become one mask; control sequences among them are kept.
    """

    def __init__(self, secrets: Iterable[str] | Patterns) -> None:
        self._patterns = secrets if isinstance(secrets, Patterns) else Patterns(secrets)
        self._pending = b""
        self._masked: int | None = None
        """How far the last mask, already written, reaches into what is pending."""

    def feed(self, data: bytes) -> bytes:
        """Take a chunk of output and return what is ready, masked."""
        if not self._patterns:
            return data
        return self._advance(self._pending + data if self._pending else data, final=False)

    def finish(self) -> bytes:
        """Return what was held back; what comes after begins a new stream."""
        rest = self._advance(self._pending, final=True) if self._pending else b""
        self._masked = None
        return rest

    def redact_text(self, text: str) -> str:
        """Mask a whole text, apart from the stream."""
        if not self._patterns:
            return text
        other = Redactor(self._patterns)
        raw = text.encode(errors="surrogateescape")
        return (other.feed(raw) + other.finish()).decode(errors="surrogateescape")

    def _advance(self, output: bytes, *, final: bool) -> bytes:
        if b"\x1b" not in output and b"\r" not in output:
            return self._mask(output, final=final, bare=True)
        ready: list[bytes] = []
        while run := _LONG_RUN.search(output):
            ready.append(self._mask(output[: run.end()], final=True))
            output = output[run.end() :]
        ready.append(self._mask(output, final=final))
        return ready[0] if len(ready) == 1 else b"".join(ready)

    def _mask(self, output: bytes, *, final: bool, bare: bool = False) -> bytes:
        end = len(output) if final or bare else _finished(output)
        shadow = _Shadow(output if end == len(output) else output[:end], bare=bare)
        matches, hold = self._patterns.look(shadow.text, final=final)
        keep = shadow.before(hold)
        self._pending = output[keep:]
        if not matches and self._masked is None:
            return output[:keep]
        return self._write(shadow, matches, hold)

    def _write(self, shadow: _Shadow, matches: list[Interval], hold: int) -> bytes:
        output = memoryview(shadow.output)  # joined at the end: one copy
        ready: list[bytes | memoryview] = []
        done = 0
        reach: int | None = None
        carried = [] if self._masked is None else [(0, self._masked)]
        for start, end in _merged(carried + matches):
            ready.append(output[done : shadow.before(start)])
            if not carried or reach is not None:
                ready.append(MASK)
            ready.append(shadow.inside(start, min(end, hold), closed=end > hold))
            behind = shadow.before(hold) if end > hold else shadow.after(end)
            done = max(behind, shadow.before(start))
            reach = end
        ready.append(output[done : shadow.before(hold)])
        self._masked = reach - hold if reach is not None and reach >= hold else None
        return b"".join(ready)


def _finished(output: bytes) -> int:
    """Return where a control sequence begins that may go on in the next chunk, or the end."""
    last = output.rfind(b"\x1b", -64)
    return last if last >= 0 and _UNFINISHED.match(output, last) else len(output)


def _merged(intervals: list[Interval]) -> list[Interval]:
    """Join intervals that overlap or touch."""
    merged: list[Interval] = []
    for start, end in sorted(intervals):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return merged
