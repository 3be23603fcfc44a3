"""The same runbook, byte for byte, deploys to a production that was made by hand.

On the way the program is killed at every kind of step, and each time another one goes on: at the
end everything is there once.
"""

from __future__ import annotations

import json
import shutil
import signal
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import httpx
import psycopg
import pytest

from runbook_tui.sandbox import environments, proxy, tls
from runbook_tui.sandbox.site import Site
from tests.acceptance import by_hand
from tests.acceptance.by_hand import ByHand
from tests.harness import answers, production
from tests.harness.git import git
from tests.harness.program import Program, outputs

KILLED_AT: Final = (*("tag", "build", "push", "smoke-staging", "migrate", "production", "watch"),)
"""The steps during which the program is killed, in the order of the runbook."""

pytestmark = pytest.mark.timeout(900)


@pytest.fixture
def second(practice_site: Site) -> Iterator[ByHand]:
    """The production made by hand."""
    with by_hand.production(practice_site) as made:
        yield made


def test_only_the_environments_file_differs_and_killed_everywhere_it_is_done_once(
    second: ByHand, practice_site: Site, tmp_path: Path
) -> None:
    file = _runbooks(second, tmp_path / "runbooks")
    origin, work = tmp_path / "hub.git", tmp_path / "hub"
    git(tmp_path, "clone", "-q", "--bare", str(practice_site.origin), str(origin))
    git(tmp_path, "clone", "-q", "--branch", "release/1.1", str(origin), str(work))

    program = Program(tmp_path / "state", work)
    said = answers.to_all("hand")
    words = ["run", str(file), "-e", "hand", "-p", "version=v1.1.0", *said]
    for id_ in KILLED_AT:
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
    tag = git(origin, "rev-parse", "v1.1.0^{commit}")
    assert outputs(shown, "tag")["commit"] == git(work, "rev-parse", "HEAD") == tag
    _each_migration_once(second, run["run"])
    _serves_once(second, outputs(shown, "push")["digest"])
    told = [text for text in production.announcements(practice_site) if run["run"] in text]
    assert len(told) == 1


def _runbooks(second: ByHand, folder: Path) -> Path:
    folder.mkdir()
    for name in ("deployment.yaml", "rollback.yaml"):
        shutil.copy(environments.SHIPPED / name, folder)
    (folder / environments.ENVIRONMENTS).write_text(by_hand.environments_file(second, "hand"))
    return folder / "deployment.yaml"


def _each_migration_once(second: ByHand, run: str) -> None:
    for place in ("production", "staging"):
        with psycopg.connect(second.database_url(place)) as connection:
            rows = connection.execute("select version::int, run from schema_log order by 1")
            assert rows.fetchall() == [(1, run), (2, run), (3, run)]


def _serves_once(second: ByHand, digest: str) -> None:
    found = _containers(second.socket)
    staging = _containers(second.practice.engine_socket("staging"))
    for container in (*found, *staging):
        assert container["State"]["Health"]["Status"] == "healthy"
        assert digest in container["Config"]["Image"]
    assert (len(found), len(staging)) == (1, 1)
    context = ssl.create_default_context(cafile=str(tls.authority(second.own)))
    url = f"{proxy.url(second.own, 'production')}/api/health"
    answer = httpx.get(url, verify=context, trust_env=False, timeout=30).json()
    assert (answer["status"], answer["version"]) == ("healthy", "v1.1.0")


def _containers(socket: Path) -> list[dict[str, Any]]:
    docker = ["docker", "-H", f"unix://{socket}"]
    ids = subprocess.run([*docker, "ps", "-aq"], check=True, capture_output=True, text=True)
    inspect = [*docker, "inspect", *ids.stdout.split()]
    found = subprocess.run(inspect, check=True, capture_output=True).stdout
    containers: list[dict[str, Any]] = json.loads(found)
    return containers
