"""A connection to a host over SSH: only to hosts whose key is known, through checked jump hosts.

Fabric's own connection accepts every host key and knows no dead peer, so both are added here.
Commands run on raw channels: output is handed on as bytes as it comes, and standard input is ours.
"""

from __future__ import annotations

import logging
import select
import socket
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Final, Literal

from fabric import Config, Connection
from paramiko import (
    AuthenticationException,
    Channel,
    MissingHostKeyPolicy,
    PasswordRequiredException,
    PKey,
    SSHClient,
    SSHConfig,
    SSHException,
    Transport,
)
from paramiko.ssh_exception import IncompatiblePeer, NoValidConnectionsError

from runbook_tui.actions.api import ActionFailed, Host
from runbook_tui.actions.shared import known_hosts, ssh_settings
from runbook_tui.actions.shared.known_hosts import Known, KnownKey
from runbook_tui.actions.shared.ssh_settings import Target

Output = Callable[[bytes, Literal["stdout", "stderr"]], None]
Stop = Callable[[], bool]
KEY_TYPES: Final = {
    "ssh-rsa": ("rsa-sha2-512", "rsa-sha2-256"),
    "ssh-ed25519": ("ssh-ed25519",),
    "ecdsa-sha2-nistp256": ("ecdsa-sha2-nistp256",),
    "ecdsa-sha2-nistp384": ("ecdsa-sha2-nistp384",),
    "ecdsa-sha2-nistp521": ("ecdsa-sha2-nistp521",),
}
"""Types of keys in known_hosts, and the signatures that go with them."""
UNANSWERED: Final = 30_000
"""Milliseconds after which sent data without an answer means that the peer is dead."""
KEEP_ALIVE: Final = 15
"""Seconds between two signs of life that are asked for, unless the SSH settings say otherwise."""
AFTERMATH: Final = 1.0
"""Seconds of silence, after a command has ended, until output held open by others is left."""


# The library prints a traceback on standard error for what we put into words.
logging.getLogger("paramiko").setLevel(logging.CRITICAL)


class HostKeyRefused(SSHException):
    """The host showed a key that we do not trust; the text says why."""


class KnownKeysOnly(MissingHostKeyPolicy):
    """Accepts a key that known_hosts has for the host, and no other."""

    def __init__(self, target: Target, known: Known) -> None:
        self._target = target
        self._known = known

    def missing_host_key(self, client: SSHClient, hostname: str, key: PKey) -> None:
        """Raise HostKeyRefused unless the key is known."""
        shown = KnownKey(key.get_name(), key.asbytes())
        name = self._target.name
        if shown in self._known.revoked:
            raise HostKeyRefused(
                f"The key of {name} ({shown.fingerprint()}) is revoked in known_hosts"
            )
        if shown in self._known.keys:
            return
        raise HostKeyRefused(
            f"The key of {name} has changed: it shows {shown.fingerprint()}, known_hosts has "
            f"{self._known.keys[0].fingerprint()}"
        )


class HostConnection(Connection):  # type: ignore[misc]  # fabric has no types
    """Fabric's connection to a resolved host, with checked keys and time-outs."""

    def __init__(self, target: Target, timeout: float) -> None:
        passed = [*target.jumps]
        gateway = _chain(passed, timeout) if passed else False
        settings = Config(ssh_config=SSHConfig(), lazy=True)
        super().__init__(
            target.address,
            user=target.user,
            port=target.port,
            config=settings,
            gateway=gateway,
            forward_agent=False,
            connect_timeout=target.timeout or timeout,
        )
        known = known_hosts.read(target.known_hosts, target.key_name)
        limit = target.timeout or timeout
        self._set(target=target, known=known, limit=limit)
        self.client.set_missing_host_key_policy(KnownKeysOnly(target, known))
        self.connect_kwargs = {
            "key_filename": list(target.keys),
            "allow_agent": target.agent,
            "look_for_keys": target.other_keys,
            "banner_timeout": limit,
            "auth_timeout": limit,
            "channel_timeout": limit,
            "disabled_algorithms": {"keys": _unknown_types(known)},
        }

    def open(self) -> None:
        """Connect; raises ActionFailed in words, with nothing done on the host."""
        if self.is_connected:
            return
        target: Target = self.target
        if not self.known.keys:
            raise _refused_key(
                target,
                f"The key of {target.name} is unknown: no line for {target.key_name} in "
                f"{' or '.join(target.known_hosts)}",
            )
        try:
            super().open()
        except ActionFailed:
            raise
        except HostKeyRefused as fault:
            self.client.close()
            raise _refused_key(target, str(fault)) from fault
        except (OSError, EOFError, SSHException) as fault:
            self.client.close()
            raise unreachable(target, fault) from fault
        _watch_peer(self.client.get_transport(), target)

    def open_gateway(self) -> Channel:
        """Open the way through the jump host, which has been checked like any other."""
        self.gateway.open()
        transport: Transport = self.gateway.transport
        try:
            return transport.open_channel(
                "direct-tcpip", (self.host, int(self.port)), ("", 0), timeout=self.limit
            )
        except SSHException as fault:
            raise ActionFailed(
                f"{self.target.name} cannot be reached through {self.gateway.target.name}: "
                f"{fault}.",
                effect="none",
                cause="connection",
            ) from fault

    def close(self) -> None:
        """Close the connection and those to its jump hosts."""
        super().close()
        if self.gateway:
            self.gateway.close()

    def execute(self, command: str, *, stdin: bytes, output: Output, stop: Stop) -> int | None:
        """Run a command; None when nobody can tell how it ended (signal, connection lost).

        `stop` is asked several times a second; when it says yes this returns None at once.
        Raises ActionFailed when the command could not even be sent.
        """
        try:
            channel = self.client.get_transport().open_session(timeout=self.limit)
            channel.exec_command(command)
        except (OSError, EOFError, SSHException) as fault:
            raise unreachable(self.target, fault) from fault
        with channel:
            try:
                channel.sendall(stdin)
                channel.shutdown_write()
                return _follow(channel, output, stop)
            except (OSError, EOFError, SSHException):
                return None

    def alive(self) -> bool:
        """Tell whether the connection stands."""
        transport = self.client.get_transport()
        return bool(transport and transport.is_active())


def connect(host: Host, ssh_config: str | None, timeout: float) -> HostConnection:
    """Connect to a host of a job; raises ActionFailed in words. Close the connection yourself."""
    connection = HostConnection(ssh_settings.resolve(ssh_settings.load(ssh_config), host), timeout)
    try:
        connection.open()
    except BaseException:
        connection.close()
        raise
    return connection


def _chain(jumps: list[Target], timeout: float) -> HostConnection:
    """Return the connection to the last jump host, through those before it."""
    *before, last = jumps
    return HostConnection(replace(last, jumps=tuple(before)), timeout)


def _unknown_types(known: Known) -> list[str]:
    """Return the signatures not to ask for, so that the host shows a key of a known type."""
    wanted = {name for kind in known.kinds() for name in KEY_TYPES.get(kind, ())}
    return [name for names in KEY_TYPES.values() for name in names if name not in wanted]


def _watch_peer(transport: Transport, target: Target) -> None:
    """Have small packets sent at once, and a dead peer noticed."""
    interval, count = target.alive or (KEEP_ALIVE, 0)
    unanswered = interval * count * 1000 or UNANSWERED
    transport.set_keepalive(interval)
    if isinstance(transport.sock, socket.socket):
        transport.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if hasattr(socket, "TCP_USER_TIMEOUT"):
            transport.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, unanswered)


def _follow(channel: Channel, output: Output, stop: Stop) -> int | None:
    """Hand output on until the command has ended and what it wrote has arrived."""
    poller = select.poll()
    poller.register(channel.fileno(), select.POLLIN)
    quiet_since = time.monotonic()
    while True:
        if stop():
            return None
        if _drain(channel, output):
            quiet_since = time.monotonic()
            continue
        ended = channel.exit_status_ready()
        if channel.closed or (channel.eof_received and ended):
            break
        if ended and time.monotonic() - quiet_since > AFTERMATH:
            output(b"a process in the background still holds the output; going on\n", "stderr")
            break
        poller.poll(200)
    _drain(channel, output)
    # -1 stands for "ended by a signal" as well as for "connection lost".
    return channel.exit_status if channel.exit_status >= 0 else None


def _drain(channel: Channel, output: Output) -> bool:
    """Hand on what has arrived; True when there was anything."""
    found = False
    while channel.recv_ready():
        output(channel.recv(65536), "stdout")
        found = True
    while channel.recv_stderr_ready():
        output(channel.recv_stderr(65536), "stderr")
        found = True
    return found


def _refused_key(target: Target, why: str) -> ActionFailed:
    return ActionFailed(
        f"{why}. Nothing was sent to it. Compare the key with the host's own, then put it into "
        "known_hosts.",
        effect="none",
        cause=None,
        detail={"host": target.name},
    )


def unreachable(target: Target, fault: Exception) -> ActionFailed:
    """Put the end of a connection, or of the try at one, into words."""
    place = f"{target.name} ({target.user}@{target.address}:{target.port})"
    if isinstance(fault, PasswordRequiredException):
        why = "the key has a passphrase; add it to the SSH agent first"
    elif isinstance(fault, AuthenticationException):
        keys = ", ".join(target.keys) or "no key named in the SSH settings"
        why = f"it accepts none of our keys ({keys})"
    elif isinstance(fault, TimeoutError):
        why = "it did not answer in time"
    elif isinstance(fault, IncompatiblePeer) and "host key" in str(fault):
        return _refused_key(
            target, f"The key of {target.name} has changed: it has none of the known types"
        )
    elif isinstance(fault, NoValidConnectionsError):
        # One for each address; its own text names no cause but "Errno None".
        why = "; ".join(dict.fromkeys(map(_said, fault.errors.values())))
    else:
        why = _said(fault)
    return ActionFailed(f"Cannot connect to {place}: {why}.", effect="none", cause="connection")


def _said(fault: Exception) -> str:
    said = fault.strerror if isinstance(fault, OSError) else None
    return said or str(fault) or type(fault).__name__
