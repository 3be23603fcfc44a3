"""Asks the service in the same container whether it is healthy; the image's HEALTHCHECK.

Runs every two seconds, so it imports nothing but a socket.
"""

from __future__ import annotations

import os
import socket
import sys


def main() -> int:
    """Return 0 when `/api/health` answers 200."""
    address = (os.environ.get("HOST", "127.0.0.1"), int(os.environ.get("PORT", "8080")))
    try:
        with socket.create_connection(address, timeout=8) as connection:
            connection.sendall(b"GET /api/health HTTP/1.0\r\nHost: localhost\r\n\r\n")
            with connection.makefile("rb") as answer:
                status = answer.read().split(b" ", 2)
    except OSError as error:
        print(error, file=sys.stderr)
        return 1
    return 0 if len(status) > 1 and status[1] == b"200" else 1


if __name__ == "__main__":
    sys.exit(main())
