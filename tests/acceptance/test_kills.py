"""The program is killed at every kind of step of one deployment; what was begun is done once."""

from __future__ import annotations

import signal
from typing import Final

import pytest

from runbook_tui.sandbox.site import PRODUCTION, Site
from tests.acceptance.conftest import Demo
from tests.harness import answers, production
from tests.harness.git import git
from tests.harness.program import Program

ORDER: Final = (*("tag", "build", "push", "smoke-staging", "migrate", "production", "watch"),)


@pytest.mark.timeout(400)
def test_killed_in_every_step_and_resumed_each_time(
    demo: Demo, practice_site: Site, program: Program
) -> None:
    demo.done.expect(0)
    git(practice_site.work, "merge", "-q", "--ff-only", "origin/release/1.1")
    said = answers.to_all("sandbox")
    file = str(practice_site.runbooks / "deployment.yaml")
    words = ["run", file, "-e", "sandbox", "-p", "version=v1.1.0", *said]
    for id_ in ORDER:
        killed = program.run(*words, fault=f"driver.after-spawn@{id_}:kill")
        assert killed.code == -signal.SIGKILL, killed.output
        (run,) = program.runs()
        assert run["status"] in {"running", "interrupted"}
        words = ["resume", run["run"], *said]
    program.run(*words).expect(0)

    shown = program.show(run["run"])
    assert (shown["status"], shown["failures"]) == ("succeeded", 0)
    assert {one["status"] for one in shown["steps"]} == {"succeeded"}
    program.run("audit", run["run"]).expect(0)
    _each_effect_is_there_once(practice_site, run["run"])


def _each_effect_is_there_once(site: Site, run: str) -> None:
    assert production.tags(site)["v1.1.0"] == git(site.work, "rev-parse", "HEAD")
    digest = production.registry_digest(site, "v1.1.0")
    for database in ("practice_hub", "practice_hub_staging"):
        rows = production.migrations(site, database)
        assert [number.lstrip("0") for number, _ in rows] == ["1", "2", "3"]
        assert [by for _, by in rows].count(run) == 1
    for host in (*PRODUCTION, "staging"):
        (container,) = production.containers(site, host)
        assert (container.status, container.health) == ("running", "healthy")
        assert digest in container.digests
    assert len([text for text in production.announcements(site) if run in text]) == 1
