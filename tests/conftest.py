"""The same world for every test, whoever starts them: terminal, language, signals, no leftovers."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import pytest

from tests.harness import services

if TYPE_CHECKING:
    from runbook_tui.sandbox.site import Site

# A shell that starts us in the background leaves these ignored; our children would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)

for _name in [name for name in os.environ if name.startswith(("RUNBOOK_", "GIT_"))]:
    del os.environ[_name]
for _name in ("NO_COLOR", "COLUMNS", "LINES", "SSH_AUTH_SOCK", "DOCKER_HOST", "PGPASSWORD"):
    os.environ.pop(_name, None)
os.environ.update(
    TERM="xterm-256color",
    COLORTERM="truecolor",
    LANG="C.UTF-8",
    LC_ALL="C.UTF-8",
    TZ="UTC",
    RUNBOOK_OPERATOR="dana",
    GIT_CONFIG_GLOBAL="/dev/null",
    GIT_CONFIG_SYSTEM="/dev/null",
    GIT_AUTHOR_NAME="Dana",
    GIT_AUTHOR_EMAIL="dana@example.org",
    GIT_COMMITTER_NAME="Dana",
    GIT_COMMITTER_EMAIL="dana@example.org",
)

# The same examples every time, and no deadline: a busy machine must not decide what passes.
hypothesis.settings.register_profile(
    "ours",
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("ours")


@pytest.fixture(autouse=True)
def _own_state(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test ever touches the state of the person who runs it."""
    monkeypatch.setenv("RUNBOOK_STATE", str(tmp_path_factory.mktemp("state")))


@pytest.fixture(scope="session")
def practice_site() -> Iterator[Site]:
    """The practice production, one for all tests of a session, up when the first of them asks."""
    from tests.harness import practice

    yield from practice.for_the_session()


@pytest.fixture
def repository() -> Path:
    """The checkout that the tests belong to."""
    return Path(__file__).resolve().parent.parent


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put tests that share services on one worker, and leave out those whose services lack."""
    tests = Path(__file__).resolve().parent
    for item in items:
        item.add_marker(pytest.mark.xdist_group(services.group(item.path, tests)))
    affected = [item for item in items if services.needs_services(item.path, tests)]
    if not affected or not services.missing():
        return
    if os.environ.get(services.ALLOWED) != "1":
        pytest.exit(services.told(), returncode=2)
    left_out = set(affected)
    config.hook.pytest_deselected(items=affected)
    items[:] = [item for item in items if item not in left_out]
