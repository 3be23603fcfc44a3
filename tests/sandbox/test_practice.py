"""The practice production is what it says: real systems, each our own, each closed to strangers."""

from __future__ import annotations

import ssl
import subprocess
from pathlib import Path

import httpx
import psycopg
import pytest

from runbook_tui.definition import loader, planning
from runbook_tui.sandbox import environments, practice, registry, services, tls
from runbook_tui.sandbox.site import HOSTS, Site
from tests.harness.git import git


def test_every_part_runs_and_a_second_up_leaves_it_alone(practice_site: Site) -> None:
    parts = practice.status(practice_site.directory)
    assert {part.state for part in parts} == {"running"}
    before = {part.name: services.recorded(practice_site, part.name) for part in parts}
    lines: list[str] = []
    practice.up(practice_site.directory, lines.append)
    assert len(lines) == 1
    assert before == {part.name: services.recorded(practice_site, part.name) for part in parts}


def test_each_host_is_reached_by_key_and_knows_only_its_own_engine(practice_site: Site) -> None:
    for host in HOSTS:
        command = ["ssh", "-F", str(practice_site.ssh_config), "-n", host, "echo $SSH_CONNECTION"]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        assert done.stdout.split()[2].startswith("127.20.0.")
    stranger = ["ssh", "-F", "/dev/null", "-o", "StrictHostKeyChecking=no", "-o", "BatchMode=yes"]
    target = ["-o", "UserKnownHostsFile=/dev/null", "-p", str(practice_site.ports["ssh-app-1"])]
    refused = subprocess.run(
        [*stranger, *target, "-n", "127.20.0.11", "true"], capture_output=True, text=True
    )
    assert "Permission denied" in refused.stderr


def test_the_application_s_role_owns_its_databases_and_nothing_more(practice_site: Site) -> None:
    with psycopg.connect(practice_site.database_url("practice_hub")) as connection:
        row = connection.execute(
            "select rolsuper, rolcreatedb, rolcreaterole from pg_roles where rolname = current_user"
        ).fetchone()
        assert row == (False, False, False)
        assert connection.execute("select count(*) from pg_stat_statements").fetchone() is not None


def test_the_registry_speaks_tls_and_wants_a_login(practice_site: Site) -> None:
    trust = ssl.create_default_context(cafile=str(tls.authority(practice_site)))
    url = f"https://{registry.address(practice_site)}/v2/"
    with httpx.Client(verify=trust, trust_env=False) as client:
        assert client.get(url).status_code == 401
        login = (registry.USER, practice_site.passwords["registry"])
        assert client.get(url, auth=login).status_code == 200


def test_the_origin_holds_a_release_and_the_next_one(practice_site: Site) -> None:
    migrations = {
        branch: git(practice_site.origin, "ls-tree", "--name-only", branch, "migrations/").split()
        for branch in ("main", "release/1.1")
    }
    assert len(migrations["release/1.1"]) == len(migrations["main"]) + 1
    assert git(practice_site.work, "remote", "get-url", "origin") == str(practice_site.origin)


@pytest.mark.parametrize("name", ["deployment.yaml", "rollback.yaml"])
def test_the_runbooks_are_the_shipped_ones_and_ready_to_run(practice_site: Site, name: str) -> None:
    copied = practice_site.runbooks / name
    assert copied.read_bytes() == (environments.SHIPPED / name).read_bytes()
    loaded = loader.load(copied)
    assert loaded.problems == ()
    given = {"version": "v1.0.0"} if name == "deployment.yaml" else {}
    planning.make_plan(loaded, "sandbox", given)


def test_all_files_are_private(practice_site: Site) -> None:
    for folder in ("secrets", "ssh", "tls", "redis"):
        for path in Path(practice_site.at(folder)).rglob("*"):
            if path.is_file() and path.suffix != ".pub":
                assert path.stat().st_mode & 0o077 == 0, path
