"""Approvals by real database roles: who counts, for what, and until when."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import psycopg
import pytest

from runbook_tui import exits
from runbook_tui.engine import approvals
from state.fold import fold
from state.stores.location import Location
from tests.people.conftest import Team

pytestmark = pytest.mark.timeout(300)

STEP = "- {id: a, run: echo a >> a.txt, confirm: {approval: {roles: [release], count: 2}}}\n"


@pytest.fixture
def run(team: Team) -> str:
    """A run that dana started, and that waits for two others to approve its only step."""
    team.write(STEP, "parameters: {version: {default: v1}}\n")
    waits = team.operator("dana").run("run", "a.yaml", "--headless", "--yes")
    waits.expect(exits.WAITS)
    started = team.records()[0].run
    for said in (
        "2 other people must approve it: anyone but dana in group release",
        f"runbook approve {started} a --reason",
        f"then, within the hour, run: runbook resume {started}",
    ):
        assert said in waits.output
    return started


def sent(team: Team, name: str, **changed: str) -> None:
    """Let somebody send an approval as the command does, with something changed about it."""
    who = team.operator(name)
    with Location(who.state, who.url).open() as store:
        run = store.journal.runs()[0]
        state = fold(store.journal.read(run))
        data: dict[str, Any] = {**approvals.data(state.questions[0], state, "ok"), **changed}
        store.inbox.send(run, "approve", data, sender=name, host="desk")


def refusals(team: Team) -> list[Mapping[str, Any]]:
    return [
        one.data for one in team.records() if one.kind == "message_taken" and one.data["refused"]
    ]


def test_two_others_who_may_must_say_so(team: Team, run: str) -> None:
    def says(name: str, code: int) -> str:
        return team.operator(name).run("approve", run, "a", "--as", "lee").expect(code).output

    assert "cannot approve it" in says("dana", exits.USAGE)
    assert "none of the roles" in says("kim", exits.USAGE)
    assert "takes it along" in says("lee", exits.DONE)
    resume = ("resume", run, "--headless")
    again = team.operator("dana").run(*resume).expect(exits.WAITS)
    assert "approved by lee@" in again.output
    assert not (team.work / "a.txt").exists()
    says("sam", exits.DONE)
    team.operator("dana").run(*resume).expect(exits.DONE)
    assert (team.work / "a.txt").read_text() == "a\n"
    given = [one.data["identity"] for one in team.records() if one.kind == "approval_given"]
    assert given == ["lee", "sam"]
    assert refusals(team) == []


def test_what_does_not_count_is_refused_by_whoever_drives(team: Team, run: str) -> None:
    sent(team, "lee", binding="0" * 64)
    sent(team, "sam")
    owner = team.server.url(team.database)
    with psycopg.connect(owner, autocommit=True) as connection:
        connection.execute(
            "update runbook.inbox set at = '2026-01-01T00:00:00.000000Z' where sender = 'sam'"
        )
    sent(team, "dana")
    sent(team, "kim")
    team.operator("dana").run("resume", run, "--headless").expect(exits.WAITS)
    said = [str(one["refused"]) for one in refusals(team)]
    reasons = ["changed since", "expired", "cannot approve it", "none of the roles"]
    assert [reason for reason in reasons if any(reason in one for one in said)] == reasons
    assert not (team.work / "a.txt").exists()


def test_a_refusal_is_the_steps_outcome(team: Team, run: str) -> None:
    team.operator("lee").run("deny", run, "a", "--reason", "not today").expect(exits.DONE)
    resumed = team.operator("dana").run("resume", run, "--headless", "--answer", "a=abort")
    resumed.expect(exits.ABORTED)
    assert "lee@" in resumed.output
    assert "refused: not today" in resumed.output
    assert not (team.work / "a.txt").exists()
