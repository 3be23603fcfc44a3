"""Deployments to real engines behind a real proxy: no lost request, one container a host."""

from __future__ import annotations

import http.client
import json
import re
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from runbook_tui.actions.api import ActionFailed, Host, Job, Stopped
from runbook_tui.actions.deploy.perform import perform, probe
from state.status import Verdict
from tests.harness.fleet import Fleet
from tests.harness.here import FaultReached, Here, job, until

# A deployment takes about 30 processes' starts; on a busy machine each takes its time.
pytestmark = pytest.mark.timeout(600)

SECRET = "s3cret-of-the-service"
PORTS: list[str] = []


@pytest.fixture(scope="module")
def versions(fleet: Fleet, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    """Two versions of the service, and one that is never healthy, in the registry, by digest."""
    folder = tmp_path_factory.mktemp("versions")
    return {name: fleet.published(folder / name, name) for name in ("v1", "v2", "ill")}


@pytest.fixture(scope="module", autouse=True)
def _ports(fleet: Fleet) -> None:
    """Choose the service's ports once, so that one deployment finds the other's container."""
    PORTS.append(fleet.ports(3))


@pytest.fixture(scope="module", autouse=True)
def _no_containers_left(fleet: Fleet) -> Iterator[None]:
    """Health checks of containers that stay would take time from other tests."""
    yield
    fleet.remove_containers()


def _job(fleet: Fleet, image: str, hosts: list[Host] | None = None, **docker: Any) -> Job:
    there = fleet.hosts if hosts is None else hosts
    options = {
        "image": image,
        "service": "hub",
        "ports": PORTS[0],
        "socket": fleet.sockets,
        "auth": fleet.auth,
        "proxy": {**fleet.proxy, "drain": "60s"},
        "health": {"url": "http://{address}:{port}/", "within": "90s"},
        "stop_within": "60s",
        "read_only": True,
        "cap_drop": ["ALL"],
        "memory": "128m",
        **docker,
    }
    options["env"] = {
        "HOST": "{address}",
        "PORT": "{port}",
        "TOLD": SECRET,
        "SLOW": "0.1",
        **docker.get("env", {}),
    }
    return job(
        "deploy",
        {"hosts": [host.name for host in there], "docker": options, "connect_timeout": 60},
        cwd=Path("/"),
        hosts=there,
        step="production",
        ssh_config=fleet.ssh_config,
    )


def _versions_by_host(fleet: Fleet) -> dict[str, list[str]]:
    """Return the images, by digest, of all containers of each host, running or not."""
    return {
        host.name: [one["Labels"]["runbook.image"] for one in fleet.containers(host.name)]
        for host in fleet.hosts
    }


def _in_service(
    fleet: Fleet, versions: Mapping[str, str], tmp_path: Path, hosts: int = 1
) -> tuple[str, str]:
    """Have one version in service on the first hosts; returns the name of it and of the other."""
    there = [_versions_by_host(fleet)[host.name] for host in fleet.hosts[:hosts]]
    old, new = ("v2", "v1") if there[0] == [versions["v2"]] else ("v1", "v2")
    if there != [[versions[old]]] * hosts:
        perform(_job(fleet, versions[old], fleet.hosts[:hosts]), Here(tmp_path))
    return old, new


def _live_version(fleet: Fleet) -> str:
    """Return the version that answers where the proxy's file for app-1 points to."""
    place = re.search(r"server (\S+);", fleet.live_file("app-1").read_text())
    assert place
    link = http.client.HTTPConnection(place[1], timeout=60)
    link.request("GET", "/")
    answer = json.loads(link.getresponse().read())
    link.close()
    return str(answer["version"])


class Visitors:
    """Ask the proxy again and again, each time over a new connection, and count the answers."""

    def __init__(self, fleet: Fleet) -> None:
        self._place = urlsplit(fleet.url)
        self._trust = fleet.trust()
        self._over = threading.Event()
        self.answers: Counter[str] = Counter()
        self._threads = [threading.Thread(target=self._visit) for _ in range(2)]

    def _visit(self) -> None:
        while not self._over.is_set():
            self.answers[self.once()] += 1

    def once(self) -> str:
        """Return the version that answers, or what went wrong."""
        link = http.client.HTTPSConnection(self._place.netloc, timeout=90, context=self._trust)
        try:
            link.request("GET", "/")
            answer = link.getresponse()
            body = answer.read()
            return str(json.loads(body)["version"]) if answer.status == 200 else str(answer.status)
        except (OSError, ValueError, http.client.HTTPException) as fault:
            return repr(fault)
        finally:
            link.close()

    def __enter__(self) -> Visitors:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *fault: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()


def test_a_new_version_replaces_the_old_without_a_lost_request(
    fleet: Fleet, versions: Mapping[str, str], tmp_path: Path
) -> None:
    fleet.remove_containers()
    first = perform(_job(fleet, versions["v1"]), Here(tmp_path))
    assert "previous" not in first.outputs
    order = _job(fleet, versions["v2"])
    assert probe(order, Here(tmp_path)).verdict is Verdict.ABSENT
    here = Here(tmp_path)
    with Visitors(fleet) as visitors:
        until(lambda: visitors.answers["v1"] > 10)
        done = perform(order, here)
        seen = visitors.answers["v2"]
        until(lambda: visitors.answers["v2"] > seen + 10)
    assert set(visitors.answers) == {"v1", "v2"}
    assert Visitors(fleet).once() == "v2"

    assert _versions_by_host(fleet) == {"app-1": [versions["v2"]], "app-2": [versions["v2"]]}
    assert done.outputs["previous"] == versions["v1"]
    assert done.outputs["digest"] == versions["v2"].rpartition("@")[2]
    addresses = {host: values["address"] for host, values in done.by_host.items()}
    assert addresses == {"app-1": "127.20.0.11", "app-2": "127.20.0.12"}
    assert here.hosts["app-2"] == ["waiting", "running", "done"]
    points = ["deploy.started", "deploy.healthy", "deploy.switched", "deploy.stopped"]
    assert here.reached == points * 2
    found = probe(order, Here(tmp_path))
    assert found.verdict is Verdict.PRESENT
    assert (found.by_host, found.evidence) == (done.by_host, done.evidence)
    assert SECRET not in f"{here.text()}{found}{done}"


def test_the_container_has_what_it_was_given_and_is_adopted_by_a_later_run(
    fleet: Fleet, versions: Mapping[str, str], tmp_path: Path
) -> None:
    old, _ = _in_service(fleet, versions, tmp_path)
    (container,) = fleet.containers("app-1")
    with fleet.client("app-1") as client:
        details = client.inspect_container(container["Id"])
    assert f"TOLD={SECRET}" in details["Config"]["Env"]
    assert details["Config"]["Labels"]["runbook.run"] == "1123-k7f3"
    assert details["HostConfig"]["RestartPolicy"]["Name"] == "unless-stopped"
    assert details["HostConfig"]["ReadonlyRootfs"]
    assert details["HostConfig"]["CapDrop"] == ["ALL"]
    order = replace(_job(fleet, versions[old], fleet.hosts[:1]), run="1123-zzzz")
    done = perform(order, Here(tmp_path))
    assert [one["Id"] for one in fleet.containers("app-1")] == [container["Id"]]
    assert done.outputs["container"] == container["Names"][0].lstrip("/")


@pytest.mark.parametrize(
    ("point", "hosts", "verdict"),
    [
        ("deploy.started", 1, Verdict.ABSENT),
        ("deploy.healthy", 1, Verdict.ABSENT),
        ("deploy.switched", 1, Verdict.PARTIAL),
        ("deploy.stopped", 2, Verdict.PARTIAL),
    ],
)
def test_an_attempt_goes_on_where_a_killed_one_stopped(
    fleet: Fleet,
    versions: Mapping[str, str],
    tmp_path: Path,
    point: str,
    hosts: int,
    verdict: Verdict,
) -> None:
    old, new = _in_service(fleet, versions, tmp_path, hosts)
    order = _job(fleet, versions[new], fleet.hosts[:hosts])
    with pytest.raises(FaultReached):
        perform(order, Here(tmp_path, cut=point))
    found = probe(order, Here(tmp_path))
    assert found.verdict is verdict
    assert found.missing[-1].startswith("app-" + str(hosts))
    assert not {*found.found} & {*found.missing}
    assert found.left == (f"app-{hosts}",)
    (started,) = [
        one["Id"]
        for one in fleet.containers("app-1")
        if one["Labels"]["runbook.image"] == versions[new]
    ]
    done = perform(order, Here(tmp_path))
    for host in fleet.hosts[:hosts]:
        assert _versions_by_host(fleet)[host.name] == [versions[new]]
    assert fleet.containers("app-1")[0]["Id"] == started
    assert done.outputs["previous"] == versions[old]
    assert probe(order, Here(tmp_path)).verdict is Verdict.PRESENT


def test_a_proxy_that_cannot_be_reloaded_keeps_the_old_container(
    fleet: Fleet, versions: Mapping[str, str], tmp_path: Path
) -> None:
    old, new = _in_service(fleet, versions, tmp_path)
    host = fleet.hosts[:1]
    lame = {**fleet.proxy, "command": ["true"], "pid_file": "/nowhere/nginx.pid"}
    with pytest.raises(ActionFailed, match="nginx could not be reloaded") as raised:
        perform(_job(fleet, versions[new], host, proxy=lame), Here(tmp_path))
    assert raised.value.effect == "partial"
    assert set(_versions_by_host(fleet)["app-1"]) == {versions[old], versions[new]}
    assert _live_version(fleet) == new
    perform(_job(fleet, versions[new], host), Here(tmp_path))
    assert _versions_by_host(fleet)["app-1"] == [versions[new]]


def test_what_another_attempt_left_is_removed(
    fleet: Fleet, versions: Mapping[str, str], tmp_path: Path
) -> None:
    _, new = _in_service(fleet, versions, tmp_path)
    host = fleet.hosts[:1]
    with pytest.raises(FaultReached):
        perform(_job(fleet, versions[new], host), Here(tmp_path, cut="deploy.started"))
    here = Here(tmp_path)
    perform(_job(fleet, versions[new], host, env={"MORE": "1"}), here)
    assert "left by an earlier attempt" in here.text()
    assert _versions_by_host(fleet)["app-1"] == [versions[new]]


@pytest.mark.parametrize(
    ("docker", "words"),
    [
        ({"image": "ill", "health": {}}, "is not healthy: its health check says unhealthy"),
        ({"env": {"PORT": "no number"}}, "is not healthy: it ended with exit code 1"),
        ({"health": {"url": "http://{address}:1/", "within": "1s"}}, "not healthy within 1 s: "),
        ({"volumes": ["no/folder"]}, "could not be started on app-1: "),
        ({"proxy": {"command": ["false"]}}, "is refused by nginx -t, so it was put back as it was"),
        ({"image": "@sha256:" + "0" * 64}, "could not be pulled: .*manifest unknown"),
    ],
)
def test_what_fails_before_the_switch_leaves_everything_as_it_was(
    fleet: Fleet,
    versions: Mapping[str, str],
    tmp_path: Path,
    docker: dict[str, Any],
    words: str,
) -> None:
    old, new = _in_service(fleet, versions, tmp_path, hosts=2)
    named = docker.get("image", new)
    image = versions.get(named, f"{fleet.registry}/fleet{named}")
    given = {**docker, "image": image}
    if "proxy" in docker:
        given["proxy"] = {**fleet.proxy, **docker["proxy"]}
    before = fleet.live_file("app-1").read_text()
    here = Here(tmp_path)
    order = _job(fleet, **given)
    with pytest.raises(ActionFailed, match=words) as raised:
        perform(order, here)
    assert raised.value.sentence.endswith("app-2 was not touched.")
    assert raised.value.effect == "none"
    assert fleet.live_file("app-1").read_text() == before
    assert _live_version(fleet) == old
    if raised.value.cause == "unhealthy":
        assert "the last words of hub-" in here.text()
        assert _versions_by_host(fleet)["app-1"] == [versions[old]]
        assert probe(order, Here(tmp_path)).verdict is Verdict.ABSENT


def test_a_host_that_cannot_be_reached_is_told_apart_from_those_done(
    fleet: Fleet, versions: Mapping[str, str], tmp_path: Path
) -> None:
    old, other = _in_service(fleet, versions, tmp_path)
    if _versions_by_host(fleet)["app-2"] != [versions[other]]:
        perform(_job(fleet, versions[other], fleet.hosts[1:2]), Here(tmp_path))
    lost = Host("app-9", None, "127.0.0.1", 1)
    order = _job(fleet, versions[old], [fleet.hosts[0], lost, fleet.hosts[1]])
    with pytest.raises(ActionFailed) as raised:
        perform(order, Here(tmp_path))
    assert raised.value.sentence.endswith("app-1 already has the new image. app-2 was not touched.")
    assert (raised.value.effect, raised.value.cause) == ("partial", "connection")
    assert list(raised.value.by_host) == ["app-1"]
    found = probe(order, Here(tmp_path))
    assert found.verdict is Verdict.UNKNOWN
    assert found.found[0].startswith("app-1: ")
    there = _versions_by_host(fleet)["app-2"] == [versions[old]]
    known = found.found[1:] if there else found.missing
    assert [line.partition(":")[0] for line in known] == ["app-2"]
    assert found.left == (() if there else ("app-2",))
    assert "app-9" in found.unclear[0]


def test_a_stop_removes_what_serves_nobody(
    fleet: Fleet, versions: Mapping[str, str], tmp_path: Path
) -> None:
    old, new = _in_service(fleet, versions, tmp_path)
    here = Here(tmp_path)

    def stop() -> None:
        until(lambda: any("answers 200 and not 204" in line for line in here.lines))
        here.stop()

    thread = threading.Thread(target=stop)
    thread.start()
    health = {"url": "http://{address}:{port}/", "status": 204, "within": "120s"}
    with pytest.raises(Stopped):
        perform(_job(fleet, versions[new], fleet.hosts[:1], health=health), here)
    thread.join()
    assert _versions_by_host(fleet)["app-1"] == [versions[old]]


def test_without_a_proxy_the_old_one_goes_when_the_new_one_is_healthy(
    fleet: Fleet, versions: Mapping[str, str], tmp_path: Path
) -> None:
    host = fleet.hosts[:1]
    ports = fleet.ports(2)
    alone = {"proxy": None, "service": "alone", "ports": ports}
    first = perform(_job(fleet, versions["v1"], host, **alone), Here(tmp_path))
    order = _job(fleet, versions["v2"], host, **alone)
    done = perform(order, Here(tmp_path))
    assert f"{first.outputs['port']}-{done.outputs['port']}" == ports
    assert done.outputs["previous"] == versions["v1"]
    names = [one["Names"] for one in fleet.containers("app-1") if "/alone" in one["Names"][0]]
    assert names == [[f"/alone-{done.outputs['port']}"]]
    assert probe(order, Here(tmp_path)).verdict is Verdict.PRESENT


def _back(order: Job, run: str) -> Job:
    """Return what takes a run's deployment back where it had nothing to go back to."""
    docker = {**order.options["docker"], "image": "", "takes_back": run}
    return replace(order, run=f"{run}-back", options={**order.options, "docker": docker})


def test_a_first_deployment_is_taken_back_by_what_it_put_there(
    fleet: Fleet, versions: Mapping[str, str], tmp_path: Path
) -> None:
    fleet.remove_containers()
    order = _job(fleet, versions["v1"])
    perform(order, Here(tmp_path))
    back = _back(order, order.run)
    assert probe(back, Here(tmp_path)).verdict is Verdict.ABSENT

    with pytest.raises(FaultReached):
        perform(back, Here(tmp_path, cut="deploy.withdrawn"))
    assert re.search(r"^server \S+ down;$", fleet.live_file("app-1").read_text(), re.MULTILINE)
    assert Visitors(fleet).once() == "v1"  # by app-2
    found = probe(back, Here(tmp_path))
    assert found.verdict is Verdict.ABSENT
    assert found.left == ("app-1", "app-2")

    with pytest.raises(FaultReached):
        perform(back, Here(tmp_path, cut="deploy.removed"))
    assert fleet.containers("app-1") == []
    found = probe(back, Here(tmp_path))
    assert found.verdict is Verdict.PARTIAL
    assert found.left == ("app-2",)
    assert found.missing[0].endswith(f" is there, put there by {order.run}")

    done = perform(back, Here(tmp_path))
    assert _versions_by_host(fleet) == {"app-1": [], "app-2": []}
    assert Visitors(fleet).once() == "502"
    assert done.outputs == {}
    again = Here(tmp_path)
    assert perform(back, again).evidence == done.evidence
    assert again.reached == []
    found = probe(back, Here(tmp_path))
    assert (found.verdict, found.evidence) == (Verdict.PRESENT, done.evidence)


def test_what_a_run_replaced_comes_back_and_what_others_put_there_stays(
    fleet: Fleet, versions: Mapping[str, str], tmp_path: Path
) -> None:
    fleet.remove_containers()
    first = _job(fleet, versions["v1"], fleet.hosts[:1])
    perform(first, Here(tmp_path))
    later = replace(_job(fleet, versions["v2"], fleet.hosts[:1]), run="1123-zzzz")
    perform(later, Here(tmp_path))
    before = fleet.live_file("app-1").read_text()

    perform(_back(first, first.run), Here(tmp_path))
    found = probe(_back(first, first.run), Here(tmp_path))
    assert found.verdict is Verdict.PRESENT
    assert found.summary.endswith("stays, put there by others")
    assert fleet.live_file("app-1").read_text() == before

    back = _back(later, later.run)
    assert probe(back, Here(tmp_path)).verdict is Verdict.ABSENT
    done = perform(back, Here(tmp_path))
    assert _versions_by_host(fleet)["app-1"] == [versions["v1"]]
    assert done.by_host["app-1"]["digest"] == versions["v1"].rpartition("@")[2]
    assert probe(back, Here(tmp_path)).verdict is Verdict.PRESENT
