"""The whole deployment, unattended: what was recorded is what the systems themselves say."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

from runbook_tui.sandbox.site import PRODUCTION, Site
from tests.acceptance.conftest import Demo
from tests.harness import production
from tests.harness.git import git
from tests.harness.program import outputs, step
from tests.runbooks.test_practice_hub import BY_A_PERSON, REFS


@pytest.fixture(scope="module")
def shown(demo: Demo) -> dict[str, Any]:
    """The demo's run as `show --json` tells it."""
    demo.done.expect(0)
    (run,) = demo.program.runs()
    return demo.program.show(run["run"])


def test_every_item_of_the_checklist_succeeded_and_most_are_proven(shown: dict[str, Any]) -> None:
    assert (shown["status"], shown["failures"]) == ("succeeded", 0)
    by_ref: dict[str, list[dict[str, Any]]] = {}
    for one in shown["steps"]:
        for ref in one["refs"]:
            by_ref.setdefault(ref, []).append(one)
    assert set(by_ref) == set(REFS)
    assert {one["status"] for steps in by_ref.values() for one in steps} == {"succeeded"}
    for ref, steps in by_ref.items():
        proofs = {one["proof"] for one in steps}
        assert proofs == ({None} if ref in BY_A_PERSON else {"machine"}), ref
    for one in shown["steps"]:
        if one["proof"] == "machine" and one["refs"]:
            assert one["attempts"][-1]["evidence"], one["id"]
        if one["action"] == "manual":
            assert "demo policy" in one["reason"]


def test_tag_image_and_registry_agree(practice_site: Site, shown: dict[str, Any]) -> None:
    commit = git(practice_site.work, "rev-parse", "HEAD")
    assert outputs(shown, "tag")["commit"] == commit == production.tags(practice_site)["v1.0.0"]
    image = outputs(shown, "build")["id"]
    id_ = production.docker(
        practice_site, "builder", "image", "inspect", "--format", "{{.Id}}", image
    )
    assert id_ == image
    digest = outputs(shown, "push")["digest"]
    assert digest == production.registry_digest(practice_site, "v1.0.0")


def test_both_databases_hold_each_migration_once(
    practice_site: Site, shown: dict[str, Any]
) -> None:
    for database in ("practice_hub", "practice_hub_staging"):
        rows = production.migrations(practice_site, database)
        assert [number.lstrip("0") for number, _ in rows] == ["1", "2"]
        assert {run for _, run in rows} == {shown["run"]}


def test_every_host_runs_the_pushed_digest_once_and_is_healthy(
    practice_site: Site, shown: dict[str, Any]
) -> None:
    digest = outputs(shown, "push")["digest"]
    for host in (*PRODUCTION, "staging"):
        (container,) = production.containers(practice_site, host)
        assert (container.status, container.health) == ("running", "healthy")
        assert digest in container.digests
        assert shown["run"] in container.labels.values()
    for place in ("production", "staging"):
        assert production.health(practice_site, place)["version"] == "v1.0.0"


def test_backups_are_there_with_the_recorded_size_and_sum(shown: dict[str, Any]) -> None:
    for id_ in ("backup", "backup-after"):
        recorded = outputs(shown, id_)
        content = Path(recorded["path"]).read_bytes()
        assert len(content) == int(recorded["size"])
        assert hashlib.sha256(content).hexdigest() == recorded["sha256"]


def test_it_was_watched_and_announced_once(practice_site: Site, shown: dict[str, Any]) -> None:
    assert int(outputs(shown, "watch")["samples"]) >= 3
    assert int(outputs(shown, "resources")["samples"]) >= 1
    told = [text for text in production.announcements(practice_site) if shown["run"] in text]
    assert len(told) == 1
    assert "v1.0.0" in told[0]


def test_the_journal_is_intact_and_the_log_of_a_step_is_there(
    demo: Demo, shown: dict[str, Any]
) -> None:
    demo.program.run("audit", shown["run"]).expect(0)
    log = demo.program.run("log", shown["run"], "migrate").expect(0).output
    assert "0001_users" in log
    assert Path(step(shown, "migrate")["attempts"][0]["log"]).exists()
