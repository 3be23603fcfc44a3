"""The whole deployment, unattended: what was recorded is what the systems themselves say."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from runbook_tui.sandbox.site import Site
from tests.acceptance.conftest import DATABASES, Demo
from tests.harness import production
from tests.harness.program import outputs, step
from tests.runbooks.test_practice_hub import BY_A_PERSON, REFS

pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="module")
def shown(demo: Demo) -> dict[str, Any]:
    """The demo's run as `show --json` tells it."""
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


def test_tag_image_and_registry_agree(
    demo: Demo, practice_site: Site, shown: dict[str, Any]
) -> None:
    assert outputs(shown, "tag")["commit"] == demo.facts.head == demo.facts.tags["v1.0.0"]
    image = outputs(shown, "build")["id"]
    inspect = ("image", "inspect", "--format", "{{.Id}}", image)
    assert production.docker(practice_site, "builder", *inspect) == image
    assert outputs(shown, "push")["digest"] == demo.facts.digest


def test_both_databases_hold_each_migration_once(demo: Demo, shown: dict[str, Any]) -> None:
    for place in DATABASES:
        rows = demo.facts.migrations[place]
        assert [number.lstrip("0") for number, _ in rows] == ["1", "2"]
        assert {run for _, run in rows} == {shown["run"]}


def test_every_host_runs_the_pushed_digest_once_and_is_healthy(
    demo: Demo, shown: dict[str, Any]
) -> None:
    for host, found in demo.facts.containers.items():
        (container,) = found
        assert (container.status, container.health) == ("running", "healthy"), host
        assert outputs(shown, "push")["digest"] in container.digests
        assert shown["run"] in container.labels.values()
    assert set(demo.facts.versions.values()) == {"v1.0.0"}


def test_backups_are_there_with_the_recorded_size_and_sum(shown: dict[str, Any]) -> None:
    for id_ in ("backup", "backup-after"):
        recorded = outputs(shown, id_)
        content = Path(recorded["path"]).read_bytes()
        assert len(content) == int(recorded["size"])
        assert hashlib.sha256(content).hexdigest() == recorded["sha256"]


def test_it_was_watched_and_announced_once(demo: Demo, shown: dict[str, Any]) -> None:
    assert int(outputs(shown, "watch")["samples"]) >= 3
    assert int(outputs(shown, "resources")["samples"]) >= 1
    (told,) = [text for text in demo.facts.announcements if shown["run"] in text]
    assert "v1.0.0" in told


def test_the_journal_is_intact_and_the_log_of_a_step_is_there(
    demo: Demo, shown: dict[str, Any]
) -> None:
    demo.program.run("audit", shown["run"]).expect(0)
    told = demo.program.run("show", shown["run"], "--json").expect(0)
    assert json.loads(told.output) == shown
    log = demo.program.run("log", shown["run"], "migrate").expect(0).output
    assert "0001_users" in log
    assert Path(step(shown, "migrate")["attempts"][0]["log"]).exists()
