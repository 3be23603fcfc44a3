"""Redis, as much of its protocol as sessions need: one command, one answer."""

from __future__ import annotations

import socket
from typing import BinaryIO
from urllib.parse import urlsplit

Reply = bytes | int | None


class RedisError(Exception):
    """The server refused a command, or cannot be reached."""


class Redis:
    """A client that connects for each command: simple, and a restarted server costs nothing."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._address = (parts.hostname or "127.0.0.1", parts.port or 6379)
        self._first: list[tuple[str, ...]] = []
        if parts.password:
            self._first.append(("AUTH", parts.password))
        if parts.path.strip("/"):
            self._first.append(("SELECT", parts.path.strip("/")))

    def command(self, *words: str) -> Reply:
        """Send one command and return its answer; raises RedisError."""
        commands = [*self._first, words]
        try:
            with socket.create_connection(self._address, timeout=5) as connection:
                connection.sendall(b"".join(encode(command) for command in commands))
                with connection.makefile("rb") as stream:
                    replies = [read_reply(stream) for _ in commands]
        except OSError as error:
            raise RedisError(f"redis at {self._address[0]}:{self._address[1]}: {error}") from error
        return replies[-1]


def encode(words: tuple[str, ...]) -> bytes:
    """Write a command as an array of bulk strings."""
    parts = [f"*{len(words)}\r\n".encode()]
    for word in words:
        data = word.encode()
        parts.append(f"${len(data)}\r\n".encode() + data + b"\r\n")
    return b"".join(parts)


def read_reply(stream: BinaryIO) -> Reply:
    """Read one answer; raises RedisError for an error or a broken one."""
    line = stream.readline()
    kind, text = line[:1], line[1:].rstrip(b"\r\n")
    if kind == b"+":
        return text
    if kind == b":":
        return int(text)
    if kind == b"$":
        length = int(text)
        return None if length < 0 else stream.read(length + 2)[:-2]
    if kind == b"-":
        raise RedisError(text.decode("utf-8", "replace"))
    raise RedisError("the connection was closed" if not line else f"not an answer: {line!r}")
