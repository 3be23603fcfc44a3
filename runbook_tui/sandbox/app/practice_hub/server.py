"""The HTTP service: routes, and what stands around every request (time, errors, CSRF)."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Condition
from typing import Any
from urllib.parse import unquote, urlsplit

from . import accounts, documents, health, metrics, sessions
from .database import Database
from .limits import MAX_UPLOAD
from .redis import Redis
from .settings import Settings


class Refused(Exception):  # noqa: N818
    """A request that gets an error for an answer."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status, self.message = status, message


@dataclass(frozen=True, slots=True)
class Request:
    """What a route looks at."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a route returns."""

    status: int
    body: bytes
    kind: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)


def reply(status: int, content: object, **headers: str) -> Answer:
    """Return a JSON answer; `Set_Cookie` becomes the header `Set-Cookie`."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, json.dumps(content).encode(), headers=named)


class Application:
    """Decides what a request gets."""

    def __init__(self, settings: Settings, database: Database, redis: Redis) -> None:
        self.settings, self.database, self.redis = settings, database, redis
        self.sessions = sessions.Sessions(redis, settings.session_secret)

    def answer(self, request: Request) -> Answer:
        """Find the route and call it; raises Refused."""
        routes = {
            ("GET", "/"): self._home,
            ("GET", "/api/health"): self._health,
            ("GET", "/metrics"): self._metrics,
            ("POST", "/api/auth/sign-in"): self._sign_in,
            ("POST", "/api/auth/sign-out"): self._sign_out,
            ("GET", "/api/me"): self._me,
            ("GET", "/api/documents"): self._list,
            ("POST", "/api/documents"): self._upload,
        }
        if (request.method, request.path) in routes:
            return routes[request.method, request.path](request)
        if request.method == "GET" and request.path.startswith("/api/documents/"):
            return self._download(request)
        raise Refused(404, "there is nothing here")

    def _home(self, request: Request) -> Answer:
        page = f"<!doctype html><title>Practice Hub</title><p>Practice Hub {self.settings.version}"
        return Answer(200, page.encode(), "text/html; charset=utf-8")

    def _health(self, request: Request) -> Answer:
        return reply(*health.look(self.database, self.redis, self.settings.version))

    def _metrics(self, request: Request) -> Answer:
        return Answer(200, metrics.page().encode(), "text/plain; version=0.0.4")

    def _sign_in(self, request: Request) -> Answer:
        try:
            given = json.loads(request.body)
            email, password = str(given["email"]), str(given["password"])
        except (ValueError, KeyError, TypeError) as error:
            raise Refused(400, "email and password are needed, as JSON") from error
        user = accounts.sign_in(self.database, email, password)
        if user is None:
            raise Refused(401, "email and password do not fit")
        token = self.sessions.open(user)
        content = {"csrf": self.sessions.csrf(token)}
        return reply(200, content, Set_Cookie=sessions.set_cookie(token))

    def _sign_out(self, request: Request) -> Answer:
        token, _ = self._signed_in(request, changes=True)
        self.sessions.end(token)
        return reply(200, {}, Set_Cookie=sessions.set_cookie("", 0))

    def _me(self, request: Request) -> Answer:
        token, user = self._signed_in(request, changes=False)
        return reply(200, {"user": user, "csrf": self.sessions.csrf(token)})

    def _list(self, request: Request) -> Answer:
        _, user = self._signed_in(request, changes=False)
        return reply(200, {"documents": documents.listed(self.database, user)})

    def _upload(self, request: Request) -> Answer:
        _, user = self._signed_in(request, changes=True)
        if not request.body:
            raise Refused(400, "the document is empty")
        name = unquote(request.headers.get("X-File-Name", "document"))[:200]
        return reply(201, documents.store(self.database, user, name, request.body))

    def _download(self, request: Request) -> Answer:
        _, user = self._signed_in(request, changes=False)
        number = request.path.rpartition("/")[2]
        content = documents.content(self.database, user, int(number)) if number.isdigit() else None
        if content is None:
            raise Refused(404, "there is no such document")
        return Answer(200, content, "application/octet-stream")

    def _signed_in(self, request: Request, *, changes: bool) -> tuple[str, int]:
        token = sessions.token_of(request.headers.get("Cookie"))
        user = self.sessions.user(token) if token else None
        if token is None or user is None:
            raise Refused(401, "sign in first")
        if changes and not self.sessions.csrf_fits(token, request.headers.get("X-CSRF-Token")):
            raise Refused(403, "the CSRF token is missing or wrong")
        return token, user


class Server(ThreadingHTTPServer):
    """Serves until `drain`: then it accepts nothing new and waits for what it has accepted."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], application: Application) -> None:
        self.application = application
        self._busy = 0
        self._idle = Condition()
        super().__init__(address, Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Count a connection in before its thread starts."""
        with self._idle:
            self._busy += 1
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Count a connection out when it is done."""
        super().shutdown_request(request)
        with self._idle:
            self._busy -= 1
            self._idle.notify_all()

    def drain(self, seconds: float) -> bool:
        """Wait until every accepted request is answered; False when time ran out."""
        with self._idle:
            return self._idle.wait_for(lambda: self._busy == 0, seconds)


class Handler(BaseHTTPRequestHandler):
    """Reads a request, has it answered, measures it."""

    server: Server
    timeout = 30

    def do_GET(self) -> None:
        """Answer a GET."""
        self._handle()

    def do_POST(self) -> None:
        """Answer a POST."""
        self._handle()

    def _handle(self) -> None:
        started = time.perf_counter()
        path = urlsplit(self.path).path
        try:
            request = Request(self.command, path, dict(self.headers.items()), self._body())
            answer = self.server.application.answer(request)
        except Refused as refusal:
            answer = reply(refusal.status, {"error": refusal.message})
        except Exception as error:  # noqa: BLE001  (a request must be answered whatever happened)
            metrics.errors.add(type(error).__name__, "error")
            self.log_error("%s: %s", type(error).__name__, error)
            answer = reply(500, {"error": "something went wrong"})
        self._send(answer)
        route = "/api/documents/ID" if path.startswith("/api/documents/") else path
        route = route if answer.status != 404 else "none"
        seconds = time.perf_counter() - started
        metrics.request_seconds.observe(seconds, self.command, route, str(answer.status))

    def _body(self) -> bytes:
        length = int(self.headers.get("Content-Length") or 0)
        if length > MAX_UPLOAD:
            raise Refused(413, f"at most {MAX_UPLOAD} bytes")
        return self.rfile.read(length)

    def _send(self, answer: Answer) -> None:
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.kind)
        self.send_header("Content-Length", str(len(answer.body)))
        for name, value in answer.headers.items():
            self.send_header(name, value)
        try:
            self.end_headers()
            self.wfile.write(answer.body)
        except ConnectionError:
            # Whoever asked has left; that is their right and no error of ours.
            self.close_connection = True

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing of requests that went well: the metrics count them."""
