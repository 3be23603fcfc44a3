"""Every YAML block of the documentation is what the program reads."""

from __future__ import annotations

import re
from pathlib import Path
from textwrap import indent

import pytest

from runbook_tui.definition.loader import lint_paths
from runbook_tui.definition.problems import Problem

_ROOT = Path(__file__).resolve().parent.parent
_BLOCK = re.compile(
    r"^(?P<indent> *)```ya?ml\n(?P<text>.*?)^(?P=indent)```$", re.MULTILINE | re.DOTALL
)
_NAMED = re.compile(r"# (?P<name>[\w/-]+\.ya?ml)\n")
_ELSEWHERE = frozenset(
    [
        "undefined",
        "unknown-reference",
        "unavailable",
        "unknown-step",
        "unknown-host",
        "unknown-environment",
        "unknown-choice",
        "script",
    ]
)
"""What may be wrong with a fragment: the rest of its runbook is not there."""

PAGES = [
    path for path in (_ROOT / "README.md", *sorted((_ROOT / "docs").rglob("*.md"))) if path.exists()
]


def blocks(page: Path) -> list[str]:
    """Return the YAML blocks of a page, without the indentation of their fence."""
    found = []
    for match in _BLOCK.finditer(page.read_text(encoding="utf-8")):
        lines = match["text"].splitlines()
        found.append("\n".join(line.removeprefix(match["indent"]) for line in lines) + "\n")
    return found


def whole(text: str) -> str:
    """Return a block as a runbook: a fragment is a list of steps, or one step."""
    steps = text if text.lstrip().startswith("-") else f"- {indent(text, '  ').lstrip()}"
    body = indent(steps, "      ")
    return f"runbook: Fragment\nphases:\n  - phase: Only\n    steps:\n{body}"


def checked(text: str, folder: Path, number: int) -> list[Problem]:
    """Write a block to a folder and return what is wrong with it."""
    named = _NAMED.match(text)
    fragment = named is None and not re.search(r"^runbook:", text, re.MULTILINE)
    path = folder / (named["name"] if named else f"block-{number}.yaml")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(whole(text) if fragment else text, encoding="utf-8")
    found = lint_paths([path])
    return [one for one in found if not (fragment and one.code in _ELSEWHERE)]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_blocks(page: Path, tmp_path: Path) -> None:
    found = []
    texts = blocks(page)
    for number, text in enumerate(sorted(texts, key=lambda text: not _NAMED.match(text))):
        found += [problem.show() for problem in checked(text, tmp_path, number)]
    assert found == []


def test_the_page_on_runbooks_has_blocks() -> None:
    assert len(blocks(_ROOT / "docs" / "writing-runbooks.md")) > 10
