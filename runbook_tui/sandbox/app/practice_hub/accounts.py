"""Users and their passwords."""

from __future__ import annotations

import hashlib
import hmac
import secrets

from .database import Database

COST = {"n": 2**12, "r": 8, "p": 1}


def hash_password(password: str, salt: bytes | None = None) -> str:
    """Return a password's hash with its salt, as it is stored."""
    salt = salt or secrets.token_bytes(16)
    digest = hashlib.scrypt(password.encode(), salt=salt, **COST)
    return f"{salt.hex()}${digest.hex()}"


def fits(password: str, stored: str) -> bool:
    """Compare a password with a stored hash, in constant time."""
    salt, _, _ = stored.partition("$")
    return hmac.compare_digest(hash_password(password, bytes.fromhex(salt)), stored)


def ensure_first_user(database: Database, email: str, password: str) -> None:
    """Create the first administrator, or give it the password of the environment."""
    found = database.rows("users", "select password from users where email = %s", [email])
    if found and fits(password, found[0][0]):
        return
    database.rows(
        "users",
        "insert into users (email, password, role) values (%s, %s, 'admin')"
        " on conflict (email) do update set password = excluded.password",
        [email, hash_password(password)],
    )


def sign_in(database: Database, email: str, password: str) -> int | None:
    """Return the user's id when the password fits, None otherwise."""
    found = database.rows("users", "select id, password from users where email = %s", [email])
    if not found or not fits(password, found[0][1]):
        return None
    return int(found[0][0])
