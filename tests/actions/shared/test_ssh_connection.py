"""Only hosts whose key is known hear from us, and a dead one is noticed."""

from __future__ import annotations

import socket
from dataclasses import replace
from pathlib import Path

import pytest

from runbook_tui.actions.api import ActionFailed, Host
from runbook_tui.actions.shared.remote_script import capture
from runbook_tui.actions.shared.ssh_connection import UNANSWERED, connect
from tests.harness.sshd import Ssh, make_key


def _refused(host: Host, config: Path, timeout: float = 30) -> ActionFailed:
    with pytest.raises(ActionFailed) as raised:
        connect(host, str(config), timeout)
    assert raised.value.effect == "none"
    return raised.value


def _through_jump(ssh: Ssh, path: Path, known: str | None = None) -> Path:
    jump = ssh["jump"]
    app = ssh["app-1"]
    return ssh.config(
        path,
        "Host inside",
        f"HostName {app.address}",
        f"Port {app.port}",
        f"ProxyJump {jump.address}:{jump.port}",
        known=known,
    )


def test_a_known_host_is_spoken_to_at_once_and_watched(ssh: Ssh, tmp_path: Path) -> None:
    connection = connect(ssh["app-1"].host, str(ssh.config(tmp_path)), 30)
    try:
        link = connection.client.get_transport().sock
        assert link.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        assert link.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == UNANSWERED
        assert capture(connection, 'echo "$X"; cat', {"X": "'; id # \n$HOME"}).out == (
            "'; id # \n$HOME\n"
        )
    finally:
        connection.close()
    assert not connection.alive()


def test_a_changed_key_is_refused(ssh: Ssh, tmp_path: Path) -> None:
    app = ssh["app-1"]
    make_key(tmp_path / "other")
    kind, blob = (tmp_path / "other.pub").read_text().split()[:2]
    known = f"[{app.address}]:{app.port} {kind} {blob}\n"
    fault = _refused(app.host, ssh.config(tmp_path / "c", known=known))
    assert "The key of app-1 has changed" in fault.sentence
    assert fault.cause is None


def test_a_key_of_another_type_than_the_known_one_is_refused(ssh: Ssh, tmp_path: Path) -> None:
    app = ssh["app-1"]
    make_key(tmp_path / "other", "ecdsa")
    kind, blob = (tmp_path / "other.pub").read_text().split()[:2]
    known = f"[{app.address}]:{app.port} {kind} {blob}\n"
    fault = _refused(app.host, ssh.config(tmp_path / "c", known=known))
    assert "The key of app-1 has changed: it has none of the known types" in fault.sentence


def test_a_revoked_key_is_refused_beside_a_good_line(ssh: Ssh, tmp_path: Path) -> None:
    line = ssh["app-1"].known_line()
    fault = _refused(ssh["app-1"].host, ssh.config(tmp_path, known=f"{line}@revoked {line}"))
    assert "is revoked in known_hosts" in fault.sentence


def test_an_unknown_key_is_refused_whatever_the_settings_say(ssh: Ssh, tmp_path: Path) -> None:
    settings = ("Host *", "StrictHostKeyChecking no")
    fault = _refused(ssh["app-1"].host, ssh.config(tmp_path, *settings, known=""))
    assert "The key of app-1 is unknown" in fault.sentence


def test_an_unknown_key_at_the_jump_host_is_refused(ssh: Ssh, tmp_path: Path) -> None:
    inside = Host("inside", None, "inside")
    good = _through_jump(ssh, tmp_path / "good")
    connection = connect(inside, str(good), 30)
    assert capture(connection, "echo there").out == "there\n"
    connection.close()
    bad = _through_jump(ssh, tmp_path / "bad", known=ssh["app-1"].known_line())
    assert f"The key of {ssh['jump'].address} is unknown" in _refused(inside, bad).sentence


def test_who_does_not_let_us_in_is_named(ssh: Ssh, tmp_path: Path) -> None:
    config = ssh.config(tmp_path)
    make_key(tmp_path / "stranger")
    config.write_text(config.read_text().replace(f"{ssh.home}/operator", f"{tmp_path}/stranger"))
    fault = _refused(ssh["app-1"].host, config)
    assert "it accepts none of our keys" in fault.sentence
    assert fault.cause == "connection"


def test_who_does_not_answer_is_named(ssh: Ssh, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        host = Host("silent", "root", "127.0.0.1", silent.getsockname()[1])
        line = ssh["app-1"].known_line().split(" ", 1)[1]
        config = ssh.config(tmp_path, known=f"[127.0.0.1]:{host.port} {line}")
        fault = _refused(host, config, timeout=0.5)
        assert fault.sentence.startswith(f"Cannot connect to silent (root@127.0.0.1:{host.port})")
    fault = _refused(host, config)
    assert fault.cause == "connection"
    assert fault.sentence.endswith(f":{host.port}): Connection refused.")
    unknown_name = replace(host, address="no-such-host.invalid")
    line = f"[no-such-host.invalid]:{host.port} {line}"
    assert (
        "Cannot connect to silent"
        in _refused(unknown_name, ssh.config(tmp_path / "n", known=line)).sentence
    )
