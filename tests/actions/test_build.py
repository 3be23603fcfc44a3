"""Images are built from the commit, carry the run, and are known by what the engine says."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from runbook_tui.actions.api import ActionFailed, Job
from runbook_tui.actions.build.perform import perform, probe
from runbook_tui.actions.shared.docker_engine import find_image
from state.status import Verdict
from tests.harness.docker import write_source
from tests.harness.fleet import Fleet
from tests.harness.git import Repository, repository
from tests.harness.here import FaultReached, Here, job

IMAGE = "build-test:v1.4.0"
SPOOF = 'RUN ["/usr/bin/python3", "-c", "print(\'Successfully built 0123456789ab\')"]\n'


@pytest.fixture
def repo(tmp_path: Path) -> Repository:
    made = repository(tmp_path)
    write_source(made.work / "app", "v1")
    with (made.work / "app/Dockerfile").open("a") as file:
        file.write(SPOOF)
    return made


def _job(fleet: Fleet, repo: Repository, commit: str | None, **options: Any) -> Job:
    given = {
        "image": IMAGE,
        "context": "app",
        "engine": fleet.engine(),
        "network_mode": "host",
        "args": {"VERSION": "v1.4.0"},
        "labels": {"team": "hub"},
        **options,
    }
    return job("build", given, cwd=repo.work, commit=commit, step="build")


def test_an_image_is_built_from_the_commit_and_found_again(fleet: Fleet, repo: Repository) -> None:
    commit = repo.commit()
    (repo.work / "app/Dockerfile").write_text("this is not what was tested")
    order = _job(fleet, repo, commit)
    here = Here(repo.work)
    done = perform(order, here)
    with fleet.client() as client:
        details = find_image(client, IMAGE)
        assert details
        labels = details["Config"]["Labels"]
        assert labels == {
            "runbook.run": "1123-k7f3",
            "runbook.step": "build",
            "org.opencontainers.image.revision": commit,
            "org.opencontainers.image.version": "v1.4.0",
            "team": "hub",
        }
        assert "APP_VERSION=v1.4.0" in details["Config"]["Env"]
    assert "Successfully built 0123456789ab" in here.text()
    assert done.outputs == {"image": IMAGE, "id": details["Id"]}
    found = probe(order, here)
    assert found.verdict is Verdict.PRESENT
    assert (found.outputs, found.evidence) == (done.outputs, done.evidence)
    of_others = probe(replace(order, run="1123-zzzz"), here)
    assert of_others.verdict is Verdict.ABSENT
    assert "was built by run 1123-k7f3, not by this step" in of_others.summary
    assert probe(_job(fleet, repo, commit, image="build-test:v9"), here).verdict is Verdict.ABSENT


def test_an_image_gets_its_name_last_and_is_built_once(fleet: Fleet, repo: Repository) -> None:
    """Without the cache, which would hide a second one."""
    order = _job(fleet, repo, repo.commit(), image="build-test:late", no_cache=True)
    order = replace(order, run="1123-late")
    with pytest.raises(FaultReached):
        perform(order, Here(repo.work, cut="build.built"))
    found = probe(order, Here(repo.work))
    assert found.verdict is Verdict.ABSENT
    (left,) = found.found
    here = Here(repo.work)
    done = perform(order, here)
    assert "an earlier try has left" in here.text()
    assert left.startswith(done.outputs["id"][:19])
    assert probe(order, Here(repo.work)).found == ()
    named_before = done.outputs["id"]
    done = perform(order, Here(repo.work))
    assert done.outputs["id"] != named_before  # a try that had come to its end is done anew
    done = perform(order, Here(repo.work))
    assert done.outputs["id"] != named_before


def test_what_was_built_of_files_is_built_anew(fleet: Fleet, repo: Repository) -> None:
    order = _job(fleet, repo, None, source="files", image="build-test:late-files")
    order = replace(order, run="1123-files")
    with pytest.raises(FaultReached):
        perform(order, Here(repo.work, cut="build.built"))
    (left,) = probe(order, Here(repo.work)).found
    with (repo.work / "app/app.py").open("a") as file:
        file.write("# changed meanwhile")
    done = perform(order, Here(repo.work))
    assert not left.startswith(done.outputs["id"][:19])


def test_files_outside_of_git_can_be_the_context(fleet: Fleet, repo: Repository) -> None:
    repo.commit()
    (repo.work / "app/.dockerignore").write_text("# left out\nleft-out\n")
    (repo.work / "app/taken").write_text("1")
    (repo.work / "app/left-out").write_text("1")
    dockerfile = repo.work / "app/other.Dockerfile"
    dockerfile.write_text("FROM fleet-base:1\nCOPY taken /\n")
    order = _job(
        fleet, repo, None, source="files", dockerfile="other.Dockerfile", image="build-test:files"
    )
    perform(order, Here(repo.work))
    dockerfile.write_text("FROM fleet-base:1\nCOPY left-out /\n")
    with pytest.raises(ActionFailed, match=r"The build of build-test:files failed: .*left-out"):
        perform(order, Here(repo.work))


def test_a_step_of_the_dockerfile_that_fails_fails_the_build(
    fleet: Fleet, repo: Repository
) -> None:
    (repo.work / "app/Dockerfile").write_text(
        'FROM fleet-base:1\nRUN ["/usr/bin/python3", "-c", "raise SystemExit(3)"]\n'
    )
    commit = repo.commit()
    with pytest.raises(ActionFailed) as raised:
        perform(_job(fleet, repo, commit, image="build-test:bad"), Here(repo.work))
    assert "returned a non-zero code: 3" in raised.value.sentence
    assert raised.value.effect == "none"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"dockerfile": "None"}, "There is no None in app to build from"),
        ({"context": "../elsewhere"}, "is outside of the repository"),
        ({"context": "nowhere"}, "cannot be read"),
    ],
)
def test_what_cannot_be_built_is_named(
    fleet: Fleet, repo: Repository, options: dict[str, str], words: str
) -> None:
    commit = repo.commit()
    with pytest.raises(ActionFailed, match=words) as raised:
        perform(_job(fleet, repo, commit, **options), Here(repo.work))
    assert raised.value.effect == "none"


def test_without_a_commit_or_an_engine_nothing_is_built(fleet: Fleet, repo: Repository) -> None:
    with pytest.raises(ActionFailed, match="There is no commit to build from"):
        perform(_job(fleet, repo, None), Here(repo.work))
    order = _job(fleet, repo, repo.commit(), engine="unix:///nowhere")
    with pytest.raises(ActionFailed, match="does not answer") as raised:
        perform(order, Here(repo.work))
    assert raised.value.cause == "engine"
    assert probe(order, Here(repo.work)).verdict is Verdict.UNKNOWN
