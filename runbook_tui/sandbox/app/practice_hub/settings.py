"""What the service is told by its environment; read once, at the start."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

REQUIRED = (
    "DATABASE_URL",
    "REDIS_URL",
    "SESSION_SECRET",
    "ADMIN_EMAIL",
    "ADMIN_PASSWORD",
)


@dataclass(frozen=True, slots=True)
class Settings:
    """Where to listen, what to talk to, who may sign in first."""

    host: str
    port: int
    database_url: str
    redis_url: str
    session_secret: str
    admin_email: str
    admin_password: str
    version: str


def read(environment: Mapping[str, str]) -> Settings:
    """Read the settings; raises ValueError that names everything that is missing."""
    missing = [name for name in REQUIRED if not environment.get(name)]
    if missing:
        raise ValueError(f"missing in the environment: {', '.join(missing)}")
    return Settings(
        host=environment.get("HOST", "127.0.0.1"),
        port=int(environment.get("PORT", "8080")),
        database_url=environment["DATABASE_URL"],
        redis_url=environment["REDIS_URL"],
        session_secret=environment["SESSION_SECRET"],
        admin_email=environment["ADMIN_EMAIL"],
        admin_password=environment["ADMIN_PASSWORD"],
        version=environment.get("APP_VERSION", "dev"),
    )
