"""The same runbook, byte for byte, deploys to a production that was made by hand."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import psycopg
import pytest

from runbook_tui.sandbox import environments, proxy, tls
from runbook_tui.sandbox.site import Site
from tests.acceptance import by_hand
from tests.acceptance.by_hand import ByHand
from tests.harness import answers
from tests.harness.git import git
from tests.harness.program import Program, outputs


@pytest.fixture
def second(practice_site: Site) -> Iterator[ByHand]:
    """The production made by hand."""
    with by_hand.production(practice_site) as made:
        yield made


@pytest.mark.timeout(900)
def test_only_the_environments_file_differs(
    second: ByHand, practice_site: Site, tmp_path: Path
) -> None:
    folder = tmp_path / "runbooks"
    folder.mkdir()
    for name in ("deployment.yaml", "rollback.yaml"):
        shutil.copy(environments.SHIPPED / name, folder)
    (folder / "environments.yaml").write_text(by_hand.environments_file(second, "hand"))
    origin, work = tmp_path / "hub.git", tmp_path / "hub"
    git(tmp_path, "clone", "-q", "--bare", str(practice_site.origin), str(origin))
    git(tmp_path, "clone", "-q", "--branch", "release/1.1", str(origin), str(work))

    program = Program(tmp_path / "state", work)
    file = str(folder / "deployment.yaml")
    said = answers.to_all("hand")
    program.run("run", file, "-e", "hand", "-p", "version=v1.1.0", *said).expect(0)

    (run,) = program.runs()
    shown = program.show(run["run"])
    assert {one["status"] for one in shown["steps"]} == {"succeeded"}
    assert outputs(shown, "tag")["commit"] == git(work, "rev-parse", "HEAD")
    _serves(second, outputs(shown, "push")["digest"])
    url = by_hand._secrets(second, "production")["DATABASE_URL"]["file"]
    with psycopg.connect(Path(url).read_text()) as connection:
        count = connection.execute("select count(*), min(run) from schema_log").fetchone()
    assert count == (3, run["run"])


def _serves(second: ByHand, digest: str) -> None:
    docker = ["docker", "-H", f"unix://{second.socket}"]
    ids = subprocess.run([*docker, "ps", "-aq"], check=True, capture_output=True, text=True)
    (id_,) = ids.stdout.split()
    inspect = [*docker, "inspect", "--format", "{{json .}}", id_]
    found = json.loads(subprocess.run(inspect, check=True, capture_output=True).stdout)
    assert found["State"]["Health"]["Status"] == "healthy"
    assert digest in found["Config"]["Image"]
    context = httpx.create_ssl_context(verify=str(tls.authority(second.own)), trust_env=False)
    url = f"{proxy.url(second.own, 'production')}/api/health"
    answer = httpx.get(url, verify=context, trust_env=False, timeout=30).json()
    assert (answer["status"], answer["version"]) == ("healthy", "v1.1.0")
