"""`check` and `verify`: present, absent, or not found out, which is never taken for absent."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import ValidationError

from runbook_tui.actions import registry
from runbook_tui.actions.api import Finding, Host
from runbook_tui.actions.shared.host_resources import Use, parse
from state.status import Verdict
from tests.harness.actions import Bench, act, context, look, refused
from tests.harness.http import Reply, Web, as_json, serving
from tests.harness.postgres import Server
from tests.harness.sshd import Ssh

PRESENT, ABSENT, UNKNOWN = Verdict.PRESENT, Verdict.ABSENT, Verdict.UNKNOWN


@pytest.fixture
def web() -> Iterator[Web]:
    with serving() as server:
        yield server


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


@pytest.mark.parametrize(
    ("options", "verdict"),
    [
        ({"run": "true"}, PRESENT),
        ({"run": "false"}, UNKNOWN),
        ({"run": "false", "absent": 1}, ABSENT),
        ({"run": "exit 2", "absent": 1}, UNKNOWN),
        ({"run": "exit 2", "absent": [1, 2]}, ABSENT),
        ({"run": "kill -9 $$", "absent": [1, 137]}, UNKNOWN),
        ({"run": {"argv": ["nowhere-to-be-found"]}, "absent": 127}, UNKNOWN),
        ({"sql": "select 1", "expect": 1}, PRESENT),
        ({"sql": "select 2", "expect": 1}, ABSENT),
        ({"sql": "select nope", "expect": 1}, UNKNOWN),
        ({"sql": "select 1", "expect": 1, "database": "host=127.0.0.1 port=1"}, UNKNOWN),
        ({"smoke": "/up"}, PRESENT),
        ({"smoke": "/up", "expect": {"json": {"status": "ok"}}}, PRESENT),
        ({"smoke": "/up", "expect": {"json": {"status": "no"}}, "absent": 404}, UNKNOWN),
        ({"smoke": "/gone", "absent": 404}, ABSENT),
        ({"smoke": "/gone"}, UNKNOWN),
        ({"smoke": "http://127.0.0.1:1/", "absent": 404}, UNKNOWN),
    ],
)
def test_verdicts(
    bench: Bench, web: Web, postgres: Server, options: dict[str, object], verdict: Verdict
) -> None:
    web.reply = lambda asked: as_json({"status": "ok"}) if asked.path == "/up" else Reply(404)
    if "sql" in options:
        options = {"database": postgres.url()} | options
    if str(options.get("smoke", "")).startswith("/"):
        options = options | {"smoke": f"{web.url}{options['smoke']}"}
    assert look(bench.job("check", options)).verdict is verdict
    job = bench.job("check", options | {"finding": True})
    if verdict is UNKNOWN:
        failure = refused(job)
        assert (failure.cause, failure.effect) == ("unknown", "none")
        assert failure.sentence.startswith("It could not be found out: ")
    else:
        outcome = act(job)
        assert (outcome.verdict, outcome.outputs["verdict"]) == (verdict, verdict.value)


def test_absent_fails_a_check_that_is_no_finding(bench: Bench) -> None:
    failure = refused(bench.job("check", {"run": "exit 1", "absent": 1}))
    assert (failure.cause, failure.sentence) == ("absent", "exit 1 ended with exit code 1.")


def test_it_waits_until_it_is_there(bench: Bench) -> None:
    script = "echo x >> seen; test $(wc -l < seen) -ge 3"
    job = bench.job("check", {"run": script, "until": {"every": "10ms", "for": "5m"}})
    recorder = context(job)
    assert act(job, recorder).outputs == {"verdict": "present"}
    assert (bench.cwd / "seen").read_text() == "x\n" * 3
    assert len(recorder.lines) == 2
    assert recorder.lines[0].startswith("Looks again every 10ms; now: echo x >> seen; test")


def test_it_does_not_wait_for_ever(bench: Bench) -> None:
    options = {"run": "exit 1", "absent": 1, "until": {"every": "10ms", "for": "30ms"}}
    assert refused(bench.job("check", options)).cause == "absent"


def test_looks_at_hosts(bench: Bench, ssh: Ssh) -> None:
    first, second = ssh["app-1"].host, ssh["app-2"].host
    config = ssh.config(bench.cwd)

    def seen(options: dict[str, object], *hosts: Host) -> Finding:
        named = options | {"hosts": [host.name for host in hosts]}
        return look(bench.job("check", named, hosts=hosts, ssh_config=config))

    found = seen({"resources": {"cpu": 100, "memory": "100%", "disk": 100}}, first, second)
    assert found.verdict is PRESENT
    assert [item.data["host"] for item in found.evidence] == ["app-1", "app-2"]
    assert seen({"resources": {"memory": 0}}, first).verdict is ABSENT
    nowhere = {"disk": 100, "disks": ["/nowhere"]}
    assert seen({"resources": nowhere}, first).verdict is UNKNOWN
    assert seen({"ssh": "exit 4", "absent": 4}, first).verdict is ABSENT
    assert seen({"ssh": "exit 4"}, first).verdict is UNKNOWN
    script = f"case $SSH_CONNECTION in *{first.address}*) exit 4;; esac"
    found = seen({"ssh": script, "absent": 4}, first, second)
    assert (found.verdict, found.found, found.missing) == (
        Verdict.PARTIAL,
        ("app-2",),
        ("app-1",),
    )


def test_what_is_there_on_some_hosts_only_is_absent(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    some = Finding(Verdict.PARTIAL, "It is on app-2 only.")
    monkeypatch.setattr("runbook_tui.actions.check.perform.look", lambda job, context: some)
    assert refused(bench.job("check", {"run": "true"})).cause == "absent"


STAT = "cpu  100 0 100 700 100 0 0 0 0 0\n"
LATER = "cpu  160 0 120 810 110 0 0 0 0 0\n"
REST = """MemTotal:       1000 kB
MemAvailable:    250 kB
df Filesystem 1024-blocks Used Available Capacity Mounted on
df /dev/sda1 100 40 60 40% /
df tmpfs 100 80 20 80% /run
"""


def test_figures_of_a_host() -> None:
    use, ticks = parse(STAT + LATER + REST, None)
    assert use == Use(cpu=40.0, memory=75.0, disk=80.0)
    again, _ = parse(LATER + REST, ticks)
    assert again.cpu == 0.0
    for missing in ("cpu", "Mem", "df"):
        lines = [line for line in (STAT + LATER + REST).splitlines() if missing not in line]
        with pytest.raises(ValueError, match=r"has no|names no"):
            parse("\n".join(lines), None)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({}, "give exactly one of run, ssh, sql, smoke, resources"),
        ({"run": "a", "smoke": "b"}, "give exactly one of"),
        ({"run": "a", "database": "b"}, "database does not go beside this run"),
        ({"sql": {"query": "a", "database": "b"}, "expect": 1}, "expect does not go beside"),
        ({"sql": "a", "database": "b", "absent": 1}, "absent does not go beside this sql"),
        ({"sql": "a"}, "database"),
        ({"sql": {"query": "a", "database": "b", "write": True}}, "a look changes nothing"),
        ({"resources": {"cpu": 1}}, "resources needs hosts"),
        ({"resources": {}, "hosts": "app"}, "at least one of cpu, memory and disk"),
        ({"ssh": "a"}, "hosts"),
    ],
)
def test_options_that_are_refused(options: dict[str, object], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        registry.spec("check").options.model_validate(options)
