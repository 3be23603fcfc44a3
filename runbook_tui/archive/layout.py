"""What an archive of runs looks like, and what may be in one.

A gzipped tar of plain files: `manifest.json`, written last, and for each run its events as JSON
lines, the files it began with and all that its attempts left. The manifest holds the SHA-256 of
every other member and the head of every run's chain.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from state.codec import Head

FORMAT: Final = 1
MANIFEST: Final = "manifest.json"
MAX_NAME: Final = 4096
MAX_MEMBERS: Final = 1_000_000
MAX_MANIFEST: Final = 256 << 20
MAX_EVENTS: Final = 256 << 20
MAX_EVENT: Final = 16 << 20
MAX_TOTAL: Final = 64 << 30
"""Bounds of what is read: bytes of a name, count of members, bytes of each and of all."""
MAX_DEPTH: Final = 32
"""Directories above a file; far more than we make, and few enough for whoever walks them."""

_RUN: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")


class ArchiveError(Exception):
    """An archive that cannot be taken: nothing of it was. `sentence` says why."""

    def __init__(
        self, sentence: str, advice: str = "Export the run again, and copy it anew"
    ) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.advice = advice


@dataclass(frozen=True, slots=True)
class Member:
    """A file of the archive: its size in bytes and its SHA-256."""

    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class RunEntry:
    """A run in the archive. `sources` maps the names of its definition's files to members.

    `missing` are directories of attempts that were not there (any more) when it was exported,
    `partial` those of attempts on other machines that were not shared to their end.
    """

    run: str
    count: int
    hash: str
    seal: str
    status: str
    sources: Mapping[str, str]
    missing: tuple[str, ...] = ()
    partial: tuple[str, ...] = ()

    @property
    def head(self) -> Head:
        """The head of its chain."""
        return Head(self.count, self.hash)


@dataclass(frozen=True, slots=True)
class Manifest:
    """What an archive says that it holds. `driven` are the runs that somebody drove meanwhile."""

    exported_at: str
    operator: str
    host: str
    program: str
    runs: tuple[RunEntry, ...]
    driven: tuple[str, ...]
    members: Mapping[str, Member]

    def dump(self) -> bytes:
        """Return the manifest as the archive holds it."""
        return (json.dumps({"format": FORMAT, **asdict(self)}, indent=1) + "\n").encode()


def load(content: bytes) -> Manifest:
    """Return the manifest that an archive holds. Raises ArchiveError."""
    try:
        data: Any = json.loads(content)
        found = data.get("format")
        if isinstance(found, int) and found > FORMAT:
            raise ArchiveError(
                f"The archive was written by a newer runbook: its format is {found}, this program "
                f"knows {FORMAT}.",
                "Use the newer program",
            )
        manifest = _manifest(data)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as problem:
        raise ArchiveError("The archive's manifest is not one of a run's.") from problem
    return manifest


def _manifest(data: Mapping[str, Any]) -> Manifest:
    if data["format"] != FORMAT:
        raise ValueError(data["format"])
    return Manifest(
        exported_at=_text(data["exported_at"]),
        operator=_text(data["operator"]),
        host=_text(data["host"]),
        program=_text(data["program"]),
        runs=tuple(_run(one) for one in data["runs"]),
        driven=tuple(_text(run) for run in data["driven"]),
        members={
            _text(name): Member(_number(one["size"]), _digest(one["sha256"]))
            for name, one in data["members"].items()
        },
    )


def _run(data: Mapping[str, Any]) -> RunEntry:
    if not _RUN.fullmatch(data["run"]):
        raise ValueError(data["run"])
    return RunEntry(
        run=data["run"],
        count=_number(data["count"]),
        hash=_digest(data["hash"]),
        seal=_text(data["seal"]),
        status=_text(data["status"]),
        sources={_text(name): _text(member) for name, member in data["sources"].items()},
        missing=tuple(_text(name) for name in data["missing"]),
        partial=tuple(_text(name) for name in data.get("partial", ())),
    )


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(value)
    return value


def _number(value: object) -> int:
    if type(value) is not int or value < 0:
        raise TypeError(value)
    return value


def _digest(value: object) -> str:
    if not _DIGEST.fullmatch(_text(value)):
        raise ValueError(value)
    return _text(value)


def events_member(run: str) -> str:
    """Return the member that holds a run's events."""
    return f"runs/{run}/events.jsonl"


def source_member(run: str, number: int) -> str:
    """Return the member that holds one of the files a run began with."""
    return f"runs/{run}/sources/{number:04d}"


def files_member(run: str, name: str = "") -> str:
    """Return the member of a file that lies at `name` in the run's own directory."""
    return f"runs/{run}/files/{name}"


def most_of_manifest(names: Iterable[str]) -> int:
    """Return how many bytes a manifest of these members may have: more is no list of them."""
    return min(MAX_MANIFEST, (4 << 20) + sum(6 * len(name) + 300 for name in names))


def is_safe(name: str) -> bool:
    """Whether a relative path stays inside, whatever file system it comes to."""
    return (
        0 < len(name.encode(errors="surrogateescape")) <= MAX_NAME
        and name.count("/") <= MAX_DEPTH
        and "\0" not in name
        and all(part not in ("", ".", "..") and len(part) <= 255 for part in name.split("/"))
    )
