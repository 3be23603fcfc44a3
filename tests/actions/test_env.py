"""`env`: variables are reviewed and never shown."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from runbook_tui.actions.api import Host
from runbook_tui.actions.env.difference import by_host, difference
from runbook_tui.actions.env.review import FileFault, parse, review
from tests.harness.actions import Bench, act, context, refused
from tests.harness.docker import BASE, base_archive
from tests.harness.fleet import Fleet


@pytest.mark.parametrize(
    ("rule", "value", "fault"),
    [
        (None, "something", None),
        (None, "", "is empty"),
        ({"optional": True}, "", None),
        ({"optional": True}, "changeme", "looks like a placeholder"),
        (None, "<your-key>", "looks like a placeholder"),
        (None, "CHANGE_ME", "looks like a placeholder"),
        (None, "your-secret-key", "looks like a placeholder"),
        (None, "${KEY}", "looks like a placeholder"),
        (None, "xxxx", "looks like a placeholder"),
        (None, "put key here", "looks like a placeholder"),
        ({"placeholder": True}, "example", None),
        (None, "an example of a key", None),
        ({"min_length": 4}, "abc", "has 3 characters, and at least 4 were expected"),
        ({"pattern": r"\d+"}, "12", None),
        ({"pattern": r"\d+"}, "12a", r"does not match \d+"),
        ({"choices": ["a", "b"]}, "c", "is none of a, b"),
    ],
)
def test_rules(rule: dict[str, object] | None, value: str, fault: str | None) -> None:
    (found,) = review({"X": value}, {"X": rule}, known_only=False)
    assert found.fault == fault


def test_missing_and_unknown_ones() -> None:
    found = review({"A": "1", "B": "1"}, {"A": None, "C": None}, known_only=True)
    assert [(each.name, each.fault) for each in found] == [
        ("A", None),
        ("C", "is missing"),
        ("B", "has no rule"),
    ]


def test_files() -> None:
    text = "# x\nA=1\nexport B = two words # why\nC='a # b' # c\nD=\"q\"\nE=a#b\nA=2\n\n"
    assert parse(text) == {"A": "2", "B": "two words", "C": "a # b", "D": "q", "E": "a#b"}
    for line in ("no assignment", "A='open"):
        with pytest.raises(FileFault, match="line 1"):
            parse(line)


def test_a_review_shows_no_value(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("KEY=hidden-value\nMODE=hidden-mode\nEXTRA=1\n")
    options = {
        "file": ".env",
        "values": {"TOKEN": "hidden-token", "PORT": 8080},
        "rules": {"KEY": {"min_length": 4}, "TOKEN": None, "PORT": {"pattern": r"\d+"}},
    }
    recorder = context(job := Bench(tmp_path).job("env", options))
    outcome = act(job, recorder)
    assert outcome.outputs == {"checked": "3"}
    assert "hidden" not in recorder.text() + repr(outcome)
    failing = options | {"rules": {"MODE": {"choices": ["x"]}, "NONE": None}, "known_only": True}
    recorder = context(job := Bench(tmp_path).job("env", failing))
    failure = refused(job, recorder)
    assert failure.sentence == (
        "6 of 6 variables are not as they should be: MODE is none of x; NONE is missing; "
        "KEY has no rule; EXTRA has no rule; TOKEN has no rule; and 1 more."
    )
    assert "hidden" not in recorder.text() + repr(failure.evidence)


def test_variables_of_this_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REVIEWED", "yes")
    assert act(Bench(tmp_path).job("env", {"rules": {"REVIEWED": None}})).outputs == {
        "checked": "1"
    }


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    failure = refused(Bench(tmp_path).job("env", {"file": ".env", "rules": {"A": None}}))
    assert failure.sentence.endswith(".env cannot be reviewed: No such file or directory.")


def test_a_difference_is_told_by_names() -> None:
    there = {"SAME": "1", "OTHER": "old", "OLD": "1", "PORT": "8081"}
    found = difference({"SAME": "1", "OTHER": "new", "ADDED": "1"}, there, ["PORT"])
    assert found.told() == "new ADDED; changed OTHER; gone OLD"
    assert difference(there, there, []).told() == "no difference"
    told = {"app-1": "new ADDED", "app-2": "no difference", "app-3": "new ADDED"}
    assert by_host(told) == "app-1, app-3: new ADDED; app-2: no difference"


@pytest.fixture
def in_service(fleet: Fleet) -> Iterator[None]:
    """A container of a service that runs on app-1, with variables."""
    given = {"SAME": "hidden-a", "CHANGED": "hidden-b", "GONE": "hidden-c", "PORT": "8081"}
    name, tag = BASE.split(":")
    with fleet.client("app-1") as client:
        client.import_image_from_data(base_archive(), repository=name, tag=tag)
        made = client.create_container(
            BASE,
            ["/usr/bin/python3", "-S", "-c", "import time; time.sleep(600)"],
            labels={"runbook.service": "reviewed"},
            environment={**given, "PYTHONHOME": "/usr"},
            host_config=client.create_host_config(network_mode="host"),
        )
        client.start(made["Id"])
        yield
        client.remove_container(made["Id"], force=True, v=True)


@pytest.mark.usefixtures("in_service")
def test_variables_are_compared_with_what_is_in_service(fleet: Fleet, tmp_path: Path) -> None:
    values = {"SAME": "hidden-a", "CHANGED": "hidden-x", "NEW": "hidden-y"}
    there = {"service": "reviewed", "socket": fleet.sockets, "besides": ["PORT", "PYTHONHOME"]}
    options = {
        "values": values,
        "rules": dict.fromkeys(values),
        "hosts": "app",
        "in_service": there,
        "connect_timeout": 60,
    }
    job = Bench(tmp_path).job("env", options, hosts=fleet.hosts, ssh_config=fleet.ssh_config)
    outcome = act(job, recorder := context(job))
    compared = outcome.outputs["difference"]
    found, _, nothing = compared.partition("; app-2: ")
    assert found == "app-1: new NEW; changed CHANGED; gone GONE"
    assert nothing == "nothing is in service to compare with"
    assert outcome.evidence[-1].summary == f"Compared with what is in service: {compared}"
    assert f"{found} (than " in recorder.text()
    assert "hidden" not in recorder.text() + repr(outcome)


def test_a_host_that_cannot_be_reached_is_no_difference(fleet: Fleet, tmp_path: Path) -> None:
    options = {
        "values": {"A": "1"},
        "rules": {"A": None},
        "hosts": ["app-9"],
        "in_service": {"service": "reviewed"},
    }
    hosts = [Host("app-9", None, "127.0.0.1", 1)]
    failure = refused(Bench(tmp_path).job("env", options, hosts=hosts, ssh_config=fleet.ssh_config))
    assert (failure.effect, failure.cause) == ("none", "connection")
    assert "app-9" in failure.sentence
