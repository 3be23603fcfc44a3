"""A network of its own with one link to us, which a test can cut and mend. Needs root."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from secrets import token_hex


def _ip(*words: str) -> None:
    done = subprocess.run(["ip", *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"ip {' '.join(words)}: {done.stderr}"


@dataclass(frozen=True)
class Network:
    """Its hosts have the addresses `network`.1, `network`.2, …; we are `network`.254."""

    name: str
    network: str

    @property
    def within(self) -> tuple[str, ...]:
        """Words that run a program in it."""
        return ("ip", "netns", "exec", self.name)

    def cut(self) -> None:
        """Take the link away: what is sent is lost, and nobody is told."""
        _ip("link", "set", f"{self.name}a", "down")

    def mend(self) -> None:
        """Bring the link back."""
        _ip("link", "set", f"{self.name}a", "up")


@contextmanager
def network(hosts: int) -> Iterator[Network]:
    """Make a network with so many addresses; it goes with its link when left."""
    token = token_hex(3)
    made = Network(f"rb{token}", f"198.18.{int(token[:2], 16)}")
    ours, theirs = f"{made.name}a", f"{made.name}b"
    _ip("netns", "add", made.name)
    try:
        _ip("link", "add", ours, "type", "veth", "peer", "name", theirs, "netns", made.name)
        _ip("addr", "add", f"{made.network}.254/24", "dev", ours)
        for number in range(1, hosts + 1):
            _ip("-n", made.name, "addr", "add", f"{made.network}.{number}/24", "dev", theirs)
        for device in ("lo", theirs):
            _ip("-n", made.name, "link", "set", device, "up")
        made.mend()
        yield made
    finally:
        subprocess.run(["ip", "link", "del", ours], capture_output=True, check=False)
        _ip("netns", "del", made.name)
