"""The examples that repeat steps for hosts do what they say, on real sshd hosts."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.harness import search_node
from tests.harness.program import Program, step
from tests.harness.sshd import Ssh, ssh_hosts

EXAMPLES = ("elasticsearch-rolling-restart", "certificate-authority-rotation")


@pytest.fixture(scope="module")
def ssh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ssh]:
    with ssh_hosts(tmp_path_factory.mktemp("ssh"), ("one", "two")) as hosts:
        yield hosts


def program_for(
    tmp_path: Path, repository: Path, ssh: Ssh, group: str, **variables: str
) -> Program:
    """Return the program in a folder with the examples and an environment of these hosts."""
    here = tmp_path / "here"
    shutil.copytree(repository / "runbooks" / "examples", here)
    config = ssh.config(tmp_path / "client")
    hosts = [
        {"name": one.name, "address": one.address, "user": "root", "port": one.port}
        for one in ssh.hosts
    ]
    place = {"vars": variables, "hosts": {group: hosts}, "ssh_config": str(config)}
    for file in here.glob("*-environments.yaml"):
        file.write_text(json.dumps({"here": place}))
    return Program(tmp_path / "state", here)


@pytest.fixture
def cluster(tmp_path: Path, ssh: Ssh) -> Iterator[Path]:
    """A folder with two running nodes of the small cluster."""
    home = tmp_path / "cluster"
    home.mkdir()
    node = home / "node.py"
    node.write_text(f"#!{sys.executable}\n" + Path(search_node.__file__).read_text())
    node.chmod(0o755)
    with socket.create_server((ssh.hosts[0].address, 0)) as free:
        (home / "port").write_text(str(free.getsockname()[1]))
    (home / "nodes.json").write_text(json.dumps({one.address: one.name for one in ssh.hosts}))
    try:
        for one in ssh.hosts:
            env = {**os.environ, "SSH_CONNECTION": f"0 0 {one.address} 0"}
            subprocess.run([str(node), "start", "unit"], env=env, check=True)
        (home / "events").unlink()
        yield home
    finally:
        for file in home.glob("*.pid"):
            os.kill(int(file.read_text()), signal.SIGKILL)


@pytest.mark.timeout(600)
def test_the_nodes_are_restarted_one_after_the_other(
    tmp_path: Path, repository: Path, ssh: Ssh, cluster: Path
) -> None:
    program = program_for(
        tmp_path,
        repository,
        ssh,
        "search",
        ctl=str(cluster / "node.py"),
        unit="search.service",
        port=(cluster / "port").read_text(),
    )
    words = ["run", f"{EXAMPLES[0]}.yaml", "-e", "here", "--headless", "-p", "patience=5m"]
    done = program.run(*words).expect(0)
    assert (cluster / "events").read_text().splitlines() == [
        line
        for name in ("one", "two")
        for line in ("allocation primaries", f"stop {name}", f"start {name}", "allocation None")
    ]
    assert "Restart the nodes: 2 hosts: one, two" in done.output
    assert "[green@two]" in done.output
    shown = program.show(program.runs()[0]["run"])
    assert {one["proof"] for one in shown["steps"]} == {"machine"}
    log = Path(step(shown, "joined@one")["attempts"][-1]["log"])
    assert log.exists()


@pytest.mark.timeout(600)
def test_the_authority_is_rotated_without_a_gap(tmp_path: Path, repository: Path, ssh: Ssh) -> None:
    pki = tmp_path / "pki"
    program = program_for(tmp_path, repository, ssh, "service", pki=str(pki))
    authority = program.cwd / "authority"
    authority.mkdir()
    key = "-newkey rsa:2048 -nodes"
    openssl(f"req -x509 {key} -subj /CN=Old -keyout old.key -out ca.crt", authority)
    for one in ssh.hosts:
        (pki / one.name).mkdir(parents=True)
        there = pki / one.name
        openssl(f"req {key} -subj /CN={one.name} -keyout host.key -out r", there)
        old = f"-CA {authority}/ca.crt -CAkey {authority}/old.key -CAcreateserial"
        openssl(f"x509 -req -in r {old} -out host.crt", there)
        shutil.copy(authority / "ca.crt", there)
    words = ["run", f"{EXAMPLES[1]}.yaml", "-e", "here", "--headless", "-p", "name=New One"]
    program.run(*words).expect(3)
    run = program.runs()[0]["run"]
    for one in ssh.hosts:
        assert (pki / one.name / "ca.crt").read_text() == (authority / "both.crt").read_text()
        assert issuer(pki / one.name) == "New One"
    program.run("resume", run, "--headless", "--yes").expect(0)
    for one in ssh.hosts:
        there = pki / one.name
        assert (there / "ca.crt").read_text() == (authority / "new.crt").read_text()
        openssl("verify -CAfile ca.crt host.crt", there)
        assert not (there / "host.key.new").exists()
    shown = program.show(run)
    keys = {one["id"] for one in shown["steps"]}
    assert {"both/put@one", "only/holds@two", "use@two", "sign@one"} <= keys
    assert all(one["status"] == "succeeded" for one in shown["steps"])


def openssl(words: str, where: Path) -> str:
    done = subprocess.run(
        ["openssl", *words.split()], cwd=where, check=True, capture_output=True, text=True
    )
    return done.stdout


def issuer(where: Path) -> str:
    said = openssl("x509 -noout -issuer -nameopt multiline -in host.crt", where)
    return said.rpartition("= ")[2].strip()
