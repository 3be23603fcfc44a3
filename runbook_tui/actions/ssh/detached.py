"""One host's part of a detached `ssh` step: the script outlives the connection, and us.

It is started once, whatever is lost on the way, and followed until its own record says how it
ended. A connection that drops is made again; only when the host stays silent is the outcome
unknown.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from runbook_tui.actions.api import ActionFailed, Context, Host, Job
from runbook_tui.actions.shared import durations
from runbook_tui.actions.shared.host_lines import HostLines, Stream
from runbook_tui.actions.ssh import part as parts
from runbook_tui.actions.ssh import shell
from runbook_tui.actions.ssh.kept import Entry, Kept
from runbook_tui.actions.ssh.link import Link, LinkLost, StopAsked
from runbook_tui.actions.ssh.part import Part, State, judged
from runbook_tui.actions.ssh.record import Record, RecordError, Stands, name_of

SAY_EVERY: Final = 2.0
"""Seconds between two tellings of a host's newest line."""

TELLABLE: Final = 300
"""Characters of a line that is told; a longer one might be cut inside a secret."""

Tell = Callable[[str, str], None]
"""Says a state and words of this host."""


@dataclass(slots=True)
class Telling:
    """What a host's row says: how the link stands, or the newest line now and then."""

    tell: Tell
    lines: HostLines
    at: float = 0.0

    def link(self, words: str) -> None:
        """Say how the link stands, in the row and in the log."""
        self.lines.log(words)
        self.tell("lost" if words.startswith("link lost") else "running", words)

    def output(self, data: bytes, stream: Stream) -> None:
        """Hand output on, and tell its newest line."""
        self.lines.feed(data, stream)
        now = time.monotonic()
        if now - self.at >= SAY_EVERY and self.lines.last.strip():
            self.at = now
            if len(self.lines.last) <= TELLABLE:
                self.tell("running", self.lines.last)


class Detached:
    """Runs the job's script on one host, or goes on with what an earlier attempt started there."""

    def __init__(
        self,
        job: Job,
        context: Context,
        host: Host,
        lines: HostLines,
        tell: Tell,
        stopping: threading.Event,
    ) -> None:
        self._job = job
        self._context = context
        self._host = host
        self._lines = lines
        self._kept = Kept(job.directory)
        self._telling = Telling(tell, lines)
        self._link = link_to(job, host, stopping, self._telling.link)

    def run(self, earlier: Entry | None) -> Part:
        """Return how it ended. `earlier` is what is known of an attempt before this one."""
        try:
            for note in self._link.open().target.notes:
                self._lines.log(f"note: {note}")
        except ActionFailed as fault:
            words, cause = fault.sentence, fault.cause
            return Part(self._host.name, State.FAILED, words, acted=False, cause=cause)
        record = Record(self._link, name_of(self._job, self._host.name))
        try:
            if earlier is not None and not earlier.settled:
                before = Record(self._link, earlier.record)
                if self._goes_on(before, earlier.tried):
                    record = before
                    return self._follow(before)
            return self._begin(record)
        except StopAsked:
            return self._stop(record)
        except LinkLost as lost:
            return self._lost(lost)
        finally:
            self._lines.finish()
            self._link.close()

    def _goes_on(self, record: Record, tried: int) -> bool:
        """Tell whether an earlier attempt's script is to be awaited instead of run again."""
        try:
            stands = record.look(void=True)
        except RecordError:
            return False
        if stands.state == "running" or (stands.state == "ended" and stands.code == 0):
            self._lines.log(f"the script of try {tried} is here, and is awaited")
            self._keep("begun", record.name)
            return True
        if stands.state in ("ended", "void", "died"):
            record.remove()
        return False

    def _begin(self, record: Record) -> Part:
        name = self._host.name
        self._kept.write(Entry(name, "preparing", record.name, self._job.number), sync=False)
        try:
            record.prepare(self._job)
        except RecordError as fault:
            words = f"{name} has no private place for the script: {fault}."
            return self._settled(Part(name, State.FAILED, words, acted=False), record)
        self._keep("begun", record.name)
        self._context.fault("ssh.guard")
        said = record.start(self._job, self._host)
        self._context.fault("ssh.started")
        if said.startswith("failed") and record.look(void=True).state == "void":
            words = f"The script could not be started on {name}: {said[8:]}."
            record.remove()
            return self._settled(Part(name, State.FAILED, words, acted=False), record)
        return self._follow(record)

    def _follow(self, record: Record) -> Part:
        code = record.tail(self._telling.output)
        while code == shell.ORPHANED:
            code = record.tail(self._telling.output)
        try:
            stands = record.look(void=False)
        except RecordError as fault:
            stands = Stands("refused", words=str(fault))
        if stands.code is None:
            return Part(self._host.name, State.UNKNOWN, words_without_code(self._host, stands))
        return self._adopt(record, stands.code)

    def _adopt(self, record: Record, code: int) -> Part:
        wanted = code == 0 and self._job.options.get("outputs")
        part = judged(self._job, self._host.name, code, record.outputs() if wanted else None)
        self._lines.finish()
        self._context.flush()
        self._context.fault("ssh.ended")
        self._settled(part, record)
        self._context.fault("ssh.adopted")
        if record.remove():
            self._kept.cleared(self._host.name)
        return part

    def _settled(self, part: Part, record: Record) -> Part:
        keep(self._kept, self._job, part, record.name)
        return part

    def _begun(self) -> bool:
        """Whether the script may have started."""
        entry = self._kept.read(self._host.name)
        return entry is not None and entry.state != "preparing"

    def _keep(self, state: str, record: str) -> None:
        self._kept.write(Entry(self._host.name, state, record, self._job.number))

    def _stop(self, record: Record) -> Part:
        """End the script on the host, if it has begun there."""
        name = self._host.name
        if not self._begun():
            return Part(name, State.UNTRIED, acted=False)
        self._telling.tell("running", "stopping")
        if not record.stop(parts.GRACES):
            words = f"The script on {name} could not be stopped for certain; it may still run."
            return Part(name, State.UNKNOWN, words)
        return Part(name, State.UNKNOWN, f"Stopped on {name}.", stopped=True)

    def _lost(self, lost: LinkLost) -> Part:
        name = self._host.name
        if not self._begun():
            return Part(name, State.FAILED, str(lost), acted=False, cause="connection")
        patience = durations.shown(patience_of(self._job))
        words = (
            f"The link to {name} was lost while the script ran there, and did not come back in "
            f"{patience} ({str(lost).rstrip('.')}); it may still run."
        )
        return Part(name, State.UNKNOWN, words, short=f"link lost for {patience}; it may still run")


def link_to(
    job: Job,
    host: Host,
    stopping: threading.Event,
    tell: Callable[[str], None],
    patience: float | None = None,
) -> Link:
    """Return the link to a host, not yet open."""
    timeout = float(job.options.get("connect_timeout") or 15)
    seconds = patience_of(job) if patience is None else patience
    return Link(host, job.ssh_config, timeout, seconds, stopping, tell)


def patience_of(job: Job) -> float:
    """Return for how many seconds a lost link is tried again."""
    return durations.seconds(str(job.options.get("reconnect") or "5m"))


def words_without_code(host: Host, stands: Stands) -> str:
    """Say why nobody knows how a script ended that left no exit code."""
    if stands.state == "none":
        return (
            f"The record of the script on {host.name} is gone, so nobody knows how it ended; it "
            "may still run."
        )
    if stands.state == "refused":
        return f"The record of the script on {host.name} cannot be trusted: {stands.words}."
    if stands.state == "running":
        return f"The script on {host.name} still runs, but cannot be followed."
    return (
        f"The script on {host.name} ended without an exit code (killed, or the host was "
        "restarted), so what it left is not known."
    )


def keep(kept: Kept, job: Job, part: Part, record: str) -> None:
    """Keep how a host's part ended: it never acted, it failed, or it is done."""
    state = part.state.value if part.acted else "void"
    kept.write(
        Entry(part.host, state, record, job.number, part.code, part.words, dict(part.outputs))
    )
