"""Which host keys we trust: OpenSSH's known_hosts files, read line by line.

One bad line must not make the others unreadable, `@revoked` must count, and patterns must match
as in OpenSSH; the library's own reader does none of these.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path


@dataclass(frozen=True, slots=True)
class KnownKey:
    """A host key as a line gives it: its type and its bytes."""

    kind: str
    blob: bytes

    def fingerprint(self) -> str:
        """Return what `ssh-keygen -l` shows of it."""
        digest = base64.b64encode(hashlib.sha256(self.blob).digest()).decode().rstrip("=")
        return f"SHA256:{digest}"


@dataclass(frozen=True, slots=True)
class Known:
    """What the files say of one host: its keys, the keys revoked for it, and lines left out."""

    name: str
    keys: tuple[KnownKey, ...]
    revoked: tuple[KnownKey, ...]
    notes: tuple[str, ...]

    def kinds(self) -> frozenset[str]:
        """Return the types of the keys that are trusted."""
        return frozenset(key.kind for key in self.keys)


def lookup_name(address: str, port: int) -> str:
    """Return the name under which known_hosts keeps an address."""
    return address if port == 22 else f"[{address}]:{port}"


def read(files: Iterable[str], name: str) -> Known:
    """Return what the files know of a host; a file that is missing knows nothing."""
    keys: list[KnownKey] = []
    revoked: list[KnownKey] = []
    notes: list[str] = []
    for where, line in _lines(files):
        try:
            entry = _parse(line, name)
        except ValueError as fault:
            notes.append(f"{where}: line left out, {fault}")
            continue
        if entry is None:
            continue
        marker, key = entry
        if marker == "@cert-authority":
            notes.append(f"{where}: host certificates are not supported, line left out")
        else:
            (revoked if marker == "@revoked" else keys).append(key)
    return Known(name, tuple(keys), tuple(revoked), tuple(notes))


def _lines(files: Iterable[str]) -> Iterator[tuple[str, str]]:
    for file in files:
        try:
            text = Path(file).read_text("utf-8", "replace")
        except FileNotFoundError:
            continue
        for number, line in enumerate(text.splitlines(), 1):
            if line.strip() and not line.lstrip().startswith("#"):
                yield f"{file}:{number}", line.strip()


def _parse(line: str, name: str) -> tuple[str, KnownKey] | None:
    """Return the marker and key of a line that speaks of a host; ValueError for a broken line."""
    words = line.split()
    marker = words.pop(0) if words[0].startswith("@") else ""
    if marker not in ("", "@revoked", "@cert-authority"):
        raise ValueError(f"{marker} is no marker")
    if len(words) < 3:
        raise ValueError("it has fewer than three fields")
    hosts, kind, encoded = words[:3]
    if not _matches(hosts, name):
        return None
    return marker, KnownKey(kind, _blob(kind, encoded))


def _blob(kind: str, encoded: str) -> bytes:
    try:
        blob = base64.b64decode(encoded, validate=True)
    except binascii.Error:
        raise ValueError("its key is not base64") from None
    length = int.from_bytes(blob[:4], "big")
    if blob[4 : 4 + length] != kind.encode():
        raise ValueError(f"its key is no {kind} key")
    return blob


def _matches(hosts: str, name: str) -> bool:
    if hosts.startswith("|"):
        return _matches_hash(hosts, name)
    found = False
    for pattern in hosts.lower().split(","):
        negated = pattern.startswith("!")
        if fnmatchcase(name.lower(), _without_sets(pattern.removeprefix("!"))):
            if negated:
                return False
            found = True
    return found


def _without_sets(pattern: str) -> str:
    """Keep `*` and `?`, but make `[` plain: here it begins an address with a port."""
    return pattern.replace("[", "[[]")


def _matches_hash(hosts: str, name: str) -> bool:
    try:
        _, version, salt, hashed = hosts.split("|")
        wanted = base64.b64decode(hashed, validate=True)
        made = hmac.new(base64.b64decode(salt, validate=True), name.encode(), hashlib.sha1)
    except (ValueError, binascii.Error):
        raise ValueError("its hashed name cannot be read") from None
    return version == "1" and hmac.compare_digest(made.digest(), wanted)
