"""A power cut: what had not reached the disk is gone, and the machine has another boot id.

The state directory lies on an ext4 of its own in a file. At the cut that file is copied while all
of our processes stand; what only the kernel's memory held is not in the copy. Then they are killed,
and the copy is mounted in the place of the first, which has its journal replayed.

The machine that is cut off is the program's. The servers of a world (databases, hosts, the
registry, Docker's engines) are others and stay up. An engine that is cut off too is not shown: its
layers and its database lie on a disk that all cells share, and a cut there would end the others.
"""

from __future__ import annotations

import shutil
import subprocess
import uuid
from contextlib import suppress
from pathlib import Path
from typing import Final

from tests.harness.processes import until

_BOOT_ID: Final = "/proc/sys/kernel/random/boot_id"
_SEEN: Final = f'mount --bind "$0" {_BOOT_ID} && exec "$@"'
_SIZE: Final = 32 << 20


class Disk:
    """A small disk that can be cut off; `close` it."""

    def __init__(self, home: Path) -> None:
        self.path = home / "disk"
        self._images = [home / "disk.ext4", home / "disk-after.ext4"]
        self._boot = home / "boot_id"
        self.path.mkdir()
        with self._images[0].open("wb") as file:
            file.truncate(_SIZE)
        _run("mkfs.ext4", "-q", "-F", str(self._images[0]))
        self._mount(self._images[0])
        self.after: tuple[str, ...] = ()
        """Words before a command, with which it sees the boot after the cut."""

    def _mount(self, image: Path) -> None:
        # Nothing is to reach the disk by the mere passing of time.
        _run("mount", "-o", "loop,commit=600", str(image), str(self.path))

    def cut(self) -> None:
        """Keep what is on the disk now."""
        shutil.copyfile(*self._images)

    def replace(self) -> None:
        """Mount what was kept, once nobody uses the disk any more."""
        self._release()
        self._mount(self._images[1])
        self._boot.write_text(f"{uuid.uuid4()}\n")
        self.after = ("unshare", "--mount", "sh", "-c", _SEEN, str(self._boot))

    def _release(self) -> None:
        until(lambda: _tried("umount", str(self.path)), "the disk's release")

    def close(self) -> None:
        """Let the disk go."""
        with suppress(AssertionError):
            self._release()


def _run(*words: str) -> None:
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 0, f"{' '.join(words)}: {done.stderr}"


def _tried(*words: str) -> bool:
    return subprocess.run(words, capture_output=True).returncode == 0
