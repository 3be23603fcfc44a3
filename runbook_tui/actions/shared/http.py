"""HTTP as a client that has no patience without end: a time limit and a size limit a request."""

from __future__ import annotations

import re
import ssl
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import httpx

from runbook_tui.actions.api import ActionFailed

LARGEST: Final = 8 * 1024 * 1024
"""Bytes of a body that are read; more ends the request."""

AGENT: Final = "runbook"


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer, read whole. `seconds` is from sending to the last byte; headers are in order."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    seconds: float

    def header(self, name: str) -> str | None:
        """Return a header's value, several joined by a comma; None when there is none."""
        values = [value for key, value in self.headers if key.lower() == name.lower()]
        return ", ".join(values) if values else None

    def cookies(self) -> Sequence[str]:
        """Return the Set-Cookie headers as they came."""
        return [value for key, value in self.headers if key.lower() == "set-cookie"]

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode(errors="replace")


class NoAnswer(Exception):  # noqa: N818 - it reads as what happened
    """No whole answer came; the text says why. `sent`: the request may have arrived."""

    def __init__(self, why: str, *, sent: bool) -> None:
        super().__init__(why)
        self.sent = sent


def client(
    *,
    ca: str | None,
    timeout: float,
    headers: Mapping[str, str] | None = None,
    keep_alive: bool = True,
) -> httpx.Client:
    """Return a client that keeps cookies. ActionFailed when the file of authorities is unusable."""
    try:
        context = ssl.create_default_context(cafile=ca)
    except OSError as fault:
        raise ActionFailed(
            f"The file of certificate authorities {ca} cannot be used: {fault}.", effect="none"
        ) from fault
    own = {"user-agent": AGENT, **(headers or {})}
    limits = httpx.Limits(max_keepalive_connections=None if keep_alive else 0)
    return httpx.Client(
        verify=context, timeout=timeout, headers=own, trust_env=False, limits=limits
    )


def fetch(
    session: httpx.Client, request: httpx.Request, limit: float, *, follow: bool = False
) -> Answer:
    """Send a request and read its answer within `limit` seconds; NoAnswer says why not."""
    began = time.monotonic()
    try:
        response = session.send(request, stream=True, follow_redirects=follow)
        try:
            body = bytearray()
            for chunk in response.iter_bytes():
                body += chunk
                if len(body) > LARGEST:
                    raise NoAnswer(f"the answer is longer than {LARGEST} bytes", sent=True)
                if time.monotonic() - began > limit:
                    raise NoAnswer(f"the answer took longer than {limit:g} s", sent=True)
        finally:
            response.close()
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.UnsupportedProtocol) as fault:
        raise NoAnswer(_why(fault), sent=False) from fault
    except (httpx.HTTPError, httpx.InvalidURL) as fault:
        raise NoAnswer(_why(fault), sent=True) from fault
    headers = tuple(
        (key.decode("latin-1"), value.decode("latin-1")) for key, value in response.headers.raw
    )
    return Answer(response.status_code, headers, bytes(body), time.monotonic() - began)


def _why(fault: Exception) -> str:
    if isinstance(fault, httpx.TimeoutException):
        return "it did not answer in time"
    return re.sub(r"^\[Errno -?\d+\] ", "", str(fault)).rstrip(".") or type(fault).__name__
