"""A full or read-only disk under the state directory: told in words, nothing acknowledged lost."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from state.audit import audit
from state.errors import StoreFull, StoreUnusable
from state.events import NoteAdded
from state.stores.sqlite import SqliteJournal, open_journal, open_reader
from state.stores.sqlite_checks import BALLAST_BYTES, free_bytes
from tests.harness.records import started

RUN = "1123-k7f3"
CHECKOUT = Path(__file__).parents[2]


def mount(*arguments: str) -> None:
    """Run mount, which must work."""
    subprocess.run(["mount", *arguments], check=True)


@pytest.fixture(params=["tmpfs", "ext4"])
def small_disk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """A file system of 3 MB in memory, or one of 80 MB, of which ext4 gives nobody the last 1.6."""
    disk = tmp_path / "disk"
    disk.mkdir()
    if request.param == "tmpfs":
        mount("-t", "tmpfs", "-o", "size=3m,mode=0700", "tmpfs", str(disk))
    else:
        image = tmp_path / "image"
        with image.open("wb") as file:
            file.truncate(80 << 20)
        subprocess.run(["mkfs.ext4", "-q", "-F", "-m", "0", str(image)], check=True)
        mount("-o", "loop", str(image), str(disk))
    try:
        yield disk
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def fill(disk: Path) -> Path:
    """Use up all the room that is left."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file:
        for size in (1 << 20, 1 << 16, 1 << 12):
            try:
                while True:
                    os.posix_fallocate(file.fileno(), os.fstat(file.fileno()).st_size, size)
            except OSError:
                continue
    return filler


def begin(journal: SqliteJournal) -> None:
    """Begin the run."""
    journal.create_run(RUN, started("a"), operator="d", host="h", token=1, sources={})


def append_until_full(journal: SqliteJournal) -> int:
    """Append until nothing fits; return how many records were acknowledged in all."""
    acknowledged = len(journal.read(RUN))
    try:
        while True:
            journal.append(RUN, [NoteAdded("x" * 500)], operator="d", host="h", token=1)
            acknowledged += 1
    except StoreFull:
        return acknowledged


def test_a_disk_that_fills_up_stops_the_writer_and_loses_nothing(small_disk: Path) -> None:
    with open_journal(small_disk / "state") as journal:
        begin(journal)
        filler = fill(small_disk)
        acknowledged = append_until_full(journal)
        assert len(journal.read(RUN)) == acknowledged
        assert audit(journal.read(RUN), journal.head(RUN)) == []
        filler.unlink()
        journal.append(RUN, [NoteAdded("mended")], operator="d", host="h", token=1)
        assert len(journal.read(RUN)) == acknowledged + 1
        assert audit(journal.read(RUN), journal.head(RUN)) == []


_OWNER = """
import sys
from pathlib import Path
from state.errors import StoreFull
from state.events import NoteAdded
from state.stores.sqlite import open_journal
journal = open_journal(Path(sys.argv[1]))
print("open", flush=True)
sys.stdin.readline()
try:
    while True:
        journal.append("1123-k7f3", [NoteAdded("x" * 500)], operator="d", host="h", token=1)
        print("kept", flush=True)
except StoreFull:
    print("full", flush=True)
sys.stdin.readline()
"""

_READER = """
import sys
from pathlib import Path
from state.audit import audit
from state.stores.sqlite import open_reader
with open_reader(Path(sys.argv[1])) as journal:
    records = journal.read("1123-k7f3")
    assert audit(records, journal.head("1123-k7f3")) == []
    print(len(records))
"""


def test_a_full_disk_whose_owner_was_killed_can_still_be_read(small_disk: Path) -> None:
    state = small_disk / "state"
    with open_journal(state) as journal:
        begin(journal)
    pipe = subprocess.PIPE
    argv = [sys.executable, "-c", _OWNER, str(state)]
    with subprocess.Popen(argv, stdin=pipe, stdout=pipe, cwd=CHECKOUT, text=True) as owner:
        assert owner.stdin is not None
        assert owner.stdout is not None
        assert owner.stdout.readline() == "open\n"
        fill(small_disk)
        owner.stdin.write("go\n")
        owner.stdin.flush()
        acknowledged = 1 + sum(1 for _ in iter(owner.stdout.readline, "full\n"))
        owner.kill()
    with pytest.raises(StoreFull, match=r"is full: \d+ kB are left"):
        open_journal(state)
    read = subprocess.run(
        [sys.executable, "-c", _READER, str(state)], capture_output=True, cwd=CHECKOUT, text=True
    )
    assert read.returncode == 0, read.stderr
    assert int(read.stdout) == acknowledged
    (small_disk / "filler").unlink()
    with open_journal(state) as again:
        again.append(RUN, [NoteAdded("goes on")], operator="d", host="h", token=1)
        assert audit(again.read(RUN), again.head(RUN)) == []
    assert (state / "ballast").stat().st_size == BALLAST_BYTES


def test_with_no_room_at_all_even_a_reader_is_refused_before_it_opens(small_disk: Path) -> None:
    state = small_disk / "state"
    with open_journal(state) as journal:
        begin(journal)
    (state / "ballast").unlink()
    fill(small_disk)
    assert free_bytes(state) < 4096
    with pytest.raises(StoreFull) as caught:
        open_reader(state)
    assert caught.value.advice.startswith("Free some space there, then resume")


def test_a_read_only_disk_is_refused_in_words(small_disk: Path) -> None:
    state = small_disk / "state"
    open_journal(state).close()
    mount("-o", "remount,ro", str(small_disk))
    with pytest.raises(StoreUnusable, match=f"{state} is on a disk that is read-only"):
        open_journal(state)
    with pytest.raises(StoreUnusable, match="cannot be made: Read-only file system"):
        open_journal(small_disk / "other")
