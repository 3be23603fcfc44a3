import unittest

from ..redis import Redis, Reply
from ..sessions import Sessions, set_cookie, token_of


class Memory(Redis):
    """A Redis that knows SET, GET and DEL."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    def command(self, *words: str) -> Reply:
        if words[0] == "PING":
            return b"PONG"
        if words[0] == "SET":
            self.kept[words[1]] = words[2].encode()
        elif words[0] == "DEL":
            self.kept.pop(words[1], None)
        return self.kept.get(words[1])


class Session(unittest.TestCase):
    def setUp(self) -> None:
        self.sessions = Sessions(Memory(), "secret")

    def test_a_session_belongs_to_its_user_until_it_ends(self) -> None:
        token = self.sessions.open(7)
        self.assertEqual(self.sessions.user(token), 7)
        self.sessions.end(token)
        self.assertIsNone(self.sessions.user(token))

    def test_a_csrf_token_fits_its_own_session_only(self) -> None:
        mine, other = self.sessions.open(1), self.sessions.open(2)
        self.assertTrue(self.sessions.csrf_fits(mine, self.sessions.csrf(mine)))
        self.assertFalse(self.sessions.csrf_fits(mine, self.sessions.csrf(other)))
        self.assertFalse(self.sessions.csrf_fits(mine, None))

    def test_the_cookie_is_for_https_and_not_for_scripts(self) -> None:
        for attribute in ("HttpOnly", "Secure", "SameSite=Lax"):
            self.assertIn(attribute, set_cookie("t"))

    def test_the_token_is_found_in_a_cookie_header(self) -> None:
        self.assertEqual(token_of("a=1; session=abc"), "abc")
        self.assertIsNone(token_of("a=1"))
        self.assertIsNone(token_of(None))
