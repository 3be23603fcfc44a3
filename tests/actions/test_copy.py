"""Files on real hosts: replaced as a whole, with their rights, proven by the host's own SHA-256."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from runbook_tui.actions.api import ActionFailed, Job
from runbook_tui.actions.copy.perform import perform, probe
from state.status import Verdict
from tests.harness.here import FaultReached, Here, job
from tests.harness.sshd import Ssh


def _job(ssh: Ssh, tmp_path: Path, *hosts: str, **options: Any) -> Job:
    """The hosts are this machine, so each file lands once, whoever it is copied to."""
    names = hosts or ("app-1",)
    return job(
        "copy",
        {"hosts": list(names), "connect_timeout": 60, **options},
        cwd=tmp_path,
        hosts=[ssh[name].host for name in names],
        ssh_config=ssh.config(tmp_path / "ssh"),
    )


def test_a_file_is_replaced_as_a_whole_and_found_again(ssh: Ssh, tmp_path: Path) -> None:
    content = bytes(range(256)) * 10_000
    (tmp_path / "app.bin").write_bytes(content)
    to = tmp_path / "to"
    to.mkdir()
    name = "it's $(touch pwned) -x"
    (to / name).write_text("old")
    old = (to / name).stat().st_ino
    order = _job(ssh, tmp_path, **{"from": "app.bin"}, to=f"{to}/{name}", mode=640, owner="root")
    assert probe(order, Here(tmp_path)).verdict is Verdict.ABSENT
    here = Here(tmp_path)
    done = perform(order, here)
    assert (to / name).read_bytes() == content
    assert (to / name).stat().st_mode & 0o7777 == 0o640
    assert (to / name).stat().st_ino != old
    assert [path.name for path in to.iterdir()] == [name]
    sha256 = hashlib.sha256(content).hexdigest()
    assert done.outputs == {"path": f"{to}/{name}", "sha256": sha256}
    found = probe(order, Here(tmp_path))
    assert found.verdict is Verdict.PRESENT
    assert (found.by_host, found.evidence) == (done.by_host, done.evidence)

    kept = (to / name).stat().st_ino
    perform(order, here)
    assert "is there already" in here.text()
    assert (to / name).stat().st_ino == kept
    (to / name).chmod(0o600)
    assert "has mode 600" in probe(order, Here(tmp_path)).summary
    (to / name).write_text("changed")
    assert "has other contents" in probe(order, Here(tmp_path)).summary


def test_several_files_keep_their_names_in_a_folder(ssh: Ssh, tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).write_text(name)
    to = tmp_path / "to"
    to.mkdir()
    order = _job(ssh, tmp_path, "app-1", "app-2", **{"from": ["one", "two"]}, to=f"{to}/")
    (to / "one").write_text("one")
    (to / "one").chmod(0o644)
    found = probe(order, Here(tmp_path))
    assert found.verdict is Verdict.PARTIAL
    assert found.found[0].startswith(f"app-1: {to}/one is ")
    assert f"app-1: no {to}/two" in found.missing
    assert found.left == ("app-1", "app-2")
    done = perform(order, Here(tmp_path))
    assert {path.name: path.read_text() for path in to.iterdir()} == {"one": "one", "two": "two"}
    assert set(done.by_host) == {"app-1", "app-2"}
    assert done.outputs["path"] == f"{to}/one\n{to}/two"
    with pytest.raises(ActionFailed, match="2 files cannot all become"):
        perform(replace(order, options={**order.options, "to": f"{to}/file"}), Here(tmp_path))


class _Watched(Here):
    """Calls `at_work` whenever a part is sent."""

    at_work: Callable[[], None] = staticmethod(lambda: None)

    def progress(self, text: str, fraction: float | None = None) -> None:
        super().progress(text, fraction)
        self.at_work()


def test_what_a_dead_try_still_does_meets_nothing_of_the_next(ssh: Ssh, tmp_path: Path) -> None:
    """Its last command may run on there, and puts its own draft in place, whenever that is."""
    content = bytes(range(256)) * 20_000
    (tmp_path / "app.bin").write_bytes(content)
    to = tmp_path / "to"
    to.mkdir()
    goal = to / "app.bin"
    goal.write_text("old")
    order = _job(ssh, tmp_path, **{"from": "app.bin"}, to=str(goal))
    with pytest.raises(FaultReached):
        perform(order, Here(tmp_path, cut="copy.sent"))
    (draft,) = (path for path in to.iterdir() if path != goal)
    assert goal.read_text() == "old"
    again = _Watched(tmp_path)
    seen = set()

    def late_command() -> None:
        if draft.exists():
            draft.replace(goal)
        seen.add(goal.read_bytes())

    again.at_work = late_command
    perform(replace(order, number=2), again)
    assert seen == {b"old"}
    assert goal.read_bytes() == content
    assert list(to.iterdir()) == [goal]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"from": "none"}, "There is no file .*none to copy"),
        ({"to": "/nowhere/at/all"}, "cannot be written to /nowhere/at on app-1: that folder does"),
        ({"owner": "nobody-of-that-name"}, "could not be put in place: .*invalid user"),
        ({"to": "{tmp_path}/folder"}, "cannot be read: .*Is a directory"),
    ],
)
def test_what_cannot_be_copied_is_named_and_leaves_nothing(
    ssh: Ssh, tmp_path: Path, options: dict[str, str], words: str
) -> None:
    (tmp_path / "file").write_text("new")
    (tmp_path / "folder").mkdir()
    (tmp_path / "goal").write_text("old")
    given = {"from": "file", "to": "{tmp_path}/goal", **options}
    given["to"] = given["to"].format(tmp_path=tmp_path)
    with pytest.raises(ActionFailed, match=words):
        perform(_job(ssh, tmp_path, **given), Here(tmp_path))
    assert (tmp_path / "goal").read_text() == "old"
    assert not [path for path in tmp_path.iterdir() if "runbook" in path.name]


def test_a_host_that_cannot_be_reached_is_unknown(ssh: Ssh, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("new")
    order = _job(ssh, tmp_path, "app-1", "app-2", **{"from": "file"}, to=f"{tmp_path}/goal")
    ssh.config(tmp_path / "ssh", known=ssh["app-1"].known_line())
    with pytest.raises(ActionFailed, match=r"The key of app-2 is unknown.*app-1 got everything"):
        perform(order, Here(tmp_path))
    assert (tmp_path / "goal").read_text() == "new"
    found = probe(order, Here(tmp_path))
    assert found.verdict is Verdict.UNKNOWN
    assert found.found[0].startswith(f"app-1: {tmp_path}/goal is ")
    assert found.unclear == (found.summary,)
    assert "The key of app-2 is unknown" in found.summary
