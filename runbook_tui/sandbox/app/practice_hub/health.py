"""What `/api/health` says: whether the database and Redis answer."""

from __future__ import annotations

import time

import psycopg

from .database import Database
from .redis import Redis, RedisError

_STARTED = time.monotonic()


def look(database: Database, redis: Redis, version: str) -> tuple[int, dict[str, object]]:
    """Return the HTTP status and the answer."""
    answer: dict[str, object] = {
        "status": "healthy",
        "version": version,
        "uptime": round(time.monotonic() - _STARTED, 1),
        "database": "connected",
        "redis": "connected",
    }
    try:
        database.rows("health", "select 1")
    except psycopg.Error as error:
        answer |= {"status": "unhealthy", "database": str(error).splitlines()[0]}
    try:
        redis.command("PING")
    except RedisError as error:
        answer |= {"status": "unhealthy", "redis": str(error)}
    return (200 if answer["status"] == "healthy" else 503), answer
