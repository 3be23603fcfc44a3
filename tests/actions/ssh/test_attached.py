"""Attached scripts: when the connection ends, nobody knows how they ended."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.actions.ssh.acting import Step
from tests.harness.sshd import Ssh

ATTACHED = {"attached": True}


@pytest.mark.parametrize(
    ("script", "words"),
    [
        (
            'rm -r "${RUNBOOK_OUTPUT%/*}"; kill -9 $PPID; sleep 0.2',
            "The connection to app-1 was lost",
        ),
        ("kill -9 $$", "was ended by a signal"),
    ],
)
def test_without_an_exit_code_the_outcome_is_unknown(
    ssh: Ssh, tmp_path: Path, script: str, words: str
) -> None:
    failed, _ = Step(ssh, tmp_path, script, ["app-1"], ATTACHED).fail()
    assert words in failed.sentence
    assert failed.unknown
    assert failed.exit_code is None


def test_a_process_in_the_background_does_not_hold_the_step(ssh: Ssh, tmp_path: Path) -> None:
    _, here = Step(ssh, tmp_path, "sleep 300 & echo $!", ["app-1"], ATTACHED).run()
    pid = here.text().split("app-1 | ")[1].strip()
    assert "still holds the output" in here.text()
    Path(f"/proc/{pid}").stat()
    here.run(["kill", pid])
