import tempfile
import unittest
from pathlib import Path

from ..bundle import build
from ..changelog import section
from ..query_stats import since

ROOT = Path(__file__).resolve().parent.parent.parent


class Bundle(unittest.TestCase):
    def test_the_same_sources_give_the_same_bundle(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            first = build(ROOT, Path(folder, "a.pyz"))
            self.assertEqual(first, build(ROOT, Path(folder, "b.pyz")))
            self.assertGreater(first[0], 1000)


class Changelog(unittest.TestCase):
    def test_a_section_ends_where_the_next_begins(self) -> None:
        text = "# Changelog\n\n## v1.1.0\n\n- new\n\n## v1.0.0\n\n- old\n"
        self.assertEqual(section(text, "v1.1.0"), ["- new"])
        self.assertEqual(section(text, "v1.1"), [])
        self.assertEqual(section(text, "v2.0.0"), [])


class QueryStats(unittest.TestCase):
    def test_only_what_ran_since_is_compared(self) -> None:
        before = {"a": (2, 2.0), "b": (1, 5.0)}
        now = {"a": (4, 8.0), "b": (1, 5.0), "c": (1, 9.0)}
        self.assertEqual(since(before, now), {"a": (2, 3.0, 2.0), "c": (1, 9.0, 0)})
