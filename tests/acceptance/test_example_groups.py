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

import httpx
import pytest

from runbook_tui import exits
from tests.harness import search_node
from tests.harness.here import until
from tests.harness.program import Program, step
from tests.harness.sshd import Ssh, Sshd, ssh_hosts

EXAMPLES = (
    "elasticsearch-rolling-restart",
    "certificate-authority-rotation",
    "nginx-configuration",
)


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


@pytest.fixture
def servers(tmp_path: Path, ssh: Ssh) -> Iterator[Path]:
    """A folder with the configurations of a running nginx a host, each answering `old`."""
    etc = tmp_path / "etc"
    etc.mkdir()
    with socket.create_server((ssh.hosts[0].address, 0)) as free:
        (etc / "port").write_text(str(free.getsockname()[1]))
    for one in ssh.hosts:
        (etc / f"{one.name}.conf").write_text(configured(etc, one, "return 200 old;"))
    commands = [["nginx", "-e", "stderr", "-c", str(etc / f"{one.name}.conf")] for one in ssh.hosts]
    for command in commands:
        subprocess.run(command, check=True)
    try:
        yield etc
    finally:
        for command in commands:
            subprocess.run([*command, "-s", "stop"], check=True)


def configured(etc: Path, host: Sshd, answer: str) -> str:
    """Return an nginx's configuration."""
    where = f"{host.address}:{(etc / 'port').read_text()}"
    return (
        f"pid {etc}/{host.name}.pid; error_log stderr; events {{}}\n"
        f"http {{ access_log off; server {{ listen {where}; location / {{ {answer} }} }} }}\n"
    )


@pytest.mark.timeout(600)
def test_a_configuration_that_nginx_refuses_is_never_used_and_a_bad_one_is_taken_back(
    tmp_path: Path, repository: Path, ssh: Ssh, servers: Path
) -> None:
    port = (servers / "port").read_text()
    program = program_for(tmp_path, repository, ssh, "web", etc=str(servers), port=port)
    (program.cwd / "configuration").mkdir()

    def roll_out(one: str, two: str, *answers: str) -> int:
        for host, answer in zip(ssh.hosts, (one, two), strict=True):
            file = program.cwd / "configuration" / f"{host.name}.conf"
            file.write_text(configured(servers, host, answer))
        words = ["run", f"{EXAMPLES[2]}.yaml", "-e", "here", "--headless", "--yes"]
        return program.run(*words, *answers).code

    def all_say(word: str) -> bool:
        where = [f"http://{host.address}:{port}/" for host in ssh.hosts]
        return all(httpx.get(one, trust_env=False).text == word for one in where)

    assert roll_out("return 200 new;", "return 200 new;") == exits.DONE
    until(lambda: all_say("new"))
    answer = ("--answer", "accepted@two=rollback")
    assert roll_out("return 200 newer;", "retrun 200;", *answer) == exits.ROLLED_BACK
    until(lambda: all_say("new"))
    for host in ssh.hosts:
        used = (servers / f"{host.name}.conf").read_text()
        assert used == configured(servers, host, "return 200 new;")
    shown = program.show(program.runs()[1]["run"])
    assert step(shown, "accepted@two")["status"] == "failed"
    assert step(shown, "use@one")["status"] == "undone"
    assert step(shown, "use@two")["status"] == "pending"


def openssl(words: str, where: Path) -> str:
    done = subprocess.run(
        ["openssl", *words.split()], cwd=where, check=True, capture_output=True, text=True
    )
    return done.stdout


def issuer(where: Path) -> str:
    said = openssl("x509 -noout -issuer -nameopt multiline -in host.crt", where)
    return said.rpartition("= ")[2].strip()
