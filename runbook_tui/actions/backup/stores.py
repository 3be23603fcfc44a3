"""Where dumps are kept: a directory, or a bucket of an S3-compatible object store."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

from runbook_tui.actions.api import ActionFailed, Job
from runbook_tui.actions.backup import manifest

CHUNK: Final = 1 << 20
PATIENCE: Final = "60s"
"""How long the object store may be silent in the middle of an answer."""


class KeepError(Exception):
    """The store refused or cannot be reached; the text is a sentence's end."""


class Store(Protocol):
    """A place for whole files by name. Methods raise KeepError."""

    def keep(self, name: str, path: Path) -> None:
        """Keep a file under a name; the file may be taken away."""

    def write(self, name: str, data: bytes) -> None:
        """Keep a few bytes under a name."""

    def read(self, name: str) -> bytes:
        """Return what is kept under a name."""

    def digest(self, name: str) -> str:
        """Return the SHA-256 of what is kept, read back from the store."""

    def sizes(self) -> Mapping[str, int]:
        """Return names and sizes of everything in this place."""

    def remove(self, name: str) -> None:
        """Remove what is kept under a name."""

    def place(self, name: str) -> str:
        """Return the path or URL of what is kept under a name."""


def open_store(job: Job) -> Store:
    """Return the store that the option `to` names; KeepError when it cannot be used."""
    to = str(job.options["to"])
    if to.startswith("s3://"):
        bucket, _, prefix = to.removeprefix("s3://").partition("/")
        return Bucket(bucket, prefix.strip("/"), job.options.get("s3") or {}, job.cwd)
    return Directory(Path(job.cwd) / to)


def digest_of(chunks: Iterable[bytes]) -> str:
    """Return the SHA-256 of bytes that come in pieces."""
    digest = hashlib.sha256()
    for chunk in chunks:
        digest.update(chunk)
    return digest.hexdigest()


def pieces(path: Path) -> Iterable[bytes]:
    """Yield a file in pieces."""
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            yield chunk


@dataclass(frozen=True, slots=True)
class Directory:
    """Files of mode 0600 in a directory, which is made when missing (0700)."""

    path: Path

    def keep(self, name: str, path: Path) -> None:
        """Move a file here, synced; by copying when it comes from another file system."""
        part = self.path / f".{name}.part"
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            for left in self.path.glob(f".*.{manifest.mark_of(name)}.part"):
                left.unlink()  # of an attempt that was killed
            try:
                path.rename(part)
            except OSError:
                shutil.copyfile(path, part)
            part.chmod(0o600)
            self._finish(part, name)
        except OSError as fault:
            with suppress(OSError):
                part.unlink()
            raise KeepError(f"{self.path} cannot be written: {fault.strerror}") from fault

    def write(self, name: str, data: bytes) -> None:
        """Write bytes under a name, synced."""
        part = self.path / f".{name}.part"
        try:
            part.write_bytes(data)
            part.chmod(0o600)
            self._finish(part, name)
        except OSError as fault:
            raise KeepError(f"{self.path} cannot be written: {fault.strerror}") from fault

    def read(self, name: str) -> bytes:
        """Return a file's bytes."""
        try:
            return (self.path / name).read_bytes()
        except OSError as fault:
            raise KeepError(f"{name} cannot be read: {fault.strerror}") from fault

    def digest(self, name: str) -> str:
        """Return a file's SHA-256."""
        try:
            return digest_of(pieces(self.path / name))
        except OSError as fault:
            raise KeepError(f"{name} cannot be read: {fault.strerror}") from fault

    def sizes(self) -> Mapping[str, int]:
        """Return the files here; unfinished ones do not count."""
        if not self.path.exists():
            return {}
        try:
            found = [each for each in self.path.iterdir() if not each.name.startswith(".")]
            return {each.name: each.stat().st_size for each in found if each.is_file()}
        except OSError as fault:
            raise KeepError(f"{self.path} cannot be read: {fault.strerror}") from fault

    def remove(self, name: str) -> None:
        """Remove a file."""
        try:
            (self.path / name).unlink(missing_ok=True)
        except OSError as fault:
            raise KeepError(f"{name} cannot be removed: {fault.strerror}") from fault

    def place(self, name: str) -> str:
        """Return a file's path."""
        return str(self.path / name)

    def _finish(self, part: Path, name: str) -> None:
        _sync(part)
        part.rename(self.path / name)
        _sync(self.path)


class Bucket:
    """Objects below a prefix of a bucket."""

    def __init__(self, bucket: str, prefix: str, options: Mapping[str, Any], cwd: str) -> None:
        from obstore.store import S3Store

        self._bucket, self._prefix = bucket, prefix
        endpoint = options.get("endpoint")
        client: dict[str, Any] = {"read_timeout": PATIENCE, "timeout": "1d"}
        if str(endpoint).startswith("http://"):
            client["allow_http"] = True
        if options.get("ca"):
            client["root_certificate"] = _authorities(Path(cwd) / options["ca"])
        given = {"access_key_id": options.get("access_key"), "endpoint": endpoint}
        given["secret_access_key"] = options.get("secret_key")
        named: dict[str, Any] = {key: value for key, value in given.items() if value}
        self._store = S3Store(
            bucket,
            prefix=prefix or None,
            region=options.get("region") or "us-east-1",
            client_options=client,  # type: ignore[arg-type]  # a TypedDict, made step by step
            retry_config={"max_retries": 3},
            **named,
        )

    def keep(self, name: str, path: Path) -> None:
        """Upload a file, in parts when it is large."""
        self._do(lambda obstore: obstore.put(self._store, name, path))

    def write(self, name: str, data: bytes) -> None:
        """Upload bytes."""
        self._do(lambda obstore: obstore.put(self._store, name, data))

    def read(self, name: str) -> bytes:
        """Download an object."""
        return bytes(self._do(lambda obstore: obstore.get(self._store, name).bytes()))

    def digest(self, name: str) -> str:
        """Download an object and return its SHA-256; it is not kept."""

        def down(obstore: Any) -> str:
            return digest_of(bytes(chunk) for chunk in obstore.get(self._store, name).stream())

        return str(self._do(down))

    def sizes(self) -> Mapping[str, int]:
        """Return the objects below the prefix."""

        def down(obstore: Any) -> dict[str, int]:
            return {
                str(item["path"]): int(item["size"])
                for page in obstore.list(self._store)
                for item in page
            }

        found: dict[str, int] = self._do(down)
        return found

    def remove(self, name: str) -> None:
        """Delete an object."""
        self._do(lambda obstore: obstore.delete(self._store, name))

    def place(self, name: str) -> str:
        """Return an object's URL."""
        return "s3://" + "/".join(filter(None, (self._bucket, self._prefix, name)))

    def _do(self, call: Any) -> Any:
        import obstore
        from obstore.exceptions import BaseError

        try:
            return call(obstore)
        except (BaseError, OSError) as fault:
            raise KeepError(f"s3://{self._bucket}: {_first_line(fault)}") from fault


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _authorities(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as fault:
        raise ActionFailed(
            f"The file of certificate authorities {path} cannot be used: {fault.strerror}.",
            effect="none",
        ) from fault


def _first_line(fault: Exception) -> str:
    lines = str(fault).strip().splitlines()
    return lines[0].rstrip(".")[:300] if lines else type(fault).__name__
