"""Every setting of an ssh_config that matters is honoured, or refused in words."""

from __future__ import annotations

import getpass
from pathlib import Path

import pytest

from runbook_tui.actions.api import ActionFailed, Host
from runbook_tui.actions.shared import ssh_settings
from runbook_tui.actions.shared.ssh_settings import Target


def _resolve(tmp_path: Path, text: str, host: Host | None = None) -> Target:
    file = tmp_path / "ssh_config"
    file.write_text(text)
    return ssh_settings.resolve(
        ssh_settings.load(str(file)), host or Host("app", None, "app", None)
    )


def test_settings_are_honoured(tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.touch()
    target = _resolve(
        tmp_path,
        f"Host app\n HostName 10.0.0.1\n Port 2222\n User deploy\n IdentityFile {key}\n"
        " IdentityFile /nowhere/key\n IdentitiesOnly yes\n ConnectTimeout 7\n"
        " UserKnownHostsFile /a /b\n GlobalKnownHostsFile none\n",
    )
    assert (target.address, target.port, target.user) == ("10.0.0.1", 2222, "deploy")
    assert target.keys == (str(key),)
    assert target.known_hosts == ("/a", "/b")
    assert target.key_name == "[10.0.0.1]:2222"
    assert (target.agent, target.other_keys, target.timeout) == (False, False, 7.0)
    assert target.notes == ("the key /nowhere/key does not exist",)


def test_the_inventory_counts_before_the_settings(tmp_path: Path) -> None:
    text = "Host app\n Port 2222\n User deploy\n HostKeyAlias application\n"
    target = _resolve(tmp_path, text, Host("app-1", "root", "app", 22))
    assert (target.user, target.port, target.key_name) == ("root", 22, "application")
    assert _resolve(tmp_path, "").user == getpass.getuser()


def test_host_keys_are_checked_whatever_the_settings_say(tmp_path: Path) -> None:
    (note,) = _resolve(tmp_path, "Host *\n StrictHostKeyChecking no\n").notes
    assert note == (
        "StrictHostKeyChecking no for app is not followed: host keys are always checked"
    )
    assert _resolve(tmp_path, "Ciphers aes256-ctr\n").notes == ("ciphers for app is not followed",)


def test_jump_hosts_are_resolved_in_order(tmp_path: Path) -> None:
    target = _resolve(
        tmp_path,
        "Host app\n ProxyJump ops@outer:2201,inner\nHost outer\n HostName 10.0.0.9\n"
        " StrictHostKeyChecking no\nHost inner\n HostName 10.0.0.8\n Port 2202\n",
    )
    assert [(jump.user, jump.address, jump.port) for jump in target.jumps] == [
        ("ops", "10.0.0.9", 2201),
        (getpass.getuser(), "10.0.0.8", 2202),
    ]
    assert len(target.notes) == 1


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("ProxyCommand nc %h %p", "proxycommand, which is not supported: use ProxyJump"),
        ("KnownHostsCommand /bin/keys", "knownhostscommand"),
        ("RevokedHostKeys /etc/revoked", "mark the keys with @revoked"),
        ("IdentityAgent /run/agent", "only the one in $SSH_AUTH_SOCK"),
        ("Port ssh", "Port ssh, which is no number"),
        ("HostName 10.0.0.1\nProxyJump 10.0.0.1", "app cannot be its own jump host"),
        ("Host app\nProxyJump one\nHost one\nProxyJump two", "name all jump hosts in one list"),
        ("Host app\nInclude other", "Include stands below Host or Match"),
        ("Host\n", "The SSH settings in"),
        ("Include {file}", "it includes itself"),
    ],
)
def test_what_cannot_be_followed_is_refused(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(ActionFailed) as raised:
        _resolve(tmp_path, text.format(file=tmp_path / "ssh_config"))
    assert words in raised.value.sentence
    assert raised.value.effect == "none"


def test_what_is_included_at_the_top_counts(tmp_path: Path) -> None:
    (tmp_path / "one.conf").write_text("Host other\n User wrong\nHost app\n User deploy\n")
    target = _resolve(tmp_path, f"Include {tmp_path}/*.conf\nPort 2222\n")
    assert (target.user, target.port) == ("deploy", 2222)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("app", (None, "app", None)),
        ("deploy@app", ("deploy", "app", None)),
        ("deploy@10.0.0.1:2222", ("deploy", "10.0.0.1", 2222)),
        ("[fe80::1]:2222", (None, "fe80::1", 2222)),
        ("fe80::1", (None, "fe80::1", None)),
    ],
)
def test_addresses_are_taken_apart(text: str, parts: tuple[str | None, str, int | None]) -> None:
    assert ssh_settings.split(text) == parts
