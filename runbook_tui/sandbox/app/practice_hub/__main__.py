"""Starts the service; on SIGTERM it stops accepting, answers what it has accepted, and ends."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from types import FrameType

import psycopg

from . import accounts
from .database import Database
from .redis import Redis
from .server import Application, Server
from .settings import Settings, read

DRAIN = 20.0


def main() -> int:
    """Serve until SIGTERM. Exit codes: 0 drained, 1 not everything was answered, 2 bad settings."""
    try:
        settings = read(os.environ)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    database = Database(settings.database_url)
    server = Server(
        (settings.host, settings.port), Application(settings, database, Redis(settings.redis_url))
    )

    def ask_to_stop(number: int, frame: FrameType | None) -> None:
        threading.Thread(target=server.shutdown).start()

    signal.signal(signal.SIGTERM, ask_to_stop)
    signal.signal(signal.SIGINT, ask_to_stop)
    threading.Thread(target=_first_user, args=(database, settings), daemon=True).start()
    print(f"Practice Hub {settings.version} at {settings.host}:{settings.port}", flush=True)
    server.serve_forever(poll_interval=0.1)
    server.socket.close()
    drained = server.drain(DRAIN)
    database.close()
    print("drained" if drained else "not everything was answered", flush=True)
    return 0 if drained else 1


def _first_user(database: Database, settings: Settings) -> None:
    """Create the administrator as soon as the database is there; health tells when it is not."""
    while True:
        try:
            accounts.ensure_first_user(database, settings.admin_email, settings.admin_password)
        except psycopg.Error as error:
            print(f"administrator: {error}", file=sys.stderr, flush=True)
            time.sleep(1)
        else:
            return


if __name__ == "__main__":
    sys.exit(main())
