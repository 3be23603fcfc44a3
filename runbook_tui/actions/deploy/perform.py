"""Deploys to hosts one after the other, and tells for each whether it is there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

from runbook_tui.actions.api import (
    ActionFailed,
    Context,
    Effect,
    Evidence,
    Finding,
    Host,
    Job,
    Outcome,
)
from runbook_tui.actions.deploy import first_time, on_host
from runbook_tui.actions.deploy.containers import Container, Standing
from runbook_tui.actions.deploy.first_time import First
from runbook_tui.actions.deploy.on_host import Place
from runbook_tui.actions.shared.by_host import agreed
from runbook_tui.actions.shared.docker_stream import LIBRARY_ERRORS, words
from state.status import Verdict


class Stage(Enum):
    """How far a host is."""

    OLD = "old"
    STARTED = "started"
    SWITCHED = "switched"
    DONE = "done"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Done:
    """What was brought about on one host."""

    line: str
    evidence: Evidence
    outputs: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Seen:
    """What a look at one host found."""

    host: str
    stage: Stage
    line: str
    outputs: Mapping[str, str] = field(default_factory=dict)
    evidence: tuple[Evidence, ...] = ()
    done: str | None = None
    lacks: str | None = None
    """Of a host that is half there: what is so, and what is not yet."""


def perform(job: Job, context: Context) -> Outcome:
    """Bring every host to the wanted image, in order; stops at the first that fails."""
    if not job.hosts:
        raise ActionFailed("The step names no host to deploy to.", effect="none")
    for host in job.hosts:
        context.host_progress(host.name, "waiting")
    by_host: dict[str, Mapping[str, str]] = {}
    evidence: list[Evidence] = []
    for host in job.hosts:
        context.check_stop()
        context.host_progress(host.name, "running")
        try:
            with on_host.reached(job, host) as place:
                done = _done(place, context)
                by_host[host.name] = done.outputs
                evidence.append(done.evidence)
        except ActionFailed as fault:
            state = "unknown" if fault.unknown else "failed"
            context.host_progress(host.name, state, fault.sentence)
            raise _with_hosts(job, host, fault, by_host, evidence) from fault
        context.host_progress(host.name, "done", done.line)
    return Outcome(outputs=agreed(by_host), by_host=by_host, evidence=tuple(evidence))


def probe(job: Job, context: Context) -> Finding:
    """Look at every host: the running digest, its health, where requests go, what is left over."""
    seen = [_look(job, host) for host in job.hosts]
    stages = {one.stage for one in seen}
    evidence = tuple(item for one in seen for item in one.evidence)
    by_host = {one.host: one.outputs for one in seen if one.outputs}
    summary = "; ".join(one.line for one in seen)
    there = tuple(one.done or one.line for one in seen if one.stage in (Stage.DONE, Stage.SWITCHED))
    missing = tuple(
        one.lacks or one.line for one in seen if one.stage not in (Stage.DONE, Stage.UNKNOWN)
    )
    left = tuple(one.host for one in seen if one.stage not in (Stage.DONE, Stage.UNKNOWN))
    if Stage.UNKNOWN in stages or not seen:
        unclear = tuple(one.line for one in seen if one.stage is Stage.UNKNOWN)
        said = summary or "The step names no host."
        return Finding(Verdict.UNKNOWN, said, evidence, there, missing, unclear, left)
    if stages == {Stage.DONE}:
        return Finding(Verdict.PRESENT, summary, evidence, outputs=agreed(by_host), by_host=by_host)
    if not there:
        return Finding(Verdict.ABSENT, summary, missing=missing, left=left)
    return Finding(Verdict.PARTIAL, summary, evidence, found=there, missing=missing, left=left)


def _done(place: Place, context: Context) -> Done:
    try:
        stands = first_time.told(place)
        if isinstance(stands, First):
            removed = first_time.remove(place, context, stands)
            return Done("removed" if stands.ours else "nothing to remove", removed)
        found = on_host.deploy(stands, context)
        return Done(found.name, _evidence(stands, found), on_host.outputs(stands, found))
    except LIBRARY_ERRORS as fault:
        raise ActionFailed(
            f"The Docker engine of {place.target.host} failed or went away: {words(fault)}.",
            cause="connection",
            unknown=True,
        ) from fault


def _with_hosts(
    job: Job,
    host: Host,
    fault: ActionFailed,
    by_host: Mapping[str, Mapping[str, str]],
    evidence: Sequence[Evidence],
) -> ActionFailed:
    """Say of a failure at one host what is true of the others."""
    names = [other.name for other in job.hosts]
    rest = names[names.index(host.name) + 1 :]
    sentence = fault.sentence
    if by_host:
        first = job.options["docker"].get("image")
        there = "already has the new image" if first else "is done"
        sentence += f" {_list(list(by_host))} {there}."
    if rest:
        sentence += f" {_list(rest)} was not touched."
    effect: Effect = "partial" if by_host and fault.effect == "none" else fault.effect
    return ActionFailed(
        sentence,
        effect=effect,
        cause=fault.cause,
        unknown=fault.unknown,
        evidence=evidence,
        by_host=by_host,
        detail={"host": host.name, "done": list(by_host), "untouched": rest},
    )


def _list(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"Each of {', '.join(names)}"


def _look(job: Job, host: Host) -> Seen:
    try:
        with on_host.reached(job, host) as place:
            stands = first_time.told(place)
            if isinstance(stands, First):
                return _seen_first(stands)
            return _seen(stands, stands.look())
    except ActionFailed as fault:
        return Seen(host.name, Stage.UNKNOWN, fault.sentence)
    except LIBRARY_ERRORS as fault:
        return Seen(host.name, Stage.UNKNOWN, f"{host.name}: {words(fault)}")


def _seen_first(first: First) -> Seen:
    if first.ours:
        return Seen(first.host, Stage.OLD, first.line)
    return Seen(first.host, Stage.DONE, first.line, evidence=(first_time.evidence(first),))


def _seen(place: Place, standing: Standing) -> Seen:
    name = place.target.host
    chosen = standing.chosen
    if chosen is None:
        serving = standing.live.told() if standing.live else "nothing of this service"
        return Seen(name, Stage.OLD, f"{name}: {serving}")
    if not standing.switched:
        return Seen(name, Stage.STARTED, f"{name}: {chosen.told()}, started but not in service")
    serves = f"{chosen.told()}, in service"
    left = ", ".join(one.name for one in standing.others)
    why = place.fault_of(chosen)
    if why or left:
        lacks = why or f"{left} still there"
        line = f"{name}: {serves}, but {lacks}"
        return Seen(name, Stage.SWITCHED, line, done=f"{name}: {serves}", lacks=f"{name}: {lacks}")
    return Seen(
        name,
        Stage.DONE,
        f"{name}: {serves}",
        on_host.outputs(place, chosen),
        (_evidence(place, chosen),),
    )


def _evidence(place: Place, found: Container) -> Evidence:
    return Evidence(
        "container",
        f"{place.target.host} runs {found.told()}",
        {
            "host": place.target.host,
            "container": found.name,
            "image": found.image,
            "image_id": found.image_id,
            "digest": place.target.digest,
            "health": found.health,
            "port": found.port,
            "previous": found.previous,
        },
    )
