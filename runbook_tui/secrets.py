"""Reads a secret where it is kept, when it is needed. No message ever holds a value."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Final

from runbook_tui.definition.plan import SecretSource

LIMIT: Final = 1 << 20
"""Most bytes of a secret: a certificate chain fits, a file named by mistake does not."""

PATIENCE: Final = 120.0
"""Seconds for a secret's command; it may have to ask a server, but cannot ask a person."""

Ask = Callable[[SecretSource], str | None]
"""Has a person type a secret (`value` is the text to ask with); None when they would not."""


class SecretError(Exception):
    """A secret cannot be read. `sentence` says which and why, `advice` what to do."""

    def __init__(self, source: SecretSource, why: str, advice: str) -> None:
        self.sentence = f"the secret {source.name} cannot be read: {why}"
        self.advice = advice
        super().__init__(self.sentence)


def resolve(source: SecretSource, ask: Ask | None = None) -> str:
    """Return the value of a secret, without the line end that files and commands put behind it.

    Raises SecretError, also for an empty value.
    """
    value = _READERS[source.kind](source, ask)
    if not value:
        raise SecretError(source, "its value is empty", f"Fill {_place(source)}.")
    return value


def _place(source: SecretSource) -> str:
    places = {
        "env": f"the environment variable {source.value}",
        "file": f"the file {source.value}",
        "command": f"what `{source.value}` prints",
        "keyring": f"the keyring's entry {source.value}",
        "prompt": "it in when you are asked",
    }
    return places[source.kind]


def _from_env(source: SecretSource, ask: Ask | None) -> str:
    if source.value not in os.environ:
        raise SecretError(
            source,
            f"the environment variable {source.value} is not set",
            f"Set {source.value} before you start the program.",
        )
    return os.environ[source.value]


def _from_file(source: SecretSource, ask: Ask | None) -> str:
    path = Path(source.value).expanduser()
    try:
        with path.open("rb") as file:
            content = file.read(LIMIT + 1)
    except OSError as problem:
        why = f"the file {path} cannot be opened: {problem.strerror}"
        raise SecretError(source, why, f"Put the value into {path}, readable for you.") from None
    return _text(source, content)


def _from_command(source: SecretSource, ask: Ask | None) -> str:
    try:
        done = subprocess.run(
            ["/bin/sh", "-c", source.value],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=PATIENCE,
            start_new_session=True,  # no terminal: it can neither ask on nor write over the screen
        )
    except subprocess.TimeoutExpired:
        raise SecretError(
            source,
            f"`{source.value}` did not end within {PATIENCE:.0f} s",
            "Run it yourself, and unlock what it waits for.",
        ) from None
    if done.returncode != 0:
        raise SecretError(
            source,
            f"`{source.value}` ended with exit code {done.returncode}",
            "Run it yourself to see why.",
        )
    return _text(source, done.stdout)


def _from_keyring(source: SecretSource, ask: Ask | None) -> str:
    import keyring
    from keyring.errors import KeyringError

    service, _, user = source.value.partition("/")
    try:
        value = keyring.get_password(service, user)
    except KeyringError as problem:
        why = f"the keyring does not answer ({type(problem).__name__})"
        advice = "Unlock the keyring, or name another source in the environments file."
        raise SecretError(source, why, advice) from None
    if value is None:
        why = f"the keyring has no entry for the user {user} of {service}"
        raise SecretError(source, why, f"Store it with: keyring set {service} {user}")
    return value


def _from_person(source: SecretSource, ask: Ask | None) -> str:
    value = ask(source) if ask is not None else None
    if value is None:
        raise SecretError(
            source,
            "nobody is there to type it in" if ask is None else "it was not typed in",
            "Start the program on a terminal, or name another source in the environments file.",
        )
    return value


def _text(source: SecretSource, content: bytes) -> str:
    if len(content) > LIMIT:
        raise SecretError(
            source, f"it is longer than {LIMIT >> 20} MiB", f"Look at {_place(source)}."
        )
    try:
        return content.decode().rstrip("\r\n")
    except UnicodeDecodeError:
        why = "it is not UTF-8 text"
        raise SecretError(
            source, why, f"Encode {_place(source)}, in base64 for instance."
        ) from None


_READERS: Final = {
    "env": _from_env,
    "file": _from_file,
    "command": _from_command,
    "keyring": _from_keyring,
    "prompt": _from_person,
}
