"""Builds an image on a Docker engine; the image says in its labels which run it belongs to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import IO, Any

from docker import APIClient

from runbook_tui.actions.api import ActionFailed, Context, Evidence, Finding, Job, Outcome
from runbook_tui.actions.build import unnamed
from runbook_tui.actions.build.context import build_context
from runbook_tui.actions.shared import docker_engine, labels
from runbook_tui.actions.shared.docker_stream import (
    LIBRARY_ERRORS,
    StreamBroken,
    StreamError,
    follow,
    words,
)
from state.status import Verdict


def perform(job: Job, context: Context) -> Outcome:
    """Build, check that the image has the labels of this run, and only then give it its name."""
    image = str(job.options["image"])
    client = docker_engine.local(job.options.get("engine"))
    try:
        built = _left(job, context, client) or _anew(job, context, client)
        details = docker_engine.find_image(client, built)
        if details is None:
            raise ActionFailed(f"The engine built {image} but does not know {built}.")
        _check_labels(job, details)
        context.fault("build.built")
        _name(client, built, image)
        return Outcome(outputs=_outputs(image, built), evidence=(_evidence(image, details),))
    except LIBRARY_ERRORS as fault:
        raise _engine_failed(image, fault) from fault
    finally:
        client.close()


def probe(job: Job, context: Context) -> Finding:
    """Look whether the engine has the image, built by this step of this run."""
    image = str(job.options["image"])
    try:
        client = docker_engine.local(job.options.get("engine"))
        try:
            details = docker_engine.find_image(client, image)
            left = unnamed.images(job, client) if details is None else ()
        finally:
            client.close()
    except ActionFailed as fault:
        return Finding(Verdict.UNKNOWN, fault.sentence)
    except LIBRARY_ERRORS as fault:
        return Finding(Verdict.UNKNOWN, f"The Docker engine does not answer: {words(fault)}")
    if details is None:
        found_too = tuple(unnamed.told(one) for one in left)
        return Finding(Verdict.ABSENT, f"The engine has no image {image}", found=found_too)
    found = _labels(details)
    if found.items() >= _wanted(job).items():
        return Finding(
            Verdict.PRESENT,
            f"{image} carries this run's labels",
            evidence=(_evidence(image, details),),
            outputs=_outputs(image, details["Id"]),
        )
    whose = found.get(labels.RUN)
    summary = f"{image} was built by {f'run {whose}' if whose else 'no run'}, not by this step"
    return Finding(Verdict.ABSENT, summary, found=(summary,))


def _left(job: Job, context: Context, client: APIClient) -> str | None:
    """Return what an earlier try of this step built from the same commit and did not name."""
    if job.options.get("source") == "files":
        return None  # they may have changed since
    for one in unnamed.images(job, client):
        context.log(f"an earlier try has left {unnamed.told(one)}")
        return str(one["Id"])
    return None


def _anew(job: Job, context: Context, client: APIClient) -> str:
    with build_context(job, context) as packed:
        context.progress(f"building {job.options['image']}")
        return _build(job, context, client, packed)


def _build(job: Job, context: Context, client: APIClient, packed: IO[Any]) -> str:
    """Return the id of the image, from the engine's own words and not from the log."""
    options = job.options
    image = str(options["image"])
    stream = client.build(
        fileobj=packed,
        custom_context=True,
        dockerfile=str(options.get("dockerfile") or "Dockerfile"),
        labels=_all_labels(job),
        buildargs=dict(options.get("args") or {}),
        target=options.get("target") or "",
        network_mode=options.get("network_mode") or None,
        nocache=bool(options.get("no_cache")),
        rm=True,
        forcerm=True,
        decode=True,
    )
    try:
        told = follow(iter(stream), context, lambda: docker_engine.answers(client))
    except StreamError as fault:
        raise ActionFailed(f"The build of {image} failed: {fault}.", effect="none") from fault
    except StreamBroken as fault:
        raise _engine_failed(image, fault) from fault
    ids = [str(aux["ID"]) for aux in told if "ID" in aux]
    if not ids:
        raise ActionFailed(f"The build of {image} ended, but the engine named no image.")
    return ids[-1]


def _name(client: APIClient, built: str, image: str) -> None:
    repository, tag = docker_engine.split_image(image)
    client.tag(built, repository, tag=tag)
    details = docker_engine.find_image(client, image)
    if details is None or details["Id"] != built:
        raise ActionFailed(
            f"The engine does not know {built[:19]} as {image}, although it said so."
        )


def _wanted(job: Job) -> Mapping[str, str]:
    return labels.labels(job.run, job.step, job.commit)


def _all_labels(job: Job) -> dict[str, str]:
    version = docker_engine.split_image(str(job.options["image"]))[1]
    own = {str(key): str(value) for key, value in (job.options.get("labels") or {}).items()}
    return {labels.VERSION: version, **own, **_wanted(job)}


def _labels(details: Mapping[str, Any]) -> dict[str, str]:
    return dict((details.get("Config") or {}).get("Labels") or {})


def _check_labels(job: Job, details: Mapping[str, Any]) -> None:
    if not _labels(details).items() >= _wanted(job).items():
        raise ActionFailed(f"The image {details['Id']} does not carry the labels of this run.")


def _outputs(image: str, built: str) -> dict[str, str]:
    return {"image": image, "id": built}


def _evidence(image: str, details: Mapping[str, Any]) -> Evidence:
    built = str(details["Id"])
    found = _labels(details)
    return Evidence(
        "image",
        f"{image} is {built[:19]}, labelled with run {found.get(labels.RUN)}",
        {"image": image, "id": built, "size": details.get("Size"), "labels": found},
    )


def _engine_failed(image: str, fault: Exception) -> ActionFailed:
    return ActionFailed(
        f"The Docker engine went away while it built {image}: {words(fault)}.", cause="engine"
    )
