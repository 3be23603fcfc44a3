"""What a build sees: the files of a commit, or those of a folder, without the ignored ones."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, cast

from docker.utils.build import tar

from runbook_tui.actions.api import ActionFailed, Context, Job
from runbook_tui.actions.shared.git import Git, GitError


@contextmanager
def build_context(job: Job, context: Context) -> Iterator[IO[Any]]:
    """Give the context as a tar file; raises ActionFailed when there is nothing to build from."""
    options = job.options
    folder = str(options.get("context") or ".")
    dockerfile = str(options.get("dockerfile") or "Dockerfile")
    with tempfile.TemporaryDirectory(prefix="runbook-") as private:
        if options.get("source") == "files":
            root = Path(job.cwd, folder)
        else:
            root = _at_commit(job, context, folder, Path(private))
        if not (root / dockerfile).is_file():
            raise ActionFailed(
                f"There is no {dockerfile} in {folder} to build from.", effect="none"
            )
        packed = cast(IO[Any], tar(root, exclude=_ignored(root), dockerfile=(dockerfile, None)))
        with packed:
            yield packed


def _at_commit(job: Job, context: Context, folder: str, private: Path) -> Path:
    if not job.commit:
        raise ActionFailed(
            f"There is no commit to build from: {job.cwd} was in no Git repository when the run "
            "began. With `source: files` the folder is built as it is.",
            effect="none",
        )
    archive = private / "context.tar"
    root = private / "context"
    root.mkdir()
    try:
        Git(context, job.cwd).export(job.commit, folder, str(archive))
        _unpack(context, archive, root)
    except GitError as fault:
        raise ActionFailed(
            f"The files of {folder} at {job.commit[:12]} cannot be read: {fault}.", effect="none"
        ) from fault
    archive.unlink()
    return root


def _unpack(context: Context, archive: Path, root: Path) -> None:
    said = bytearray()
    command = ["tar", "-x", "-f", str(archive), "-C", str(root)]
    if context.run(command, quiet=True, on_output=said.extend).code != 0:
        raise GitError(said.decode("utf-8", "replace").strip())


def _ignored(root: Path) -> list[str]:
    """Return the patterns of .dockerignore."""
    try:
        lines = (root / ".dockerignore").read_text().splitlines()
    except FileNotFoundError:
        return []
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]
