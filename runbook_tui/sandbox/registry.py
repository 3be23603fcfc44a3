"""Debian's docker-registry on loopback, with TLS and a login, as a registry in earnest has."""

from __future__ import annotations

import ssl
from typing import Final

import bcrypt
import httpx

from runbook_tui.sandbox import tls
from runbook_tui.sandbox.services import Service
from runbook_tui.sandbox.site import LOOPBACK, Site, write

USER: Final = "deploy"
_SETTINGS = """\
version: 0.1
log: {{level: info}}
storage:
  filesystem: {{rootdirectory: "{data}"}}
  delete: {{enabled: true}}
auth:
  htpasswd: {{realm: practice, path: "{users}"}}
http:
  addr: {address}:{port}
  tls: {{certificate: "{chain}", key: "{key}"}}
  headers: {{X-Sandbox: ["{token}"]}}
"""


def service(site: Site) -> Service:
    """Describe the registry; only ours has our certificate and knows the password."""
    settings = site.at("registry", "config.yml")

    def prepare() -> None:
        data, users = site.at("registry", "data"), site.at("registry", "users")
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        hashed = bcrypt.hashpw(site.passwords["registry"].encode(), bcrypt.gensalt(4)).decode()
        write(users, f"{USER}:{hashed}\n")
        chain, key = tls.certificate(site)
        text = _SETTINGS.format(
            data=data,
            users=users,
            address=LOOPBACK,
            port=site.ports["registry"],
            chain=chain,
            key=key,
            token=site.token,
        )
        write(settings, text)

    return Service(
        name="registry",
        title="The registry",
        argv=lambda: ["docker-registry", "serve", str(settings)],
        ready=lambda: _answers(site),
        prepare=prepare,
        port="registry",
        env={"OTEL_TRACES_EXPORTER": "none"},
    )


def address(site: Site) -> str:
    """Return the registry's part of an image's name."""
    return f"{LOOPBACK}:{site.ports['registry']}"


def _answers(site: Site) -> bool:
    trust = ssl.create_default_context(cafile=str(tls.authority(site)))
    login = (USER, site.passwords["registry"])
    where = f"https://{address(site)}/v2/"
    return httpx.get(where, timeout=5, trust_env=False, verify=trust, auth=login).status_code == 200
