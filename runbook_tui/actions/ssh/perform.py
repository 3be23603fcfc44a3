"""Runs a script on hosts, attached: a lost connection means that nobody knows how it ended."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from runbook_tui.actions.api import ActionFailed, Context, Effect, Evidence, Finding, Host, Job
from runbook_tui.actions.api import Outcome as Done
from runbook_tui.actions.shared.by_host import agreed
from runbook_tui.actions.shared.host_lines import HostLines
from runbook_tui.actions.ssh import on_host
from runbook_tui.actions.ssh.on_host import Part, State
from state.status import Verdict

AT_ONCE: Final = 32
"""Hosts that a parallel step talks to at the same time."""


def perform(job: Job, context: Context) -> Done:
    """Run the script on every host of the job; fails when it does not end well on one of them."""
    if not job.hosts:
        raise ActionFailed("The step names no host to run the script on.", effect="none")
    stopping = threading.Event()
    context.on_stop(stopping.set)
    lock = threading.Lock()

    def one(host: Host) -> Part:
        if stopping.is_set():
            return Part(host.name, State.UNTRIED, acted=False)
        lines = HostLines(context, host.name, lock)
        _tell(context, lock, host.name, "running")
        part = on_host.run(job, host, lines, stopping.is_set)
        _tell(context, lock, host.name, part.state.value, part.words)
        return part

    for host in job.hosts:
        context.host_progress(host.name, "waiting")
    parts = _parallel(job.hosts, one) if job.options.get("parallel") else _serial(job.hosts, one)
    if any(part.stopped for part in parts) or stopping.is_set():
        _stopped(context, parts)
    return _judge(parts)


def probe(job: Job, context: Context) -> Finding:
    """Only the author's `verify` can tell what a script did."""
    return Finding(Verdict.UNKNOWN, "A script leaves no mark of its own to look for.")


def _tell(context: Context, lock: threading.Lock, host: str, state: str, text: str = "") -> None:
    with lock:
        context.host_progress(host, state, text)


def _parallel(hosts: Sequence[Host], one: Callable[[Host], Part]) -> list[Part]:
    with ThreadPoolExecutor(min(len(hosts), AT_ONCE)) as pool:
        return list(pool.map(one, hosts))


def _serial(hosts: Sequence[Host], one: Callable[[Host], Part]) -> list[Part]:
    parts: list[Part] = []
    for number, host in enumerate(hosts, 1):
        parts.append(one(host))
        if parts[-1].state is not State.DONE:
            parts += [Part(rest.name, State.UNTRIED, acted=False) for rest in hosts[number:]]
            break
    return parts


def _stopped(context: Context, parts: Sequence[Part]) -> None:
    """End a step that was asked to stop: as stopped, unless something may still run."""
    unsure = [part for part in parts if part.state is State.UNKNOWN and not part.stopped]
    if unsure:
        raise ActionFailed(unsure[0].words, unknown=True, detail=_detail(parts))
    context.check_stop()


def _judge(parts: Sequence[Part]) -> Done:
    by_host = {part.host: part.outputs for part in parts if part.state is State.DONE}
    evidence = tuple(_evidence(part) for part in parts if part.state is not State.UNTRIED)
    bad = [part for part in parts if part.state in (State.FAILED, State.UNKNOWN)]
    if not bad:
        return Done(outputs=agreed(by_host), by_host=by_host, evidence=evidence)
    acted = any(part.acted for part in parts)
    effect: Effect = "unknown" if any(part.acted for part in bad) else "partial"
    raise ActionFailed(
        _sentence(parts, bad),
        effect=effect if acted else "none",
        cause=bad[0].cause if len(bad) == 1 and not acted else None,
        exit_code=_common_code(parts),
        unknown=any(part.state is State.UNKNOWN for part in bad),
        evidence=evidence,
        by_host=by_host,
        detail=_detail(parts),
    )


def _common_code(parts: Sequence[Part]) -> int | None:
    """Return the exit code when every host gave the same; a mixture has no one meaning."""
    codes = {part.code for part in parts}
    return codes.pop() if len(codes) == 1 else None


def _sentence(parts: Sequence[Part], bad: Sequence[Part]) -> str:
    words = " ".join(part.words for part in bad[:3])
    if len(bad) > 3:
        words += f" And {len(bad) - 3} more hosts did not end well."
    done = [part.host for part in parts if part.state is State.DONE]
    untried = [part.host for part in parts if part.state is State.UNTRIED]
    if done:
        words += f" It ended well on {', '.join(done)}."
    return f"{words} It was not tried on {', '.join(untried)}." if untried else words


def _evidence(part: Part) -> Evidence:
    ended = f"exit code {part.code}" if part.code is not None else part.words
    return Evidence("exit", f"{part.host}: {ended}", {"host": part.host, "code": part.code})


def _detail(parts: Sequence[Part]) -> dict[str, dict[str, dict[str, int | str | None]]]:
    return {"hosts": {part.host: {"state": part.state.value, "code": part.code} for part in parts}}
