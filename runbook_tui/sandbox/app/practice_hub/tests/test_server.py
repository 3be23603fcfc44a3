import json
import unittest
from typing import Any, LiteralString

from ..database import Database
from ..server import Application, Refused, Request
from ..settings import read
from .test_sessions import Memory

ENVIRONMENT = {
    "DATABASE_URL": "postgresql://db/x",
    "REDIS_URL": "redis://r",
    "SESSION_SECRET": "s",
    "ADMIN_EMAIL": "a@b",
    "ADMIN_PASSWORD": "p",
}


class NoDatabase(Database):
    """A database without rows."""

    def rows(self, table: str, query: LiteralString, values: Any = ()) -> list[tuple[Any, ...]]:
        return []


class Routes(unittest.TestCase):
    def setUp(self) -> None:
        settings = read(ENVIRONMENT)
        self.application = Application(settings, NoDatabase(settings.database_url), Memory())

    def refused(self, request: Request) -> int:
        with self.assertRaises(Refused) as caught:
            self.application.answer(request)
        return caught.exception.status

    def test_health_names_what_is_connected(self) -> None:
        answer = self.application.answer(Request("GET", "/api/health", {}))
        content = json.loads(answer.body)
        self.assertEqual((answer.status, content["status"]), (200, "healthy"))
        self.assertEqual((content["database"], content["redis"]), ("connected", "connected"))

    def test_an_unknown_path_and_a_stranger_are_refused(self) -> None:
        self.assertEqual(self.refused(Request("GET", "/nowhere", {})), 404)
        self.assertEqual(self.refused(Request("GET", "/api/documents", {})), 401)

    def test_a_wrong_password_is_refused(self) -> None:
        body = json.dumps({"email": "a@b", "password": "no"}).encode()
        self.assertEqual(self.refused(Request("POST", "/api/auth/sign-in", {}, body)), 401)
        self.assertEqual(self.refused(Request("POST", "/api/auth/sign-in", {}, b"{")), 400)

    def test_a_change_without_the_csrf_token_is_refused(self) -> None:
        token = self.application.sessions.open(1)
        cookie = {"Cookie": f"session={token}"}
        self.assertEqual(self.refused(Request("POST", "/api/documents", cookie, b"x")), 403)
        signed = {**cookie, "X-CSRF-Token": self.application.sessions.csrf(token)}
        self.assertEqual(self.refused(Request("POST", "/api/documents", signed, b"")), 400)


class Settings(unittest.TestCase):
    def test_everything_that_is_missing_is_named_at_once(self) -> None:
        with self.assertRaisesRegex(ValueError, "DATABASE_URL, REDIS_URL"):
            read({})
