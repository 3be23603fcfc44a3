import tempfile
import unittest
from pathlib import Path

from ..bundle import build
from ..changelog import section
from ..changes import SENSITIVE, dependencies, differing
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


class Changes(unittest.TestCase):
    def test_dependencies_that_came_went_or_changed(self) -> None:
        project = '[project]\ndependencies = ["a>=1", "b[x]>=2"]\n'
        package = '{"dependencies": {"c": "^3"}, "devDependencies": {"d": "4"}}'
        before = dependencies({"pyproject.toml": project, "package.json": package})
        self.assertEqual(before, {"a": "a>=1", "b": "b[x]>=2", "c": "c ^3", "d": "d 4"})
        now = dependencies({"pyproject.toml": project.replace("a>=1", "e==5").replace("2", "3")})
        gone = ["a>=1 -> gone", "c ^3 -> gone", "d 4 -> gone"]
        changed = ["b[x]>=2 -> b[x]>=3", "new -> e==5"]
        self.assertEqual(sorted(differing(before, now)), sorted([*gone, *changed]))

    def test_what_is_to_be_read_twice(self) -> None:
        for name in ("src/server/auth/session", "app/accounts", "lib/sign-in.view"):
            self.assertTrue(SENSITIVE.search(name), name)
        for name in ("app/author", "lib/cryptography_notes", "docs/designing"):
            self.assertFalse(SENSITIVE.search(name), name)


class QueryStats(unittest.TestCase):
    def test_only_what_ran_since_is_compared(self) -> None:
        before = {"a": (2, 2.0), "b": (1, 5.0)}
        now = {"a": (4, 8.0), "b": (1, 5.0), "c": (1, 9.0)}
        self.assertEqual(since(before, now), {"a": (2, 3.0, 2.0), "c": (1, 9.0, 0)})
