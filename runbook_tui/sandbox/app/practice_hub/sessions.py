"""Sessions: a random token in a cookie, its owner in Redis; a CSRF token bound to it by HMAC."""

from __future__ import annotations

import hmac
import secrets
from http.cookies import CookieError, SimpleCookie

from .redis import Redis

COOKIE = "session"
SECONDS = 3600


class Sessions:
    """Opens, finds and ends sessions."""

    def __init__(self, redis: Redis, secret: str) -> None:
        self._redis = redis
        self._secret = secret.encode()

    def open(self, user: int) -> str:
        """Begin a session and return its token."""
        token = secrets.token_urlsafe(24)
        self._redis.command("SET", f"session:{token}", str(user), "EX", str(SECONDS))
        return token

    def user(self, token: str) -> int | None:
        """Return whose session it is, None when it has ended."""
        reply = self._redis.command("GET", f"session:{token}")
        return int(reply) if reply is not None else None

    def end(self, token: str) -> None:
        """End a session."""
        self._redis.command("DEL", f"session:{token}")

    def csrf(self, token: str) -> str:
        """Return the token that a changing request of this session must carry."""
        return hmac.new(self._secret, token.encode(), "sha256").hexdigest()

    def csrf_fits(self, token: str, given: str | None) -> bool:
        """Tell whether a request carries the session's CSRF token."""
        return given is not None and hmac.compare_digest(self.csrf(token), given)


def token_of(cookie_header: str | None) -> str | None:
    """Return the session token of a Cookie header."""
    try:
        cookie = SimpleCookie(cookie_header or "")
    except CookieError:
        return None
    return cookie[COOKIE].value if COOKIE in cookie else None


def set_cookie(token: str, seconds: int = SECONDS) -> str:
    """Return the Set-Cookie header that gives, or with no seconds takes, a session."""
    return f"{COOKIE}={token}; Path=/; Max-Age={seconds}; HttpOnly; Secure; SameSite=Lax"
