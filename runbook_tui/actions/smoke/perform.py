"""Asks a web service, request after request, and stops at the first answer that is not as expected.

Bodies and captured values are not logged: a captured value may be a token.
"""

from __future__ import annotations

import mimetypes
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import httpx

from runbook_tui.actions.api import ActionFailed, Context, Evidence, Finding, Job, Outcome
from runbook_tui.actions.shared import durations, http
from runbook_tui.actions.shared.http import Answer, NoAnswer
from runbook_tui.actions.smoke import captures, expectation
from state.json_value import Json
from state.status import Verdict

EXCERPT = 400
"""Most characters of an unexpected body in the log."""


def perform(job: Job, context: Context) -> Outcome:
    """Run the scenario; ActionFailed holds the status of the answer that was not as expected."""
    options = job.options
    timeout = durations.seconds(options["timeout"])
    captured: dict[str, str] = {}
    evidence: list[Evidence] = []
    ca = str(Path(job.cwd) / options["ca"]) if options["ca"] else None
    with http.client(ca=ca, timeout=timeout, headers=options["headers"]) as session:
        for number, request in enumerate(_requests(options), 1):
            context.check_stop()
            name = request["name"] or f"{request['method']} {request['url']}"
            answer = _ask(job, session, request, captured, f"Request {number} ({name})", evidence)
            fault = _take(answer, request, captured)
            evidence.append(_evidence(name, answer, fault))
            line = f"{name}  {answer.status}  {round(answer.seconds * 1000)} ms"
            context.log(f"{line}  {captures.mask(fault, captured) if fault else 'as expected'}")
            if fault is not None:
                _show(context, answer, captured)
                raise ActionFailed(
                    f"Request {number} ({name}): {captures.mask(fault, captured)}.",
                    effect="none",
                    cause="expectation",
                    evidence=evidence,
                    detail={"status": answer.status, "request": number},
                )
    given = {name: captured[name] for name in options["outputs"]}
    return Outcome(outputs={"requests": str(len(evidence)), **given}, evidence=tuple(evidence))


def probe(job: Job, context: Context) -> Finding:
    """A scenario changes nothing that counts: it can be run again."""
    return Finding(Verdict.ABSENT, "The scenario only looks: it can be run again.")


def _requests(options: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the requests with whole URLs; the single one of `url` and `expect` too."""
    base = options["url"]
    if not options["requests"]:
        return [{**SINGLE, "url": base, "expect": options["expect"] or PLAIN}]
    return [{**each, "url": _joined(base, each["url"])} for each in options["requests"]]


PLAIN: Mapping[str, Any] = {
    "status": 200,
    "json": {},
    "headers": {},
    "text": [],
    "without": [],
    "cookies": {},
    "under": None,
}
"""What is expected when nothing is said: status 200."""

SINGLE: Mapping[str, Any] = {
    "name": None,
    "method": "GET",
    "headers": {},
    "json": None,
    "form": None,
    "files": None,
    "body": None,
    "capture": {},
}
"""The request of a step that gives no more than a `url`."""


def _joined(base: str | None, url: str) -> str:
    if base is None or not url.startswith("/"):
        return url if base is None else urljoin(base, url)
    return base.rstrip("/") + url


def _ask(
    job: Job,
    session: httpx.Client,
    request: Mapping[str, Any],
    captured: Mapping[str, str],
    what: str,
    evidence: list[Evidence],
) -> Answer:
    limit = durations.seconds(job.options["timeout"])
    try:
        built = _built(job, session, request, captured)
        return http.fetch(session, built, limit, follow=job.options["follow"])
    except NoAnswer as fault:
        raise ActionFailed(
            f"{what}: {captures.mask(str(fault), captured)}.",
            effect="none",
            cause="connection",
            evidence=evidence,
        ) from fault


def _built(
    job: Job, session: httpx.Client, request: Mapping[str, Any], captured: Mapping[str, str]
) -> httpx.Request:
    filled = captures.fill(
        {key: request[key] for key in ("url", "headers", "json", "form", "body")}, captured
    )
    body: dict[str, Any] = {}
    if filled["json"] is not None:
        body["json"] = filled["json"]
    if filled["form"] is not None:
        body["data"] = filled["form"]
    if request["files"]:
        body["files"] = [_upload(job, *each) for each in request["files"].items()]
    if filled["body"] is not None:
        body["content"] = filled["body"].encode()
    try:
        return session.build_request(
            request["method"], filled["url"], headers=filled["headers"], **body
        )
    except httpx.InvalidURL as fault:
        raise NoAnswer(f"the URL is not valid: {fault}", sent=False) from fault


def _upload(job: Job, field: str, name: str) -> tuple[str, tuple[str, bytes, str]]:
    path = Path(job.cwd) / name
    try:
        content = path.read_bytes()
    except OSError as fault:
        raise ActionFailed(
            f"The file {name} to upload cannot be read: {fault.strerror}.", effect="none"
        ) from fault
    kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    return field, (path.name, content, kind)


def _take(answer: Answer, request: Mapping[str, Any], captured: dict[str, str]) -> str | None:
    """Return in what the answer is not as expected; put what is to be captured into `captured`."""
    fault = expectation.first_fault(answer, captures.fill(request["expect"], captured))
    if fault is not None:
        return fault
    try:
        captured |= captures.take(answer, request["capture"])
    except captures.NotFound as missing:
        return str(missing)
    return None


def _evidence(name: str, answer: Answer, fault: str | None) -> Evidence:
    took = round(answer.seconds * 1000)
    data: dict[str, Json] = {
        "request": name,
        "status": answer.status,
        "milliseconds": took,
        "met": fault is None,
    }
    return Evidence("response", f"{name}: {answer.status} in {took} ms", data)


def _show(context: Context, answer: Answer, captured: Mapping[str, str]) -> None:
    excerpt = captures.mask(answer.text, captured)[:EXCERPT].strip()
    if excerpt:
        context.log("\n".join(f"  {line}" for line in excerpt.splitlines()))
