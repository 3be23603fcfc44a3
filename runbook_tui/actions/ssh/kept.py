"""What is known here of each host's part, on disk in the attempt's directory, a small file each.

A part is `preparing` while its record is made, and `begun` before the script can start on the host.
It is `done`, `failed`, `died` (it left no exit code) or `void` (it never started) once that is
adopted from the host's own record; only then that record is removed there.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Final
from urllib.parse import quote

from state.stores.files import read_or_none, write_whole

SETTLED: Final = ("done", "failed", "died", "void")
_FOLDER, _ANEW = "remote", "anew"


@dataclass(frozen=True, slots=True)
class Entry:
    """One host's part. `record` names the folder on the host; `tried` is the attempt's number."""

    host: str
    state: str
    record: str
    tried: int
    code: int | None = None
    words: str = ""
    outputs: Mapping[str, str] = field(default_factory=dict)
    cleared: bool = False
    """Whether the record on the host has been removed."""

    @property
    def settled(self) -> bool:
        """Whether it is known how the part ended."""
        return self.state in SETTLED


class Kept:
    """The entries of one attempt."""

    def __init__(self, directory: str | Path) -> None:
        self._folder = Path(directory) / _FOLDER

    def exists(self) -> bool:
        """Whether the attempt has come as far as to keep anything."""
        return self._folder.is_dir()

    def begin(self, *, anew: bool) -> None:
        """Make the folder. `anew`: what earlier attempts did on a host does not count any more."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_whole(self._folder / _ANEW, b"1" if anew else b"0", sync=True)

    def anew(self) -> bool:
        """Whether nothing of earlier attempts counts."""
        return read_or_none(self._folder / _ANEW) != b"0"

    def write(self, entry: Entry, *, sync: bool = True) -> None:
        """Keep an entry; with `sync` it is on disk when this returns."""
        write_whole(self._path(entry.host), json.dumps(asdict(entry)).encode(), sync=sync)

    def cleared(self, host: str) -> None:
        """Note that a host holds nothing of the attempt any more."""
        entry = self.read(host)
        if entry is not None:
            self.write(replace(entry, cleared=True), sync=False)

    def read(self, host: str) -> Entry | None:
        """Return a host's entry; None when there is none, or it cannot be read."""
        content = read_or_none(self._path(host))
        if content is None:
            return None
        try:
            return Entry(**json.loads(content))
        except (ValueError, TypeError):
            return None

    def _path(self, host: str) -> Path:
        return self._folder / f"{quote(host, safe='')}.json"


def before(previous: Sequence[str], hosts: Iterable[str]) -> dict[str, Entry]:
    """Return the newest entry of each host in the earlier attempts that still count."""
    counting: list[Kept] = []
    for directory in reversed(previous):
        kept = Kept(directory)
        if kept.exists():
            counting.append(kept)
            if kept.anew():
                break
    found: dict[str, Entry] = {}
    for host in hosts:
        entries = (kept.read(host) for kept in counting)
        newest = next((entry for entry in entries if entry and entry.state != "void"), None)
        if newest is not None:
            found[host] = newest
    return found
