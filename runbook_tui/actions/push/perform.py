"""Pushes an image, and proves by the registry's own manifest that it is the one of the engine."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from docker import APIClient

from runbook_tui.actions.api import ActionFailed, Context, Evidence, Finding, Job, Outcome
from runbook_tui.actions.shared import docker_engine, registry_client
from runbook_tui.actions.shared.docker_stream import (
    LIBRARY_ERRORS,
    StreamBroken,
    StreamError,
    follow,
    words,
)
from runbook_tui.actions.shared.registry_client import Manifest, RegistryError
from state.status import Verdict

SILENCE: Final = 3600
"""Seconds that the engine may say nothing in a push; `follow` asks meanwhile whether it lives."""


def perform(job: Job, context: Context) -> Outcome:
    """Push, then read the manifest back and compare both its digest and the image's id."""
    image = str(job.options["image"])
    client = docker_engine.local(job.options.get("engine"))
    try:
        details = _local_image(client, image)
        context.progress(f"pushing {image}")
        digest = _push(job, context, client, image)
        context.fault("push.manifest")
        context.progress(f"reading the manifest of {image} back")
        found = _manifest(job, image)
    except LIBRARY_ERRORS as fault:
        raise _broken(image, fault) from fault
    finally:
        client.close()
    if found is None:
        raise ActionFailed(f"The push of {image} ended, but the registry has no such tag.")
    if found.digest != digest or not _is_of(found, details):
        raise ActionFailed(
            f"The registry has another image as {image}: its digest is {found.digest}, the "
            f"engine pushed {digest}. Somebody else may have pushed the same tag."
        )
    context.log(f"the registry has {image} as {digest}")
    return Outcome(outputs=_outputs(image, digest), evidence=(_evidence(image, found),))


def probe(job: Job, context: Context) -> Finding:
    """Compare the registry's manifest of the tag with the engine's image."""
    image = str(job.options["image"])
    try:
        client = docker_engine.local(job.options.get("engine"))
        try:
            details = docker_engine.find_image(client, image)
        finally:
            client.close()
        found = registry_client.manifest(image, **_access(job))
    except ActionFailed as fault:
        return Finding(Verdict.UNKNOWN, fault.sentence)
    except RegistryError as fault:
        return Finding(Verdict.UNKNOWN, f"The registry of {image} cannot be read: {fault}")
    except LIBRARY_ERRORS as fault:
        return Finding(Verdict.UNKNOWN, f"The Docker engine does not answer: {words(fault)}")
    if found is None:
        return Finding(Verdict.ABSENT, f"The registry has no {image}")
    if details is None:
        return Finding(
            Verdict.UNKNOWN, f"The registry has {image}, but the engine has none to compare it with"
        )
    if not _is_of(found, details):
        summary = f"The registry has another image as {image}: {found.digest}"
        return Finding(Verdict.ABSENT, summary, found=(summary,))
    return Finding(
        Verdict.PRESENT,
        f"The registry has {image} as {found.digest}",
        evidence=(_evidence(image, found),),
        outputs=_outputs(image, found.digest),
    )


def _local_image(client: APIClient, image: str) -> dict[str, Any]:
    details = docker_engine.find_image(client, image)
    if details is None:
        raise ActionFailed(f"The engine has no image {image} to push.", effect="none")
    return details


def _push(job: Job, context: Context, client: APIClient, image: str) -> str:
    """Push and return the digest that the engine names."""
    repository, tag = docker_engine.split_image(image)
    auth = docker_engine.auth_config(job.options.get("auth"))
    client.timeout = SILENCE
    stream = client.push(repository, tag=tag, stream=True, decode=True, auth_config=auth)
    try:
        told = follow(iter(stream), context, lambda: docker_engine.answers(client))
    except StreamError as fault:
        raise ActionFailed(f"The push of {image} failed: {fault}.", cause="registry") from fault
    except StreamBroken as fault:
        raise _broken(image, fault) from fault
    digests = [str(aux["Digest"]) for aux in told if "Digest" in aux]
    if not digests:
        raise ActionFailed(f"The push of {image} ended, but the engine named no digest.")
    return digests[-1]


def _manifest(job: Job, image: str) -> Manifest | None:
    try:
        return registry_client.manifest(image, **_access(job))
    except RegistryError as fault:
        raise ActionFailed(
            f"{image} was pushed, but its digest cannot be read from the registry: {fault}.",
            cause="registry",
        ) from fault


def _access(job: Job) -> dict[str, Any]:
    registry = job.options.get("registry") or {}
    return {
        "auth": job.options.get("auth"),
        "ca": str(Path(job.cwd, registry["ca"])) if registry.get("ca") else None,
        "insecure": bool(registry.get("insecure")),
    }


def _is_of(found: Manifest, details: dict[str, Any]) -> bool:
    """Tell whether a manifest describes an engine's image, by its id or its known digests."""
    digests = [str(known).rpartition("@")[2] for known in details.get("RepoDigests") or []]
    return found.config == details["Id"] or found.digest in (details["Id"], *digests)


def _outputs(image: str, digest: str) -> dict[str, str]:
    repository, _ = docker_engine.split_image(image)
    return {"image": image, "digest": digest, "reference": f"{repository}@{digest}"}


def _evidence(image: str, found: Manifest) -> Evidence:
    return Evidence(
        "manifest",
        f"the registry has {image} as {found.digest}",
        {"image": image, "digest": found.digest, "config": found.config},
    )


def _broken(image: str, fault: Exception) -> ActionFailed:
    return ActionFailed(
        f"The Docker engine went away while it pushed {image}: {words(fault)}.", cause="engine"
    )
