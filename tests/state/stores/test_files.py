"""Files that are whole or not there."""

from __future__ import annotations

import errno
import os
import resource
import stat
from pathlib import Path

import pytest

from state.stores.files import whole_file


@pytest.fixture(params=["unnamed", "named only"])
def folder(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory, on a disk that knows files without a name, and on one that does not."""
    real = os.open

    def named_only(path: str, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
        if flags & os.O_TMPFILE == os.O_TMPFILE:
            raise OSError(errno.EOPNOTSUPP, "not supported")
        return real(path, flags, mode, dir_fd=dir_fd)

    if request.param == "named only":
        monkeypatch.setattr(os, "open", named_only)
    return tmp_path


@pytest.mark.parametrize("before", [None, b"before"])
def test_a_file_appears_whole(folder: Path, before: bytes | None) -> None:
    path = folder / "out"
    if before is not None:
        path.write_bytes(before)
    with whole_file(path) as file:
        file.write(b"new" * 100_000)
        assert (path.read_bytes() if path.exists() else None) == before
    assert path.read_bytes() == b"new" * 100_000
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(folder.iterdir()) == [path]


def test_what_fails_leaves_what_was_there(folder: Path) -> None:
    path = folder / "out"
    path.write_bytes(b"before")
    with pytest.raises(ZeroDivisionError):
        _write_half(path)
    assert path.read_bytes() == b"before"
    assert list(folder.iterdir()) == [path]


def _write_half(path: Path) -> None:
    with whole_file(path) as file:
        file.write(b"half")
        raise ZeroDivisionError


def test_a_directory_that_is_not_there(folder: Path) -> None:
    with pytest.raises(FileNotFoundError), whole_file(folder / "none" / "out"):
        pass


def test_a_link_is_followed_and_what_is_no_plain_file_is_never_replaced(folder: Path) -> None:
    """Whoever is root would have taken `/dev/null` away from the whole machine."""
    (folder / "link").symlink_to("real")
    with whole_file(folder / "link") as file:
        file.write(b"new")
    assert (folder / "link").is_symlink()
    assert (folder / "real").read_bytes() == b"new"
    os.mkfifo(folder / "pipe")
    for path in (folder / "pipe", folder):
        with pytest.raises(OSError, match="Only a plain file") as caught, whole_file(path):
            pass
        assert caught.value.filename == str(path)
    assert stat.S_ISFIFO((folder / "pipe").stat().st_mode)


def test_a_full_disk_is_told_with_the_name_of_the_file(folder: Path) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, resource.RLIM_INFINITY))
    try:
        with (
            pytest.raises(OSError, match="too large") as caught,
            whole_file(folder / "out") as file,
        ):
            file.write(bytes(4 << 20))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
    assert caught.value.filename == str(folder / "out")
    assert list(folder.iterdir()) == []
