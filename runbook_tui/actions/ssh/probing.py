"""Finds out how a detached script ended whose worker is gone, and completes its log.

One that is asked to stop is stopped. Otherwise nothing changes but the script's own record: one
that had not started is barred from starting late, and one that has ended is adopted (its output
into the attempt's log, its exit code and what it hands on into the attempt's directory) and removed
from the host.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from runbook_tui.actions.api import ActionFailed, Context, Finding, Host, Job
from runbook_tui.actions.shared.host_lines import HostLines
from runbook_tui.actions.ssh import outcome
from runbook_tui.actions.ssh.completing import LogCompleter
from runbook_tui.actions.ssh.detached import keep, link_to, words_without_code
from runbook_tui.actions.ssh.kept import Entry, Kept
from runbook_tui.actions.ssh.link import Link, LinkLost, StopAsked
from runbook_tui.actions.ssh.part import GRACES, Part, State, judged
from runbook_tui.actions.ssh.record import Record, RecordError, Stands, name_of
from runbook_tui.actions.ssh.rolling import AT_ONCE
from state.status import Verdict
from state.stores.attempt_dir import AttemptDir

PATIENCE: Final = 30.0
"""Seconds for which a host that does not answer is tried again; a look may take two minutes."""

LIVE: Final = 1 << 20
"""Bytes of output up to which the log is kept up to date while the script still runs."""


@dataclass(slots=True)
class _Seen:
    """What a look at one host found. `link` is open while there is more to fetch."""

    host: Host
    part: Part | None = None
    runs: bool = False
    record: Record | None = None
    link: Link | None = None
    stands: Stands | None = None


def probe(job: Job, context: Context) -> Finding:
    """Return what became of the attempt whose directory is the last of `job.previous`."""
    if job.options.get("attached"):
        return Finding(Verdict.UNKNOWN, "An attached script leaves no record to look for.")
    if not job.previous:
        return Finding(Verdict.UNKNOWN, "The script has not been tried yet.")
    directory = Path(job.previous[-1])
    stopping = threading.Event()
    context.on_stop(stopping.set)
    attempt = AttemptDir(directory)
    looking = _Looking(job, Kept(directory), stopping, known=attempt.exists())
    with ThreadPoolExecutor(AT_ONCE) as pool, ExitStack() as stack:
        seen = list(pool.map(looking.at, job.hosts))
        for one in seen:
            if one.link is not None:
                stack.callback(one.link.close)
        _complete(looking, attempt, [one for one in seen if one.link is not None])
    return _finding([one.part for one in seen if one.part is not None], seen)


class _Looking:
    """Looks at one host after another, from several threads."""

    def __init__(self, job: Job, kept: Kept, stopping: threading.Event, *, known: bool) -> None:
        self.job = job
        self.kept = kept
        self._known = known
        self._to_stop = AttemptDir(Path(job.previous[-1])).stop_asked() is not None
        """Whether the attempt's directory is here: what it does not tell of has not begun."""
        self._stopping = stopping

    def at(self, host: Host) -> _Seen:
        """Return what is known here of a host's part, or else what the host says."""
        entry = self.kept.read(host.name)
        if entry is not None and (entry.settled or entry.state == "preparing"):
            self._clear(host, entry)
            return _Seen(host, _part(entry))
        if entry is None and self._known:
            return _Seen(host, Part(host.name, State.UNTRIED, acted=False))
        name = entry.record if entry else name_of(self.job, host.name)
        return self._ask(host, name)

    def _clear(self, host: Host, entry: Entry) -> None:
        """Remove a record that was adopted by a worker that could not remove it any more."""
        if entry.cleared:
            return
        link = link_to(self.job, host, self._stopping, lambda words: None, 0)
        if Record(link, entry.record).remove():
            self.kept.cleared(host.name)
        link.close()

    def _ask(self, host: Host, name: str) -> _Seen:
        link = link_to(self.job, host, self._stopping, lambda words: None, PATIENCE)
        record = Record(link, name)
        try:
            stands = record.look(void=True)
            if stands.state == "running" and self._to_stop and record.stop(GRACES):
                stands = record.look(void=True)
        except StopAsked:
            link.close()
            return _Seen(host, _unknown(host, f"The look at {host.name} was stopped."))
        except (LinkLost, RecordError) as fault:
            link.close()
            words = f"{host.name} does not say how the script stands: {str(fault).rstrip('.')}."
            return _Seen(host, _unknown(host, words))
        if stands.state in ("running", "ended", "died"):
            return _Seen(host, None, stands.state == "running", record, link, stands)
        if stands.state == "void":
            record.remove()
            link.close()
            part = Part(host.name, State.UNTRIED, acted=False)
            if self._known:
                self.kept.write(Entry(host.name, "void", name, self.job.number))
            return _Seen(host, part)
        link.close()
        return _Seen(host, _unknown(host, words_without_code(host, stands)))


def _complete(looking: _Looking, attempt: AttemptDir, seen: Sequence[_Seen]) -> None:
    """Bring the attempt's log up to date, and adopt what has ended."""
    if not seen or not attempt.exists():
        for one in seen:
            one.part = one.part or _unadopted(one)
        return
    with LogCompleter(attempt, [one.host.name for one in seen], looking.job.secrets) as log:
        for one in sorted(seen, key=lambda one: one.host.name != log.cut_host):
            try:
                _fetch(looking, log, one)
            except (LinkLost, StopAsked, RecordError) as fault:
                words = f"{one.host.name} did not hand over its record: {fault}."
                one.part, one.runs = _unknown(one.host, words), False


def _fetch(looking: _Looking, log: LogCompleter, one: _Seen) -> None:
    assert one.record is not None and one.stands is not None  # noqa: S101, PT018 - it was seen
    if one.runs and one.stands.size > LIVE:
        return
    lines = HostLines(log.of(one.host.name), one.host.name, threading.Lock())
    one.record.fetch(lines.feed)
    if one.runs:
        return
    lines.finish()
    code = one.stands.code
    if code is None:
        one.part = _unknown(one.host, words_without_code(one.host, one.stands))
        state = Entry(one.host.name, "died", one.record.name, looking.job.number)
        log.sync()
        looking.kept.write(state)
    else:
        wanted = code == 0 and looking.job.options.get("outputs")
        data = one.record.outputs() if wanted else None
        one.part = judged(looking.job, one.host.name, code, data)
        log.sync()
        keep(looking.kept, looking.job, one.part, one.record.name)
    if one.record.remove():
        looking.kept.cleared(one.host.name)


def _unadopted(one: _Seen) -> Part | None:
    """Return the part of a script whose attempt's directory is not here to adopt it into."""
    if one.runs:
        return None
    return _unknown(one.host, f"What the script on {one.host.name} wrote cannot be kept here.")


def _part(entry: Entry) -> Part:
    """Return a part as it was kept."""
    if entry.state in ("void", "preparing"):
        state = State.FAILED if entry.words else State.UNTRIED
        return Part(entry.host, state, entry.words, acted=False)
    if entry.state == "died":
        return Part(entry.host, State.UNKNOWN, f"The script on {entry.host} left no exit code.")
    state = State.DONE if entry.state == "done" else State.FAILED
    return Part(entry.host, state, entry.words, entry.code, outputs=entry.outputs)


def _unknown(host: Host, words: str) -> Part:
    return Part(host.name, State.UNKNOWN, words)


def _finding(parts: Sequence[Part], seen: Sequence[_Seen]) -> Finding:
    running = [one.host.name for one in seen if one.runs]
    unknown = [part for part in parts if part.state is State.UNKNOWN]
    finding = Finding(
        Verdict.UNKNOWN,
        "",
        outcome.evidence_of(parts),
        found=tuple(f"{part.host}: exit code 0" for part in parts if part.state is State.DONE),
        missing=tuple(
            part.words or f"{part.host}: not begun"
            for part in parts
            if part.state in (State.FAILED, State.UNTRIED)
        ),
        unclear=tuple(part.words for part in unknown),
        left=tuple(part.host for part in parts if part.state is not State.DONE),
    )
    if running:
        words = f"The script still runs on {', '.join(running)}."
        return replace(finding, verdict=Verdict.RUNNING, summary=words)
    if unknown:
        words = " ".join(part.words for part in unknown[:3])
        return replace(finding, summary=words)
    if not any(part.acted for part in parts):
        words = "The script has not started on any host."
        return replace(finding, verdict=Verdict.ABSENT, summary=words)
    if any(part.state is State.FAILED for part in parts):
        return _failed(parts, finding)
    if finding.missing:
        words = f"The script ran on {len(finding.found)} of {len(parts)} hosts."
        return replace(finding, verdict=Verdict.PARTIAL, summary=words)
    return _done(parts, finding)


def _done(parts: Sequence[Part], finding: Finding) -> Finding:
    ended = outcome.judge(parts)
    where = parts[0].host if len(parts) == 1 else f"all {len(parts)} hosts"
    return replace(
        finding,
        verdict=Verdict.PRESENT,
        summary=f"The script ended with exit code 0 on {where}.",
        outputs=ended.outputs,
        by_host=ended.by_host,
        ended=ended,
    )


def _failed(parts: Sequence[Part], finding: Finding) -> Finding:
    try:
        outcome.judge(parts)
    except ActionFailed as failure:
        return replace(
            finding,
            verdict=Verdict.PARTIAL if finding.found else Verdict.UNKNOWN,
            summary=failure.sentence,
            by_host=failure.by_host,
            ended=failure,
        )
    raise AssertionError("no part failed")
