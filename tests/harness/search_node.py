#!/usr/bin/env python3
"""A small cluster for tests: `systemctl` and an HTTP server a node, its state in one folder.

Called as `search_node.py start|stop|is-active UNIT` on a host (told by the address that ssh came
to), or as `search_node.py serve ADDRESS` by itself. It stands for nothing but itself: it answers
five paths, is green when every node runs and shards may move, and writes down what happened.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

KEY = "cluster.routing.allocation.enable"
HOME = Path(__file__).resolve().parent
"""A copy of this file lies in the folder of the cluster."""


def note(words: str) -> None:
    with (HOME / "events").open("a") as events:
        events.write(f"{words}\n")


def names() -> dict[str, str]:
    """Return the names of the nodes by address."""
    found: dict[str, str] = json.loads((HOME / "nodes.json").read_text())
    return found


def running() -> list[str]:
    return sorted(names()[path.stem] for path in HOME.glob("*.pid"))


def held() -> bool:
    return (HOME / "held").exists()


class Node(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path.startswith("/_cluster/health"):
            green = len(running()) == len(names()) and not held()
            self._say(json.dumps({"status": "green" if green else "yellow"}).replace(" ", ""))
        elif self.path.startswith("/_cat/nodes"):
            self._say("".join(f"{name}\n" for name in running()))
        else:
            settings = {KEY: "primaries"} if held() else {}
            self._say(json.dumps({"persistent": settings}).replace(" ", ""))

    def do_PUT(self) -> None:
        given = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        value = given["persistent"][KEY]
        (HOME / "held").touch() if value else (HOME / "held").unlink(missing_ok=True)
        note(f"allocation {value}")
        self._say('{"acknowledged":true}')

    def _say(self, text: str) -> None:
        body = text.encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing: what matters is in the events."""


def serve(address: str) -> None:
    port = int((HOME / "port").read_text())
    with HTTPServer((address, port), Node) as server:
        server.serve_forever()


def start(address: str) -> None:
    process = subprocess.Popen(
        [sys.executable, str(HOME / "node.py"), "serve", address],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    deadline = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < deadline:
        try:
            socket.create_connection((address, int((HOME / "port").read_text())), 5).close()
        except OSError:
            time.sleep(0.02)
            continue
        (HOME / f"{address}.pid").write_text(str(process.pid))
        note(f"start {names()[address]}")
        return
    raise SystemExit("the node does not answer")


def stop(address: str) -> None:
    file = HOME / f"{address}.pid"
    if file.exists():
        os.kill(int(file.read_text()), signal.SIGTERM)
        file.unlink()
        note(f"stop {names()[address]}")


def main() -> None:
    what = sys.argv[1]
    if what == "serve":
        serve(sys.argv[2])
        return
    address = os.environ["SSH_CONNECTION"].split()[2]
    if what == "is-active":
        raise SystemExit(0 if (HOME / f"{address}.pid").exists() else 3)
    start(address) if what == "start" else stop(address)


if __name__ == "__main__":
    main()
