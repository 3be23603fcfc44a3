"""A push counts when the registry itself has the engine's image, and for nothing less."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from runbook_tui.actions.api import ActionFailed, Job
from runbook_tui.actions.push.perform import perform, probe
from runbook_tui.actions.shared.docker_engine import find_image
from runbook_tui.actions.shared.registry_client import manifest
from state.status import Verdict
from tests.harness.docker import BASE
from tests.harness.fleet import Fleet
from tests.harness.here import FaultReached, Here, job


@pytest.fixture
def image(fleet: Fleet) -> Iterator[str]:
    """Give an image that is ready to be pushed, and another one under the tag `other`."""
    name = f"{fleet.registry}/push-test"
    with fleet.client() as client:
        for tag in ("v1", "other"):
            change = [f"LABEL is={tag}"]
            made = client.create_container(BASE, ["/nothing"])
            client.commit(made["Id"], name, tag, changes=change)
            client.remove_container(made["Id"])
    yield f"{name}:v1"
    with fleet.client() as client:
        for tag in ("v1", "other"):
            client.remove_image(f"{name}:{tag}", force=True)


def _job(fleet: Fleet, image: str, **options: Any) -> Job:
    given = {
        "image": image,
        "engine": fleet.engine(),
        "auth": fleet.auth,
        "registry": fleet.access,
        **options,
    }
    return job("push", given, cwd=Path("/"))


def _digest(fleet: Fleet, image: str) -> str | None:
    found = manifest(image, auth=fleet.auth, ca=fleet.access["ca"])
    return found.digest if found else None


def test_the_digest_is_proven_and_found_again(fleet: Fleet, image: str, tmp_path: Path) -> None:
    order = _job(fleet, image)
    here = Here(tmp_path)
    assert probe(order, here).verdict is Verdict.ABSENT
    here.cut = "push.manifest"
    with pytest.raises(FaultReached):
        perform(order, here)
    found = probe(order, here)
    assert found.verdict is Verdict.PRESENT
    here.cut = None
    done = perform(order, here)
    digest = _digest(fleet, image)
    assert done.outputs == {
        "image": image,
        "digest": digest,
        "reference": f"{fleet.registry}/push-test@{digest}",
    }
    assert (found.outputs, found.evidence) == (done.outputs, done.evidence)


def test_an_error_inside_the_stream_never_passes_the_old_digest_on(
    fleet: Fleet, image: str, tmp_path: Path
) -> None:
    perform(_job(fleet, image), Here(tmp_path))
    old = _digest(fleet, image)
    with fleet.client() as client:
        client.tag(f"{fleet.registry}/push-test:other", f"{fleet.registry}/push-test", "v1")
    stranger = {"username": "deploy", "password": "wrong"}
    with pytest.raises(ActionFailed, match=f"The push of {image} failed") as raised:
        perform(_job(fleet, image, auth=stranger), Here(tmp_path))
    assert raised.value.cause == "registry"
    assert "wrong" not in raised.value.sentence
    assert _digest(fleet, image) == old
    found = probe(_job(fleet, image), Here(tmp_path))
    assert found.verdict is Verdict.ABSENT
    assert "The registry has another image" in found.summary


def test_a_tag_that_somebody_else_pushed_meanwhile_is_not_ours(
    fleet: Fleet, image: str, tmp_path: Path
) -> None:
    name = f"{fleet.registry}/push-test"
    here = Here(tmp_path)

    def somebody_else(point: str) -> None:
        with fleet.client() as client:
            mine = find_image(client, image)
            assert mine
            client.tag(f"{name}:other", name, "v1")
            list(client.push(name, tag="v1", stream=True, auth_config=fleet.auth))
            client.tag(mine["Id"], name, "v1")

    here.at_point = somebody_else
    with pytest.raises(ActionFailed, match="The registry has another image as"):
        perform(_job(fleet, image), here)


def test_what_cannot_be_reached_is_unknown(fleet: Fleet, image: str, tmp_path: Path) -> None:
    here = Here(tmp_path)
    nowhere = "127.0.0.1:1/push-test:v1"
    with fleet.client() as client:
        client.tag(image, "127.0.0.1:1/push-test", "v1")
    with pytest.raises(ActionFailed, match=f"The push of {nowhere} failed"):
        perform(_job(fleet, nowhere, registry={}), here)
    assert probe(_job(fleet, nowhere, registry={}), here).verdict is Verdict.UNKNOWN
    with fleet.client() as client:
        client.remove_image(nowhere)
    assert probe(_job(fleet, image, engine="unix:///nowhere"), here).verdict is Verdict.UNKNOWN
    assert probe(_job(fleet, image, registry={}), here).verdict is Verdict.UNKNOWN
    with pytest.raises(ActionFailed, match="The engine has no image none:v1 to push"):
        perform(_job(fleet, "none:v1"), here)
