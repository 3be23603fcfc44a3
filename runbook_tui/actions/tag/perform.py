"""Tags the commit of the run and pushes the tag; adopts one that is already there."""

from __future__ import annotations

import socket
from typing import Final

from runbook_tui.actions.api import ActionFailed, Context, Evidence, Finding, Job, Outcome
from runbook_tui.actions.shared.git import Git, GitError, RemoteTag, previous_version
from state.status import Verdict

_LOCKED: Final = (
    " Another Git is at work there, or one that was cut off left this file: if none is, remove it."
)


def perform(job: Job, context: Context) -> Outcome:
    """Make and push the tag. Fails when the tag exists at another commit, here or at the remote."""
    git = Git(context, job.cwd)
    name, remote = str(job.options["name"]), _remote(job)
    commit = _intended(job, git)
    _refuse_bad_name(git, name)
    context.progress(f"asking {remote} for its tags")
    tags = _tags(git, remote)
    if name in tags:
        _refuse_other_commit(tags[name].commit, commit, name, remote)
        context.log(f"{remote} has {name} at {commit[:12]} already")
    else:
        _make(job, git, context, name, commit)
        context.fault("tag.made")
        _push(git, context, name, remote)
        context.fault("tag.pushed")
        tags = _tags(git, remote)
        if name not in tags:
            raise ActionFailed(f"{remote} took the tag {name} but does not show it.")
        _refuse_other_commit(tags[name].commit, commit, name, remote)
    return Outcome(
        outputs=_outputs(name, commit, tags), evidence=(_evidence(tags[name], remote, commit),)
    )


def probe(job: Job, context: Context) -> Finding:
    """Look for the tag at the remote."""
    git = Git(context, job.cwd)
    name, remote = str(job.options["name"]), _remote(job)
    try:
        commit = _intended(job, git)
        tags = git.remote_tags(remote)
    except ActionFailed as fault:
        return Finding(Verdict.UNKNOWN, fault.sentence)
    except GitError as fault:
        return Finding(Verdict.UNKNOWN, f"{remote} does not answer: {fault}")
    if name not in tags:
        summary = f"{remote} has no tag {name}"
        here = git.commit(f"refs/tags/{name}")
        found = (f"{name} at {here[:12]} in this repository",) if here else ()
        missing = (f"{name} at {commit[:12]} on {remote}",)
        return Finding(Verdict.ABSENT, summary, found=found, missing=missing)
    there = tags[name]
    if there.commit != commit:
        summary = f"{remote} has {name} at {there.commit[:12]}, not at {commit[:12]}"
        return Finding(Verdict.ABSENT, summary, found=(summary,))
    return Finding(
        Verdict.PRESENT,
        f"{remote} has {name} at {commit[:12]}",
        evidence=(_evidence(there, remote, commit),),
        outputs=_outputs(name, commit, tags),
    )


def _remote(job: Job) -> str:
    return str(job.options.get("remote") or "origin")


def _intended(job: Job, git: Git) -> str:
    """Return the commit that the tag is meant for."""
    wanted = job.options.get("commit") or job.commit
    if not wanted:
        raise ActionFailed(
            f"There is no commit to tag: {job.cwd} was in no Git repository when the run began.",
            effect="none",
        )
    commit = None if str(wanted).startswith("-") else git.commit(str(wanted))
    if commit is None:
        raise ActionFailed(f"Git knows no commit {wanted} in {job.cwd}.", effect="none")
    return commit


def _refuse_bad_name(git: Git, name: str) -> None:
    try:
        git.run("check-ref-format", f"refs/tags/{name}")
    except GitError as fault:
        raise ActionFailed(f"{name} cannot be the name of a tag.", effect="none") from fault
    if name.startswith("-"):
        raise ActionFailed(f"{name} cannot be the name of a tag.", effect="none")


def _tags(git: Git, remote: str) -> dict[str, RemoteTag]:
    try:
        return git.remote_tags(remote)
    except GitError as fault:
        raise ActionFailed(
            f"The remote {remote} does not answer: {fault}.", effect="none", cause="remote"
        ) from fault


def _refuse_other_commit(there: str, intended: str, name: str, where: str) -> None:
    if there != intended:
        raise ActionFailed(
            f"The tag {name} exists at {there[:12]} ({where}), but the run's commit is "
            f"{intended[:12]}. Choose another version, or remove the tag if it is wrong.",
            effect="none",
        )


def _make(job: Job, git: Git, context: Context, name: str, commit: str) -> None:
    """Make the tag here, unless an earlier attempt already did."""
    there = git.commit(f"refs/tags/{name}")
    if there is not None:
        _refuse_other_commit(there, commit, name, "in this repository")
        context.log(f"{name} exists here at {commit[:12]}, not yet at the remote")
        return
    message = job.options.get("message") or f"{name}\n\nrunbook {job.run}, step {job.step}"
    how = "--sign" if job.options.get("sign") else "--annotate"
    try:
        git.tag(how, str(message), name, commit, env=_identity(job, git))
    except GitError as fault:
        said = str(fault).rstrip(".")
        hint = _LOCKED if ".lock': File exists" in said else ""
        sentence = f"The tag {name} could not be made: {said}.{hint}"
        raise ActionFailed(sentence, effect="none") from fault
    context.log(f"made {name} at {commit[:12]}")


def _identity(job: Job, git: Git) -> dict[str, str]:
    """Tag in the operator's name where Git has not been told one."""
    try:
        git.run("var", "GIT_COMMITTER_IDENT")
    except GitError:
        address = f"{job.operator}@{socket.gethostname()}"
        return {"GIT_COMMITTER_NAME": job.operator, "GIT_COMMITTER_EMAIL": address}
    return {}


def _push(git: Git, context: Context, name: str, remote: str) -> None:
    context.progress(f"pushing {name} to {remote}")
    reference = f"refs/tags/{name}"
    try:
        lines = git.run("push", "--porcelain", "--", remote, f"{reference}:{reference}")
    except GitError as fault:
        raise ActionFailed(
            f"{remote} did not take the tag {name}: {fault}.", cause="remote"
        ) from fault
    for line in lines:
        context.log(line)


def _outputs(name: str, commit: str, tags: dict[str, RemoteTag]) -> dict[str, str]:
    previous = previous_version(name, list(tags))
    outputs = {"name": name, "commit": commit}
    return {**outputs, "previous": previous} if previous else outputs


def _evidence(tag: RemoteTag, remote: str, commit: str) -> Evidence:
    return Evidence(
        "tag",
        f"{remote} has {tag.name} at {commit[:12]}",
        {"remote": remote, "tag": tag.name, "commit": commit, "annotated": tag.annotated},
    )
