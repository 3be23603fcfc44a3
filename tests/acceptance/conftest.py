"""The practice production with v1.0.0 in it, deployed by the demo as a new user would."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from runbook_tui.sandbox.site import HOSTS, PROXY, Site
from tests.harness import production
from tests.harness.git import git
from tests.harness.program import Done, Program

DATABASES = {"production": "practice_hub", "staging": "practice_hub_staging"}


@dataclass(frozen=True)
class Facts:
    """What the systems themselves say at one moment; see `tests.harness.production`."""

    head: str
    tags: dict[str, str]
    digest: str
    migrations: dict[str, list[tuple[str, str]]]
    containers: dict[str, list[production.Container]]
    versions: dict[str, str]
    announcements: list[str]


@dataclass(frozen=True)
class Demo:
    """The demo's run, the program that did it, and what was true when it had ended."""

    done: Done
    program: Program
    facts: Facts


def facts(site: Site, tag: str) -> Facts:
    """Ask all systems."""
    return Facts(
        git(site.work, "rev-parse", "HEAD"),
        production.tags(site),
        production.registry_digest(site, tag),
        {place: production.migrations(site, name) for place, name in DATABASES.items()},
        {host: production.containers(site, host) for host in HOSTS if host != PROXY},
        {place: production.health(site, place)["version"] for place in DATABASES},
        production.announcements(site),
    )


@pytest.fixture(scope="session")
def demo(practice_site: Site, tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """`runbook demo --headless`, once a session."""
    program = Program(
        tmp_path_factory.mktemp("demo") / "state",
        Path(practice_site.directory),
        {"RUNBOOK_SANDBOX": str(practice_site.directory)},
    )
    done = program.run("demo", "--headless").expect(0)
    return Demo(done, program, facts(practice_site, "v1.0.0"))


@pytest.fixture
def program(practice_site: Site, tmp_path: Path) -> Program:
    """The program, called in the application's work tree, with a state of the test's own."""
    return Program(tmp_path / "state", practice_site.work)
