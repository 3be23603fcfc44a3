"""Copies files to hosts one after the other; each host's own SHA-256 is the proof."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from runbook_tui.actions.api import ActionFailed, Context, Evidence, Finding, Host, Job, Outcome
from runbook_tui.actions.copy import on_host
from runbook_tui.actions.copy.on_host import Rights, Source, There
from runbook_tui.actions.shared.by_host import agreed
from state.status import Verdict


def perform(job: Job, context: Context) -> Outcome:
    """Put every file on every host; what is there already with the same contents is left alone."""
    if not job.hosts:
        raise ActionFailed("The step names no host to copy to.", effect="none")
    sources, rights = _sources(job), _rights(job)
    for host in job.hosts:
        context.host_progress(host.name, "waiting")
    done: list[str] = []
    evidence: list[Evidence] = []
    for host in job.hosts:
        context.check_stop()
        context.host_progress(host.name, "running")
        try:
            _to_host(job, context, host, sources, rights)
        except ActionFailed as fault:
            context.host_progress(host.name, "failed", fault.sentence)
            raise _with_done(fault, done, evidence) from fault
        done.append(host.name)
        evidence += [_evidence(host, source) for source in sources]
        context.host_progress(host.name, "done")
    by_host = {name: _outputs(sources) for name in done}
    return Outcome(outputs=agreed(by_host), by_host=by_host, evidence=tuple(evidence))


def probe(job: Job, context: Context) -> Finding:
    """Compare every file on every host; a host that does not answer hides nothing of the others."""
    try:
        sources, rights = _sources(job), _rights(job)
    except ActionFailed as fault:
        return Finding(Verdict.UNKNOWN, fault.sentence)
    seen: dict[Host, list[There]] = {}
    unclear: list[str] = []
    for host in job.hosts:
        try:
            seen[host] = _look(job, host, sources, rights)
        except ActionFailed as fault:
            unclear.append(fault.sentence)
    looks = [there for found in seen.values() for there in found]
    fitting = tuple(there.line for there in looks if there.fits)
    missing = tuple(there.line for there in looks if not there.fits)
    left = tuple(host.name for host, found in seen.items() if not all(one.fits for one in found))
    if unclear or not looks:
        said = "; ".join(unclear) or "The step names no host."
        return Finding(Verdict.UNKNOWN, said, (), fitting, missing, tuple(unclear), left)
    if missing:
        verdict = Verdict.PARTIAL if fitting else Verdict.ABSENT
        return Finding(verdict, "; ".join(missing), found=fitting, missing=missing, left=left)
    by_host = {host.name: _outputs(sources) for host in seen}
    return Finding(
        Verdict.PRESENT,
        "; ".join(fitting),
        evidence=tuple(_evidence(host, source) for host in seen for source in sources),
        outputs=agreed(by_host),
        by_host=by_host,
    )


def _to_host(
    job: Job, context: Context, host: Host, sources: Sequence[Source], rights: Rights
) -> None:
    with on_host.reached(job, host) as connection:
        for note in connection.target.notes:
            context.log(f"note: {note}")
        for source in sources:
            if on_host.look(connection, source, rights).fits:
                context.log(f"{host.name}: {source.to} is there already")
                continue
            on_host.send(connection, source, rights, job, context)
            context.fault("copy.placed")
            there = on_host.look(connection, source, rights)
            if not there.fits:
                raise ActionFailed(f"After the copy it is not right: {there.line}.")
            context.log(f"{there.line}, {source.size} bytes")


def _look(job: Job, host: Host, sources: Sequence[Source], rights: Rights) -> list[There]:
    with on_host.reached(job, host) as connection:
        return [on_host.look(connection, source, rights) for source in sources]


def _sources(job: Job) -> list[Source]:
    """Return the files with their goals; raises ActionFailed for one that is not there."""
    given = job.options["from"]
    paths = [Path(job.cwd, name) for name in ([given] if isinstance(given, str) else given)]
    to = str(job.options["to"])
    if not to.endswith("/") and len(paths) > 1:
        raise ActionFailed(
            f"{len(paths)} files cannot all become {to}; end it with / if it is a folder.",
            effect="none",
        )
    sources = []
    for path in paths:
        if not path.is_file():
            raise ActionFailed(f"There is no file {path} to copy.", effect="none")
        goal = f"{to}{path.name}" if to.endswith("/") else to
        sources.append(Source(path, goal, on_host.digest(path), path.stat().st_size))
    return sources


def _rights(job: Job) -> Rights:
    mode = str(job.options.get("mode") or "0644").removeprefix("0o")
    return Rights(mode.zfill(4), str(job.options.get("owner") or ""))


def _with_done(
    fault: ActionFailed, done: Sequence[str], evidence: Sequence[Evidence]
) -> ActionFailed:
    words = f" {', '.join(done)} got everything." if done else ""
    return ActionFailed(
        f"{fault.sentence}{words}",
        effect="partial" if done and fault.effect == "none" else fault.effect,
        cause=fault.cause,
        unknown=fault.unknown,
        evidence=evidence,
        detail={"done": list(done)},
    )


def _outputs(sources: Sequence[Source]) -> dict[str, str]:
    return {
        "path": "\n".join(source.to for source in sources),
        "sha256": "\n".join(source.sha256 for source in sources),
    }


def _evidence(host: Host, source: Source) -> Evidence:
    return Evidence(
        "file",
        f"{host.name} has {source.to} with SHA-256 {source.sha256[:12]}",
        {"host": host.name, "path": source.to, "sha256": source.sha256, "size": source.size},
    )
