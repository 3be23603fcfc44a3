"""The sandbox's directory is only ever one that is ours."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from runbook_tui.sandbox import practice, site
from runbook_tui.sandbox.errors import SandboxError
from tests.harness.practice import new_directory


@pytest.fixture
def directory() -> Iterator[Path]:
    """A directory whose path is short enough for a sandbox."""
    made = new_directory()
    yield made
    shutil.rmtree(made, ignore_errors=True)


def test_what_was_saved_is_loaded_and_is_private(directory: Path) -> None:
    made = site.create(directory)
    made.ports["redis"] = 21000
    made.save()
    assert site.load(directory) == made
    assert directory.stat().st_mode & 0o777 == 0o700
    assert (directory / site.RECORD).stat().st_mode & 0o777 == 0o600


def test_a_directory_with_other_things_is_neither_used_nor_removed(directory: Path) -> None:
    (directory / "letter.txt").write_text("dear")
    with pytest.raises(SandboxError, match="not a sandbox"):
        site.create(directory)
    with pytest.raises(SandboxError, match="nothing was removed"):
        practice.down(directory, print)
    assert (directory / "letter.txt").read_text() == "dear"


def test_a_path_too_long_for_sockets_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    directory = tmp_path / ("x" * 60)
    with pytest.raises(SandboxError, match="too long"):
        site.create(directory)
    assert not directory.exists()


@pytest.mark.parametrize("changed", [{"version": 99}, {"directory": "/elsewhere"}])
def test_a_record_of_another_version_or_place_is_refused(
    directory: Path, changed: dict[str, object]
) -> None:
    site.create(directory)
    record = directory / site.RECORD
    record.write_text(json.dumps({**json.loads(record.read_text()), **changed}))
    with pytest.raises(SandboxError, match="another version, or for another directory"):
        site.load(directory)


def test_without_a_sandbox_there_is_nothing_to_show_or_stop(tmp_path: Path) -> None:
    assert practice.status(tmp_path / "none") == []
    assert practice.down(tmp_path / "none", print) is False
