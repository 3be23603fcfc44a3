"""Runs a script on hosts, detached unless told otherwise, and finds out how it ended there."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from runbook_tui.actions.api import ActionFailed, Context, Finding, Host, Job, Outcome
from runbook_tui.actions.shared.host_lines import HostLines
from runbook_tui.actions.ssh import attached, kept, outcome, probing
from runbook_tui.actions.ssh.detached import TELLABLE, Detached, Tell
from runbook_tui.actions.ssh.kept import Entry, Kept
from runbook_tui.actions.ssh.part import Part, State
from runbook_tui.actions.ssh.rolling import Rolling, size_of


def perform(job: Job, context: Context) -> Outcome:
    """Run the script on every host of the job; fails when it does not end well on one of them."""
    if not job.hosts:
        raise ActionFailed("The step names no host to run the script on.", effect="none")
    stopping = threading.Event()
    context.on_stop(stopping.set)
    earlier = {} if job.options.get("attached") else _earlier(job)
    done = {host: _done(entry) for host, entry in earlier.items() if entry.state == "done"}
    runner = _Runner(job, context, stopping, earlier)
    for host in job.hosts:
        part = done.get(host.name)
        runner.tell(host.name, part.state.value if part else "waiting", part.words if part else "")
    open_hosts = [host for host in job.hosts if host.name not in done]
    parallel = job.options.get("parallel") is True
    batch = size_of(job.options.get("batch"), len(job.hosts), parallel=parallel)
    rolling = Rolling(batch, _most(job, parallel=parallel), runner.begins)
    found = {part.host: part for part in rolling.run(open_hosts, runner.one)}
    parts = [done.get(host.name) or found[host.name] for host in job.hosts]
    if any(part.stopped for part in parts) or stopping.is_set():
        _stopped(context, parts)
    return outcome.judge(parts)


def probe(job: Job, context: Context) -> Finding:
    """Read what the script left of itself on each host; takes over what its worker had not."""
    return probing.probe(job, context)


def _most(job: Job, *, parallel: bool) -> int | None:
    """Return how many hosts may fail before no further one is begun; None: all are tried."""
    most = job.options.get("max_failures")
    if most is None:
        return None if parallel else 0
    return int(most)


def _earlier(job: Job) -> dict[str, Entry]:
    """Return what earlier tries did, and keep what of it still counts in this one.

    When they did all of it, something else was wrong with the step, and all of it is run again.
    """
    mine = Kept(job.directory)
    found = kept.before(job.previous, [host.name for host in job.hosts])
    if all(host.name in found and found[host.name].state == "done" for host in job.hosts):
        found = {}
    mine.begin(anew=not found)
    for entry in found.values():
        if entry.state == "done":
            mine.write(entry)
    return found


def _done(entry: Entry) -> Part:
    words = f"done in try {entry.tried}"
    return Part(entry.host, State.DONE, words, entry.code, tried=entry.tried, outputs=entry.outputs)


def _in_short(part: Part, last: str) -> str:
    """Return what a host's row says of its end: a failed script's code and newest line."""
    if part.short:
        return part.short
    if part.state is not State.FAILED or not part.code:
        return part.words
    return f"exit {part.code} {last if len(last) <= TELLABLE else ''}".strip()


class _Runner:
    """Runs the script on one host after another, from several threads."""

    def __init__(
        self,
        job: Job,
        context: Context,
        stopping: threading.Event,
        earlier: dict[str, Entry],
    ) -> None:
        self._job = job
        self._context = context
        self._stopping = stopping
        self._earlier = earlier
        self._lock = threading.Lock()

    def begins(self, number: int, count: int) -> None:
        """Say which batch begins."""
        if count > 1:
            self._context.progress(f"batch {number}/{count}", (number - 1) / count)

    def one(self, host: Host) -> Part:
        """Run the script on a host."""
        if self._stopping.is_set():
            return Part(host.name, State.UNTRIED, acted=False)
        lines = HostLines(self._context, host.name, self._lock)
        tell = self._teller(host.name)
        tell("running", "connecting")
        if self._job.options.get("attached"):
            part = attached.run(self._job, host, lines, self._stopping.is_set)
        else:
            act = Detached(self._job, self._context, host, lines, tell, self._stopping)
            part = act.run(self._earlier.get(host.name))
        tell(part.state.value, _in_short(part, lines.last))
        return part

    def _teller(self, host: str) -> Tell:
        return lambda state, words: self.tell(host, state, words)

    def tell(self, host: str, state: str, words: str) -> None:
        """Say how a host stands."""
        with self._lock:
            self._context.host_progress(host, state, words)


def _stopped(context: Context, parts: Sequence[Part]) -> None:
    """End a step that was asked to stop: as stopped, unless something may still run."""
    unsure = [part for part in parts if part.state is State.UNKNOWN and not part.stopped]
    if unsure:
        raise ActionFailed(unsure[0].words, unknown=True, detail=outcome.detail_of(parts))
    context.check_stop()
