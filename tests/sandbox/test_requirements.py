"""What is missing is said at once, with the Debian packages that bring it."""

from __future__ import annotations

import os
import shutil

import pytest

from runbook_tui.sandbox import postgres, requirements
from runbook_tui.sandbox.errors import SandboxError


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without any of the programs."""
    monkeypatch.setattr(shutil, "which", lambda name, path=None: None)
    monkeypatch.setattr(postgres, "programs", lambda: None)


@pytest.mark.usefixtures("bare")
def test_every_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    with pytest.raises(SandboxError) as caught:
        requirements.check()
    for package in ("docker.io", "docker-registry", "nginx", "openssh-server", "postgresql"):
        assert package in caught.value.advice
    assert caught.value.advice.startswith("Install: apt-get install ")


@pytest.mark.usefixtures("bare")
def test_without_root_that_is_said_first_and_the_packages_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(SandboxError, match="need root") as caught:
        requirements.check()
    assert "docker.io" in caught.value.advice


def test_nothing_is_missing_where_the_tests_run() -> None:
    requirements.check()
