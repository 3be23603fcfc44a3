"""Posts a message to a webhook, once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import httpx

from runbook_tui.actions.api import ActionFailed, Evidence, Job, Outcome
from runbook_tui.actions.shared import durations, http
from runbook_tui.actions.shared.http import NoAnswer

_PLACE = "{{ text }}"


def send(job: Job, text: str, about_to_send: Callable[[], None]) -> Outcome:
    """Post the message. ActionFailed is unknown when it may have arrived."""
    given = job.options["webhook"]
    options: Mapping[str, Any] = {"url": given} if isinstance(given, str) else given
    limit = durations.seconds(job.options["timeout"])
    ca = str(Path(job.cwd) / options["ca"]) if options.get("ca") else None
    with http.client(ca=ca, timeout=limit, headers=options.get("headers")) as session:
        body = options.get("body")
        filled = _filled({"text": _PLACE} if body is None else body, text)
        try:
            request = session.build_request("POST", options["url"], json=filled)
        except httpx.InvalidURL as fault:
            raise ActionFailed(f"The webhook's URL is wrong: {fault}.", effect="none") from fault
        about_to_send()
        try:
            answer = http.fetch(session, request, limit)
        except NoAnswer as fault:
            raise _lost(fault) from fault
    evidence = Evidence("response", f"status {answer.status}", {"status": answer.status})
    if 200 <= answer.status < 300:
        return Outcome(outputs={"status": str(answer.status)}, evidence=(evidence,))
    said = " ".join(answer.text.split())[:200]
    raise ActionFailed(
        f"The webhook answered with status {answer.status}{f': {said}' if said else ''}.",
        effect="none" if 400 <= answer.status < 500 else "unknown",
        unknown=not 400 <= answer.status < 500,
        evidence=(evidence,),
    )


def _lost(fault: NoAnswer) -> ActionFailed:
    if fault.sent:
        return ActionFailed(
            f"The message was sent, and its answer was lost: {fault}.", unknown=True
        )
    return ActionFailed(
        f"The webhook cannot be reached: {fault}.", effect="none", cause="connection"
    )


def _filled(value: Any, text: str) -> Any:
    if isinstance(value, str):
        return value.replace(_PLACE, text)
    if isinstance(value, Mapping):
        return {key: _filled(item, text) for key, item in value.items()}
    if isinstance(value, list):
        return [_filled(item, text) for item in value]
    return value
