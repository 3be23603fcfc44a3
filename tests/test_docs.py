"""What the documentation shows is what the program reads: YAML blocks, commands, links."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from textwrap import indent

import click
import pytest

from runbook_tui.cli import cli
from runbook_tui.commands.init import FIRST
from runbook_tui.definition import loader, planning
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
        "missing-file",
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


_CODE = re.compile(
    r"^```sh\n(?P<sh>.*?)^```$|^```.*?^```$|`(?P<inline>[^`]+)`", re.MULTILINE | re.DOTALL
)
_CALL = re.compile(r"^(?:\.venv/bin/)?runbook (?P<words>[a-z-].*)$")


def calls(page: Path) -> Iterator[list[str]]:
    """Yield the calls of the program that a page shows, without comments."""
    for match in _CODE.finditer(page.read_text(encoding="utf-8")):
        inline = " ".join((match["inline"] or "").split())
        for line in (match["sh"] or inline).splitlines():
            if found := _CALL.match(line):
                yield shlex.split(found["words"], comments=True)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_and_their_options(page: Path) -> None:
    unknown = []
    for words in calls(page):
        ctx = click.Context(cli)
        command: click.Command | None = cli
        rest = words
        while isinstance(command, click.Group) and rest and not rest[0].startswith("-"):
            command, rest = command.get_command(ctx, rest[0]), rest[1:]
        if command is None:
            unknown.append(words)
            continue
        options = {name for one in command.get_params(ctx) for name in one.opts}
        given = {word.partition("=")[0] for word in rest if word.startswith("-")}
        if not given <= options:
            unknown.append(words)
    assert unknown == []


def test_links_lead_to_files() -> None:
    lost = [
        f"{page.name}: {target}"
        for page in PAGES
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8"))
        if not (page.parent / target).exists() and not target.startswith("docs/images/")
    ]
    assert lost == []


def test_the_first_runbook_is_the_one_that_init_writes(tmp_path: Path) -> None:
    (block,) = blocks(_ROOT / "README.md")
    plans = []
    for name, text in (("shown.yaml", block), ("written.yaml", FIRST)):
        (tmp_path / name).write_text(text, encoding="utf-8")
        plans.append(planning.make_plan(loader.load(tmp_path / name), None, {}))
    shown, written = plans
    assert (shown.parameters, shown.phases) == (written.parameters, written.phases)
