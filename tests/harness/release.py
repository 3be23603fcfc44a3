"""A next version of the sample application, as its developers would commit it."""

from __future__ import annotations

from pathlib import Path

from tests.harness.git import git


def prepare(work: Path, version: str) -> None:
    """Commit a version: one more migration, and its section of the changelog."""
    numbers = [int(path.name[:4]) for path in (work / "migrations").glob("*.sql")]
    number = max(numbers) + 1
    column = f"alter table documents add column note_{number} text;\n"
    (work / "migrations" / f"{number:04d}_note.sql").write_text(column)
    changelog = work / "CHANGELOG.md"
    entry = f"## {version}\n\n- Another note on documents.\n\n## "
    changelog.write_text(changelog.read_text().replace("## ", entry, 1))
    git(work, "add", "--all")
    git(work, "commit", "-q", "-m", f"Notes on documents, for {version}")
