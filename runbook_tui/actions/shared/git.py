"""Git, asked without prompts and answered in lines."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from runbook_tui.actions.api import Context
from state.stores.files import sync_directory

SILENT: Final = {
    "GIT_TERMINAL_PROMPT": "0",
    "SSH_ASKPASS_REQUIRE": "never",
    "GIT_ASKPASS": "",
    "SSH_ASKPASS": "",
    "LC_ALL": "C",
}
_LISTED = re.compile(r"([0-9a-f]{40,64})\t(\S+)")


class GitError(Exception):
    """Git ended with an error; the text is what it complained about."""


@dataclass(frozen=True, slots=True)
class RemoteTag:
    """A tag at a remote: the commit that it stands for, and whether it is an annotated one."""

    name: str
    commit: str
    annotated: bool


@dataclass(frozen=True, slots=True)
class Git:
    """Runs git in a folder."""

    context: Context
    cwd: str

    def run(self, *arguments: str, env: Mapping[str, str] | None = None) -> list[str]:
        """Run a git command and return the lines it printed; raises GitError."""
        said = bytearray()
        ended = self.context.run(
            ["git", *arguments],
            env={**SILENT, **_batch_ssh(), **(env or {})},
            cwd=self.cwd,
            quiet=True,
            on_output=said.extend,
        )
        lines = said.decode("utf-8", "replace").splitlines()
        if ended.code != 0:
            raise GitError(_complaint(lines) or f"git ended with exit code {ended.code}")
        return lines

    def commit(self, name: str) -> str | None:
        """Return the id of the commit that a name stands for, or None."""
        try:
            lines = self.run("rev-parse", "--verify", "--quiet", f"{name}^{{commit}}")
        except GitError:
            return None
        return next((line for line in lines if re.fullmatch(r"[0-9a-f]{40,64}", line)), None)

    def tag(
        self, how: str, message: str, name: str, commit: str, *, env: Mapping[str, str]
    ) -> None:
        """Make a tag that outlives a power cut; raises GitError.

        By itself Git syncs neither its object nor its name: both may then be there, but empty.
        """
        synced = ("-c", "core.fsync=committed,reference")
        self.run(*synced, "tag", how, "-m", message, "--", name, commit, env=env)
        made = self.run("rev-parse", f"refs/tags/{name}")[-1]
        for file in (f"objects/{made[:2]}/{made[2:]}", f"refs/tags/{name}"):
            place = Path(self.cwd, self.run("rev-parse", "--git-path", file)[-1])
            with suppress(FileNotFoundError):  # not every format of a repository has these files
                sync_directory(place.parent)

    def export(self, commit: str, folder: str, archive: str) -> None:
        """Write the files of a folder, as they are in a commit, into a tar file."""
        top = self.run("rev-parse", "--show-toplevel")[-1]
        inside = os.path.relpath(os.path.realpath(os.path.join(self.cwd, folder)), top)  # noqa: PTH118
        if inside.startswith(".."):
            raise GitError(f"{folder} is outside of the repository")
        tree = commit if inside == "." else f"{commit}:{inside}"
        self.run("archive", "--format=tar", f"--output={archive}", tree)

    def remote_tags(self, remote: str) -> dict[str, RemoteTag]:
        """Return the tags at a remote by name; raises GitError when it does not answer."""
        found: dict[str, RemoteTag] = {}
        for line in self.run("ls-remote", "--tags", "--", remote):
            if match := _LISTED.fullmatch(line):
                name = match[2].removeprefix("refs/tags/")
                plain = name.removesuffix("^{}")
                found[plain] = RemoteTag(plain, match[1], annotated=name != plain)
        return found


def previous_version(name: str, names: Sequence[str]) -> str | None:
    """Return the newest of the version tags older than `name`; None when it is no version."""
    own = _version(name)
    if own is None:
        return None
    prefix, number = own
    others = [(found[1], other) for other in names if (found := _version(other, prefix))]
    older = [(other, text) for other, text in others if other < number]
    return max(older)[1] if older else None


def _version(name: str, prefix: str | None = None) -> tuple[str, tuple[int, ...]] | None:
    match = re.fullmatch(r"(.*?)(\d+(?:\.\d+)*)", name)
    if not match or (prefix is not None and match[1] != prefix):
        return None
    return match[1], tuple(int(part) for part in match[2].split("."))


def _batch_ssh() -> dict[str, str]:
    """Keep ssh from asking for a password, unless the user has chosen a command of their own."""
    if os.environ.get("GIT_SSH_COMMAND") or os.environ.get("GIT_SSH"):
        return {}
    return {"GIT_SSH_COMMAND": "ssh -oBatchMode=yes"}


def _complaint(lines: Sequence[str]) -> str:
    """Return what matters of git's messages: errors before hints and counts."""
    said = [line for line in lines if line.startswith(("fatal:", "error:", "remote: error:"))]
    return " ".join(said or [line for line in lines if line.strip()][-2:])
