"""Waits until a container is healthy, or says why it never will be."""

from __future__ import annotations

import time
from typing import Final

import httpx
from docker import APIClient

from runbook_tui.actions.api import ActionFailed, Context
from runbook_tui.actions.deploy.containers import Container, look
from runbook_tui.actions.deploy.wanted import Wanted

EVERY: Final = 0.2
ANSWER: Final = 10.0
"""Seconds that one HTTP answer may take."""
LAST_LINES: Final = 50


class Unhealthy(ActionFailed):
    """The container did not become healthy; nothing was switched to it."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence, effect="none", cause="unhealthy")


def wait(client: APIClient, container: Container, target: Wanted, context: Context) -> Container:
    """Return the container once it is healthy. Raises Unhealthy with its last words logged."""
    within = target.seconds("health", "within", default="60s")
    deadline = time.monotonic() + within
    told = ""
    while True:
        found = look(client, container.id)
        why = _verdict(found, target)
        if found is not None and why is None:
            context.log(f"{target.host}: {found.name} is healthy")
            return found
        hopeless = found is None or not found.running or found.health == "unhealthy"
        if hopeless or time.monotonic() > deadline:
            _log_last_words(client, container, target, context)
            late = "" if hopeless else f" within {within:g} s"
            raise Unhealthy(f"{container.name} on {target.host} is not healthy{late}: {why}.")
        text = f"{target.host}: waiting for {container.name} to be healthy, {why}"
        if text != told:
            context.progress(text)
            told = text
        context.wait(EVERY)


def url(target: Wanted, port: int) -> str | None:
    """Return the address that must answer, if there is one."""
    given = (target.options.get("health") or {}).get("url")
    return target.fill(str(given), port) if given else None


def now(container: Container, target: Wanted) -> str | None:
    """Return why a container is not healthy now, or None when it is."""
    return _verdict(container, target)


def _verdict(container: Container | None, target: Wanted) -> str | None:
    if container is None:
        return "it is gone"
    if not container.running:
        return f"it ended with exit code {container.exit_code}"
    address = url(target, container.port)
    if container.health is None and address is None:
        return "nothing tells, for the image has no HEALTHCHECK and the step no health.url"
    if container.health not in (None, "healthy"):
        return f"its health check says {container.health}"
    return _ask(address, target) if address else None


def _ask(address: str, target: Wanted) -> str | None:
    expected = int((target.options.get("health") or {}).get("status") or 200)
    try:
        status = httpx.get(address, timeout=ANSWER, trust_env=False).status_code
    except (httpx.HTTPError, httpx.InvalidURL) as fault:
        return f"{address} does not answer ({fault or type(fault).__name__})"
    return None if status == expected else f"{address} answers {status} and not {expected}"


def _log_last_words(
    client: APIClient, container: Container, target: Wanted, context: Context
) -> None:
    if look(client, container.id) is None:
        return
    said = client.logs(container.id, tail=LAST_LINES)
    context.log(f"{target.host}: the last words of {container.name}:")
    context.write(said if said.endswith(b"\n") else said + b"\n")
