"""Secrets from every source, and errors that help without giving the value away."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked

from runbook_tui import secrets
from runbook_tui.definition.plan import SecretSource
from runbook_tui.secrets import SecretError, resolve

VALUE = "s3cr3t-välue"
Kind = Literal["env", "file", "command", "keyring", "prompt"]


class Ring(KeyringBackend):
    """A keyring in memory."""

    priority = 1

    def __init__(self) -> None:
        self.entries: dict[tuple[str, str], str] = {}
        self.locked = False

    def get_password(self, service: str, username: str) -> str | None:
        if self.locked:
            raise KeyringLocked(VALUE)
        return self.entries.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.entries[service, username] = password


@pytest.fixture
def ring() -> Iterator[Ring]:
    before = keyring.get_keyring()
    ring = Ring()
    keyring.set_keyring(ring)
    yield ring
    keyring.set_keyring(before)


def source(kind: Kind, value: str) -> SecretSource:
    return SecretSource("DATABASE_URL", kind, value)


def refused(kind: Kind, value: str) -> SecretError:
    with pytest.raises(SecretError) as caught:
        resolve(source(kind, value))
    assert caught.value.sentence.startswith("the secret DATABASE_URL cannot be read: ")
    assert caught.value.advice
    assert VALUE not in f"{caught.value.sentence} {caught.value.advice} {caught.value!r}"
    return caught.value


def test_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRACTICE_DB", VALUE)

    assert resolve(source("env", "PRACTICE_DB")) == VALUE
    monkeypatch.delenv("PRACTICE_DB")
    assert "PRACTICE_DB is not set" in refused("env", "PRACTICE_DB").sentence
    monkeypatch.setenv("PRACTICE_DB", "")
    assert "empty" in refused("env", "PRACTICE_DB").sentence


def test_from_a_file_without_the_line_end(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text(f"{VALUE}\n\n", encoding="utf-8")

    assert resolve(source("file", str(path))) == VALUE
    assert "No such file" in refused("file", str(tmp_path / "none")).sentence
    assert "Is a directory" in refused("file", str(tmp_path)).sentence


@pytest.mark.parametrize(
    ("content", "why"),
    [(b"\n", "empty"), (b"\xff\xfe", "UTF-8"), (b"x" * (secrets.LIMIT + 1), "longer")],
)
def test_a_file_that_holds_no_secret_is_refused(tmp_path: Path, content: bytes, why: str) -> None:
    path = tmp_path / "secret"
    path.write_bytes(content)

    assert why in refused("file", str(path)).sentence


def test_from_a_command_without_terminal_or_input() -> None:
    script = f"cat; test -t 0 || echo '{VALUE}' | head -1"

    assert resolve(source("command", script)) == VALUE
    assert "exit code 3" in refused("command", "echo nothing; exit 3").sentence
    assert refused("command", "cat < /dev/tty").sentence.endswith("exit code 2")


def test_a_command_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secrets, "PATIENCE", 0.05)

    assert "did not end" in refused("command", "exec sleep 1000").sentence


def test_from_the_keyring(ring: Ring) -> None:
    keyring.set_password("practice-hub", "deploy/db", VALUE)

    assert resolve(source("keyring", "practice-hub/deploy/db")) == VALUE
    assert "no entry for the user nobody" in refused("keyring", "practice-hub/nobody").sentence
    ring.locked = True
    assert "KeyringLocked" in refused("keyring", "practice-hub/deploy/db").sentence


def test_from_a_person() -> None:
    asked: list[str] = []

    def ask(of: SecretSource) -> str | None:
        asked.append(of.value)
        return VALUE

    assert resolve(source("prompt", "Database URL"), ask) == VALUE
    assert asked == ["Database URL"]
    assert "nobody is there" in refused("prompt", "Database URL").sentence
    with pytest.raises(SecretError, match="it was not typed in"):
        resolve(source("prompt", "Database URL"), lambda of: None)
