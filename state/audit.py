"""Is a run's journal what was written? Finds an edit, a gap, a swap, a cut tail, in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from state.codec import EMPTY, Head, head_of, record_hash
from state.errors import FoldError, NewerRecord
from state.events import Record
from state.fold import fold


@dataclass(frozen=True, slots=True)
class Fault:
    """Something wrong at (or, for gaps, before) the record `seq`; `text` is a sentence."""

    seq: int
    text: str


def audit(records: Sequence[Record], head: Head | None, run: str | None = None) -> list[Fault]:
    """Return what is wrong with a run's records, in order; nothing when they are intact.

    `head` is the journal's own count and hash; None when it has no head for the run.
    """
    return chain_faults(records, head, run) or _rule_faults(records)


def chain_faults(
    records: Sequence[Record], head: Head | None, run: str | None = None
) -> list[Fault]:
    """Return what is not as it was written, without a look at whether it makes sense."""
    faults: list[Fault] = []
    before = EMPTY
    for record in records:
        faults += _faults_of(record, before, run or records[0].run)
        before = head_of(record)
    return faults + _tail_faults(before, head)


def _faults_of(record: Record, before: Head, run: str) -> list[Fault]:
    faults: list[Fault] = []
    seq = record.seq
    if record.run != run:
        faults.append(Fault(seq, f"Event {seq} belongs to the run {record.run}, not to {run}."))
    if seq > before.count + 1:
        gap = (
            f"Event {seq - 1} is missing."
            if seq == before.count + 2
            else f"Events {before.count + 1} to {seq - 1} are missing."
        )
        faults.append(Fault(seq, gap))
    elif seq <= before.count:
        faults.append(Fault(seq, f"Event {seq} stands after event {before.count}."))
    elif record.prev != before.hash:
        faults.append(
            Fault(seq, f"Event {seq} does not follow event {before.count}: its link is another.")
        )
    if record.hash != record_hash(record):
        faults.append(Fault(seq, f"Event {seq} ({record.kind}) is not as it was written."))
    return faults


def _tail_faults(last: Head, head: Head | None) -> list[Fault]:
    if head is None:
        return [] if last == EMPTY else [Fault(last.count, "The journal has no head for this run.")]
    if last.count < head.count:
        cut = head.count - last.count
        return [Fault(head.count, f"The last {cut} of {head.count} events are missing.")]
    if last.count > head.count:
        return [Fault(last.count, f"The head counts {head.count} events, there are {last.count}.")]
    if last.hash != head.hash:
        return [Fault(last.count, f"Event {last.count} is not the one that the head vouches for.")]
    return []


def _rule_faults(records: Sequence[Record]) -> list[Fault]:
    """Whole and genuine records may still contradict each other: then a program was wrong."""
    if not records:
        return []
    try:
        fold(records)
    except NewerRecord as problem:
        return [Fault(records[-1].seq, f"This program cannot read all of it: {problem}.")]
    except FoldError as problem:
        return [Fault(records[-1].seq, f"The events contradict each other: {problem}.")]
    return []
