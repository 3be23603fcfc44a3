import io
import unittest

from ..redis import RedisError, encode, read_reply


class Protocol(unittest.TestCase):
    def test_words_are_sent_with_their_length_in_bytes(self) -> None:
        self.assertEqual(encode(("GET", "é")), b"*2\r\n$3\r\nGET\r\n$2\r\n\xc3\xa9\r\n")

    def test_each_kind_of_answer_is_read(self) -> None:
        for data, expected in (
            (b"+OK\r\n", b"OK"),
            (b":7\r\n", 7),
            (b"$2\r\nab\r\n", b"ab"),
            (b"$-1\r\n", None),
        ):
            with self.subTest(data=data):
                self.assertEqual(read_reply(io.BytesIO(data)), expected)

    def test_errors_and_a_closed_connection_are_raised(self) -> None:
        for data in (b"-ERR no\r\n", b"", b"?\r\n"):
            with self.subTest(data=data), self.assertRaises(RedisError):
                read_reply(io.BytesIO(data))
