"""Runs made of events in memory, for tests that need a state or a journal's records."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from state.codec import EMPTY, Head, chain, head_of
from state.events import Payload, Record, RunStarted
from state.fold import fold
from state.json_value import Json
from state.run_state import RunState

AT = "2026-11-23T11:59:39.000000Z"


def line(id_: str, action: str = "run", group: str | None = None) -> Mapping[str, Json]:
    """Return one line of an outline."""
    return {
        "id": id_,
        "name": f"Do {id_}",
        "phase": "Deployment",
        "refs": ["6.2.1"],
        "action": action,
        "group": group,
    }


def started(*lines: str | Mapping[str, Json], base: str | None = None) -> RunStarted:
    """Return the first event of a run with these steps (ids, or whole lines)."""
    return RunStarted(
        runbook="Deploy",
        file="deploy.yaml",
        environment="sandbox",
        protected=False,
        parameters={"version": "v1.4.0"},
        definition={"deploy.yaml": "0" * 64},
        steps=tuple(line(one) if isinstance(one, str) else one for one in lines),
        locks=("sandbox",),
        cwd="/srv/app",
        program="0.1.0",
        base=base,
    )


def chained(
    payloads: Iterable[Payload], *, run: str = "1123-k7f3", token: int = 1, head: Head = EMPTY
) -> list[Record]:
    """Return the payloads as records that follow `head`."""
    records: list[Record] = []
    for payload in payloads:
        record = chain(head, run, AT, payload, operator="dana", host="bastion", token=token)
        records.append(record)
        head = head_of(record)
    return records


def folded(*payloads: Payload) -> RunState:
    """Return the state that these events add up to."""
    return fold(chained(payloads))
