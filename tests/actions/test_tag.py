"""Tags at a real remote: made once, adopted when they are right, refused when they are not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from runbook_tui.actions.api import ActionFailed, Finding, Outcome
from runbook_tui.actions.shared.git import previous_version
from runbook_tui.actions.tag.perform import perform, probe
from state.status import Verdict
from tests.harness.git import Repository, git, repository
from tests.harness.here import Here, job
from tests.harness.sshd import make_key


@pytest.fixture
def repo(tmp_path: Path) -> Repository:
    return repository(tmp_path)


def _perform(repo: Repository, commit: str | None, **options: Any) -> Outcome:
    order = job("tag", {"name": "v1.4.0", **options}, cwd=repo.work, commit=commit)
    return perform(order, Here(repo.work))


def _probe(repo: Repository, commit: str | None, **options: Any) -> Finding:
    order = job("tag", {"name": "v1.4.0", **options}, cwd=repo.work, commit=commit)
    return probe(order, Here(repo.work))


def test_the_tag_is_made_at_the_commit_of_the_run_and_pushed(repo: Repository) -> None:
    tested = repo.commit(a="1")
    repo.commit(a="2")
    assert _probe(repo, tested).verdict is Verdict.ABSENT
    done = _perform(repo, tested)
    assert repo.remote_tags() == {"v1.4.0": tested}
    assert git(repo.origin, "cat-file", "-t", "v1.4.0") == "tag"
    assert done.outputs == {"name": "v1.4.0", "commit": tested}
    found = _probe(repo, tested)
    assert found.verdict is Verdict.PRESENT
    assert (found.outputs, found.evidence) == (done.outputs, done.evidence)


def test_a_second_attempt_adopts_what_the_first_left(repo: Repository) -> None:
    commit = repo.commit(a="1")
    git(repo.work, "tag", "-a", "-m", "cut off before the push", "v1.4.0", commit)
    assert _probe(repo, commit).verdict is Verdict.ABSENT
    _perform(repo, commit)
    identity = git(repo.origin, "rev-parse", "v1.4.0")
    _perform(repo, commit)
    assert git(repo.origin, "rev-parse", "v1.4.0") == identity


@pytest.mark.parametrize("pushed", [True, False])
def test_a_tag_at_another_commit_is_refused(repo: Repository, pushed: bool) -> None:
    other = repo.commit(a="1")
    git(repo.work, "tag", "v1.4.0")
    if pushed:
        git(repo.work, "push", "-q", "origin", "v1.4.0")
        git(repo.work, "tag", "-d", "v1.4.0")
    commit = repo.commit(a="2")
    with pytest.raises(ActionFailed) as raised:
        _perform(repo, commit)
    assert f"The tag v1.4.0 exists at {other[:12]}" in raised.value.sentence
    assert raised.value.effect == "none"
    assert repo.remote_tags() == ({"v1.4.0": other} if pushed else {})
    assert _probe(repo, commit).verdict is Verdict.ABSENT


def test_a_tag_can_be_signed(repo: Repository, tmp_path: Path) -> None:
    key = make_key(tmp_path / "signing")
    git(repo.work, "config", "gpg.format", "ssh")
    git(repo.work, "config", "user.signingKey", f"{key}.pub")
    _perform(repo, repo.commit(a="1"), sign=True)
    assert "BEGIN SSH SIGNATURE" in git(repo.origin, "cat-file", "-p", "v1.4.0")


def test_the_tag_before_is_handed_on(repo: Repository) -> None:
    commit = repo.commit(a="1")
    for name in ("v1.2.0", "v1.10.0", "v1.3.9", "other-9.0", "w1.3.10"):
        git(repo.work, "tag", name)
    git(repo.work, "push", "-q", "--tags", "origin")
    assert _perform(repo, commit).outputs["previous"] == "v1.3.9"
    assert _probe(repo, commit).outputs["previous"] == "v1.3.9"


@pytest.mark.parametrize(
    ("name", "names", "previous"),
    [
        ("v1.4.0", ["v1.4.0", "v1.4"], "v1.4"),
        ("v1.4.0", ["v1.5.0"], None),
        ("release-2", ["release-1", "v1"], "release-1"),
        ("latest", ["v1"], None),
    ],
)
def test_previous_versions(name: str, names: list[str], previous: str | None) -> None:
    assert previous_version(name, names) == previous


def test_a_remote_that_refuses_or_does_not_answer_is_named(repo: Repository) -> None:
    commit = repo.commit(a="1")
    hook = repo.origin / "hooks/pre-receive"
    hook.write_text("#!/bin/sh\necho tags are frozen\nexit 1\n")
    hook.chmod(0o755)
    with pytest.raises(ActionFailed, match="origin did not take the tag") as raised:
        _perform(repo, commit)
    assert (raised.value.cause, raised.value.effect) == ("remote", "unknown")
    with pytest.raises(ActionFailed, match="The remote /nowhere does not answer"):
        _perform(repo, commit, remote="/nowhere")
    assert _probe(repo, commit, remote="/nowhere").verdict is Verdict.UNKNOWN


def test_a_lock_that_a_git_left_is_named(repo: Repository) -> None:
    commit = repo.commit(a="1")
    lock = repo.work / ".git/refs/tags/v1.4.0.lock"
    lock.touch()
    with pytest.raises(ActionFailed) as raised:
        _perform(repo, commit)
    assert str(lock) in raised.value.sentence
    assert raised.value.sentence.endswith("left this file: if none is, remove it.")
    lock.unlink()
    _perform(repo, commit)
    assert repo.remote_tags() == {"v1.4.0": commit}


def test_names_are_no_options_and_must_be_names(repo: Repository, tmp_path: Path) -> None:
    commit = repo.commit(a="1")
    for name in ("--delete", "a b", "x..y"):
        with pytest.raises(ActionFailed, match="cannot be the name of a tag"):
            _perform(repo, commit, name=name)
    with pytest.raises(ActionFailed, match="does not answer"):
        _perform(repo, commit, remote=f"--upload-pack=touch {tmp_path}/pwned")
    with pytest.raises(ActionFailed, match="Git knows no commit"):
        _perform(repo, "--help")
    assert not (tmp_path / "pwned").exists()


def test_without_a_commit_there_is_nothing_to_tag(repo: Repository) -> None:
    with pytest.raises(ActionFailed, match="There is no commit to tag"):
        _perform(repo, None)
    assert _probe(repo, None).verdict is Verdict.UNKNOWN


def test_the_operator_tags_where_git_knows_nobody(
    repo: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = repo.commit(a="1")
    for name in ("GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL"):
        monkeypatch.delenv(name)
    git(repo.work, "config", "user.useConfigOnly", "true")
    _perform(repo, commit)
    assert "tagger dana <dana@" in git(repo.origin, "cat-file", "-p", "v1.4.0")
