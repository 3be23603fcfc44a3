"""The sample application's tool that says what a release changes, on a real repository."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.harness.git import Repository, git, repository

TOOL = Path(__file__).resolve().parents[2] / "runbook_tui/sandbox/app/tools/changes.py"


@pytest.fixture
def project(tmp_path: Path) -> Repository:
    """A repository with a first commit: a manifest, a migration, a module about sessions."""
    made = repository(tmp_path)
    for folder in ("migrations", "app"):
        (made.work / folder).mkdir()
    (made.work / "migrations" / "0001_users.sql").write_text("create table users ();\n")
    (made.work / "app" / "sessions.py").write_text("LIFE = 1\n")
    made.commit(pyproject__toml='[project]\ndependencies = ["psycopg>=3.2"]\n')
    return made


def _said(project: Repository, version: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, str(TOOL), version],
        cwd=project.work,
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.splitlines()


def _author(project: Repository) -> str:
    return git(project.work, "log", "-1", "--format=%an")


def test_a_first_release_is_all_there_is(project: Repository) -> None:
    first, *lines = _said(project, "v1.0.0")
    by = f"by {_author(project)} (1)"
    assert first == (
        f"1 commit (the first release) {by}; 3 files, +4 -0; migrations 1; dependencies 1"
    )
    assert "migration   migrations/0001_users.sql (new)" in lines
    assert "dependency  new -> psycopg>=3.2" in lines
    assert lines[-1] == f"summary={first}"


def test_a_release_is_compared_with_the_version_before_it(project: Repository) -> None:
    git(project.work, "tag", "v1.0.0")
    git(project.work, "tag", "not-a-release")
    (project.work / "migrations" / "0002_größe.sql").write_text("select 1;\n")
    (project.work / "migrations" / "0001_users.sql").write_text("create table users (id int);\n")
    (project.work / "app" / "sessions.py").write_text("LIFE = 2\n")
    project.commit(pyproject__toml='[project]\ndependencies = ["psycopg>=3.3"]\n')
    project.commit(note__txt="a")
    # The tag that the run itself has made by the time it is run again is no release before it.
    git(project.work, "tag", "v1.1.0")
    first, *lines = _said(project, "v1.1.0")
    assert first == (
        f"2 commits since v1.0.0 by {_author(project)} (2); 5 files, +5 -3; migrations 2; "
        "dependencies 1; touches app/sessions.py"
    )
    changed = "migration   migrations/0001_users.sql (CHANGED: it may have been applied already)"
    assert {changed, "migration   migrations/0002_größe.sql (new)"} <= set(lines)
    assert "dependency  psycopg>=3.2 -> psycopg>=3.3" in lines
    assert "! touches   app/sessions.py" in lines
