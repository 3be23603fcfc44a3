"""One broken line must not hide the others, and `@revoked` must count."""

from __future__ import annotations

import base64
import hashlib
import hmac
from pathlib import Path

import pytest

from runbook_tui.actions.shared import known_hosts

KIND = "ssh-ed25519"


def _key(letter: str) -> str:
    blob = len(KIND).to_bytes(4, "big") + KIND.encode() + letter.encode() * 36
    return base64.b64encode(blob).decode()


def _hashed(name: str) -> str:
    salt = b"s" * 20
    made = hmac.new(salt, name.encode(), hashlib.sha1).digest()
    return f"|1|{base64.b64encode(salt).decode()}|{base64.b64encode(made).decode()}"


def _read(tmp_path: Path, text: str, name: str = "app.example.org") -> known_hosts.Known:
    file = tmp_path / "known_hosts"
    file.write_text(text)
    return known_hosts.read([str(tmp_path / "none"), str(file)], name)


@pytest.mark.parametrize(
    ("hosts", "name", "matches"),
    [
        ("app.example.org", "app.example.org", True),
        ("APP.example.org", "app.example.org", True),
        ("db,app.example.org", "app.example.org", True),
        ("*.example.org", "app.example.org", True),
        ("*.example.org,!app.example.org", "app.example.org", False),
        ("!db.example.org", "app.example.org", False),
        ("app?example.org", "app.example.org", True),
        ("app", "app.example.org", False),
        ("[10.0.0.1]:2222", "[10.0.0.1]:2222", True),
        ("[10.0.0.1]:2222", "10.0.0.1", False),
        ("[10.0.0.*]:2222", "[10.0.0.1]:2222", True),
        (_hashed("[10.0.0.1]:2222"), "[10.0.0.1]:2222", True),
        (_hashed("10.0.0.1"), "10.0.0.2", False),
    ],
)
def test_host_patterns(tmp_path: Path, hosts: str, name: str, matches: bool) -> None:
    known = _read(tmp_path, f"{hosts} {KIND} {_key('a')}\n", name)
    assert bool(known.keys) is matches
    assert not known.notes


def test_good_lines_count_beside_broken_ones(tmp_path: Path) -> None:
    lines = [
        "# a comment",
        "",
        f"app.example.org {KIND} not*base64",
        f"app.example.org {KIND}",
        f"app.example.org ssh-rsa {_key('a')}",
        f"|1|x app.example.org {_key('a')}",
        f"@strange app.example.org {KIND} {_key('a')}",
        f"@cert-authority app.example.org {KIND} {_key('a')}",
        f"@revoked app.example.org {KIND} {_key('b')}",
        f"app.example.org {KIND} {_key('c')} a comment of its own",
        f"app.example.org {KIND} {_key('d')}",
    ]
    known = _read(tmp_path, "\n".join(lines))
    assert [key.blob[-1:] for key in known.keys] == [b"c", b"d"]
    assert [key.blob[-1:] for key in known.revoked] == [b"b"]
    assert [int(note.split(":")[1]) for note in known.notes] == [3, 4, 5, 6, 7, 8]
    assert known.kinds() == {KIND}


def test_the_port_is_part_of_the_name() -> None:
    assert known_hosts.lookup_name("10.0.0.1", 22) == "10.0.0.1"
    assert known_hosts.lookup_name("10.0.0.1", 2222) == "[10.0.0.1]:2222"
