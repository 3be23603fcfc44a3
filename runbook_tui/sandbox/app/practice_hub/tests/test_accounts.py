import unittest

from ..accounts import fits, hash_password


class Passwords(unittest.TestCase):
    def test_only_the_same_password_fits(self) -> None:
        stored = hash_password("correct horse")
        self.assertTrue(fits("correct horse", stored))
        self.assertFalse(fits("correct horse ", stored))

    def test_the_same_password_is_stored_differently_each_time(self) -> None:
        self.assertNotEqual(hash_password("x"), hash_password("x"))


if __name__ == "__main__":
    unittest.main()
