"""The team's chat: receives announcements over a webhook and keeps them, one JSON line each."""

from __future__ import annotations

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock

import httpx

from runbook_tui.sandbox.services import Service
from runbook_tui.sandbox.site import LOOPBACK, Site

_LARGEST = 65536


def service(site: Site) -> Service:
    """Describe the receiver; it runs this very file with the interpreter that runs us."""

    def ready() -> bool:
        return httpx.get(f"{url(site)}/health", timeout=5, trust_env=False).text == site.token

    return Service(
        name="chat",
        title="The team's chat",
        argv=lambda: [
            *(sys.executable, "-m", "runbook_tui.sandbox.chat"),
            *(str(site.ports["chat"]), str(messages(site)), site.token),
        ],
        ready=ready,
        port="chat",
    )


def url(site: Site) -> str:
    """Return where announcements are sent."""
    return f"http://{LOOPBACK}:{site.ports['chat']}"


def messages(site: Site) -> Path:
    """Return the file that holds what was announced."""
    return site.at("chat.jsonl")


def serve(port: int, kept: Path, token: str) -> None:
    """Receive messages until the process is ended."""
    lock = Lock()

    class Receiver(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._reply(200, token)

        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            if length > _LARGEST:
                self._reply(413, "too long")
                return
            text = self.rfile.read(length).decode("utf-8", "replace")
            with lock, kept.open("a+") as file:
                file.seek(0)
                number = len(file.readlines()) + 1
                file.write(json.dumps({"id": number, "text": text}) + "\n")
            self._reply(200, json.dumps({"ok": True, "id": f"message-{number}"}))

        def _reply(self, status: int, text: str) -> None:
            body = text.encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    ThreadingHTTPServer((LOOPBACK, port), Receiver).serve_forever()


if __name__ == "__main__":
    serve(int(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
