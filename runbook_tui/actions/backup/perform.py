"""Takes a dump, keeps it, reads it back, and only then writes down that it is one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg

from runbook_tui.actions.api import ActionFailed, Context, Evidence, Finding, Job, Outcome
from runbook_tui.actions.backup import dump, manifest, stores
from runbook_tui.actions.backup.manifest import Manifest
from runbook_tui.actions.backup.stores import KeepError, Store
from runbook_tui.actions.shared import backends, durations, postgres
from state.status import Verdict

LOCAL = "dump"
"""The dump in the attempt's directory, until it is kept."""


def perform(job: Job, context: Context) -> Outcome:
    """Dump, keep, prove, write down, and remove what is too old."""
    database = dump.database_name(job)
    local = context.directory / LOCAL
    for previous in job.previous:
        (Path(previous) / LOCAL).unlink(missing_ok=True)  # of an attempt that was killed
    try:
        store = stores.open_store(job)
        _remove_unproven(job, context, store)
        kept = _take(job, context, store, database, local)
    except KeepError as fault:
        raise ActionFailed(f"The backup cannot be kept: {fault}.", effect="none") from fault
    finally:
        local.unlink(missing_ok=True)
    context.fault("backup.kept")
    try:
        removed = _clean(job, context, store, kept)
    except KeepError as fault:
        raise ActionFailed(
            f"The backup is kept at {store.place(kept.name)}, but what is older than "
            f"{job.options['keep']} could not be removed: {fault}.",
            effect="done",
            outputs=_outputs(store, kept),
            evidence=(_evidence(store, kept, ()),),
        ) from fault
    return Outcome(outputs=_outputs(store, kept), evidence=(_evidence(store, kept, removed),))


def probe(job: Job, context: Context) -> Finding:
    """Look for a whole backup of this step; running while its pg_dump is still connected."""
    try:
        store = stores.open_store(job)
        ours = [each for each in _manifests(store) if (each.run, each.step) == (job.run, job.step)]
        sizes = store.sizes()
    except (KeepError, ActionFailed) as fault:
        return Finding(Verdict.UNKNOWN, f"The place of backups cannot be read: {fault}.")
    for each in ours:
        if sizes.get(each.name) == each.size:
            return Finding(
                Verdict.PRESENT,
                f"{store.place(each.name)} is there, taken by this step.",
                evidence=(_evidence(store, each, ()),),
                outputs=_outputs(store, each),
            )
    return _unfinished(job, _unproven(job, sizes))


def _unproven(job: Job, sizes: Mapping[str, int]) -> tuple[str, ...]:
    """Return dumps of this step that have no manifest: their worker was killed before it."""
    mark = f".{manifest.mark(job.run, job.step)}"
    return tuple(name for name in sizes if name.endswith(mark) and f"{name}.json" not in sizes)


def _remove_unproven(job: Job, context: Context, store: Store) -> None:
    for name in _unproven(job, store.sizes()):
        store.remove(name)
        context.log(f"removed {name}, left without its manifest by an earlier attempt")


def _take(job: Job, context: Context, store: Store, database: str, local: Path) -> Manifest:
    at = manifest.now()
    context.progress(f"Dumps {database}.")
    local.touch(mode=0o600)
    dump.dump(job, context, local)
    context.fault("backup.dumped")
    things = dump.contents(context, local)
    size, digest = local.stat().st_size, stores.digest_of(stores.pieces(local))
    taken = Manifest(database, job.run, job.step, at, size, digest, things)
    context.log(f"{taken.name}: {size} bytes, {things} things, sha256:{digest}")
    context.progress(f"Keeps {size} bytes at {store.place(taken.name)}.")
    store.keep(taken.name, local)
    if (found := store.digest(taken.name)) != digest:
        store.remove(taken.name)
        raise ActionFailed(
            f"{store.place(taken.name)} is not what was written: its SHA-256 is {found[:12]}, "
            f"and {digest[:12]} was expected.",
            effect="none",
        )
    store.write(f"{taken.name}.json", taken.dumped())
    context.log(f"kept at {store.place(taken.name)} and read back")
    return taken


def _clean(job: Job, context: Context, store: Store, kept: Manifest) -> tuple[str, ...]:
    """Remove dumps of the same database that are too old; returns their names."""
    if job.options["keep"] is None:
        return ()
    oldest = datetime.now(UTC) - timedelta(seconds=durations.seconds(job.options["keep"]))
    removed = []
    for each in _manifests(store):
        if each.database == kept.database and each.name != kept.name and each.taken() < oldest:
            store.remove(each.name)
            store.remove(f"{each.name}.json")
            context.log(f"removed {each.name}, older than {job.options['keep']}")
            removed.append(each.name)
    return tuple(removed)


def _manifests(store: Store) -> Iterator[Manifest]:
    for name in store.sizes():
        if name.endswith(f"{manifest.SUFFIX}.json") and "/" not in name:
            found = manifest.read(store.read(name))
            if found is not None and f"{found.name}.json" == name:
                yield found


def _unfinished(job: Job, unproven: tuple[str, ...]) -> Finding:
    """Tell what there is when there is no whole backup of the step."""
    left = tuple(f"{name} lies there without its manifest: it is no backup" for name in unproven)
    try:
        with closing(postgres.connect(job, role="looks")) as connection:
            at_it = backends.named(connection, postgres.application(job), idle=True)
    except (ActionFailed, psycopg.Error) as fault:
        said = f"There is no backup of this step, and {postgres.line(fault)}."
        unclear = ("whether a dump is still being taken",)
        return Finding(Verdict.UNKNOWN, said, found=left, unclear=unclear)
    if at_it:
        return Finding(Verdict.RUNNING, "The dump of this step is still being taken.", found=at_it)
    return Finding(Verdict.ABSENT, "There is no backup of this step.", found=left)


def _outputs(store: Store, kept: Manifest) -> dict[str, str]:
    return {"path": store.place(kept.name), "size": str(kept.size), "sha256": kept.sha256}


def _evidence(store: Store, kept: Manifest, removed: tuple[str, ...]) -> Evidence:
    place = store.place(kept.name)
    return Evidence(
        "backup",
        f"{kept.name}: {kept.size} bytes, sha256:{kept.sha256[:12]}, {kept.things} things",
        {
            "path": place,
            "size": kept.size,
            "sha256": kept.sha256,
            "things": kept.things,
            "at": kept.at,
            "removed": list(removed),
        },
    )
