"""nginx with TLS in front of production, and another one in front of staging.

Both include a file a host that names the host's live instance. A deployment replaces that file and
reloads; `keepalive_timeout 0` in front is what lets an old instance go without one lost request.
"""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Final

import httpx

from runbook_tui.sandbox import tls
from runbook_tui.sandbox.services import Service
from runbook_tui.sandbox.site import ADDRESSES, LOOPBACK, PRODUCTION, PROXY, STAGING, Site, write

PLACES: Final = {"production": PROXY, "staging": STAGING}
"""Which host each nginx runs on."""

BEHIND: Final = {"production": PRODUCTION, "staging": (STAGING,)}
"""Which hosts it sends requests to."""

_SETTINGS = """\
user root;
worker_processes 2;
daemon off;
pid {home}/nginx.pid;
error_log {home}/error.log warn;
events {{ worker_connections 512; }}
http {{
  access_log off;
  client_body_temp_path {home}/tmp/body;
  proxy_temp_path {home}/tmp/proxy;
  fastcgi_temp_path {home}/tmp/fastcgi;
  uwsgi_temp_path {home}/tmp/uwsgi;
  scgi_temp_path {home}/tmp/scgi;
  client_max_body_size 10m;
  keepalive_timeout 0;
  upstream practice_hub {{
    include {home}/upstreams/*.conf;
  }}
  server {{
    listen {address}:{port} ssl;
    ssl_certificate {chain};
    ssl_certificate_key {key};
    ssl_protocols TLSv1.2 TLSv1.3;
    add_header Strict-Transport-Security "max-age=31536000" always;
    add_header X-Content-Type-Options nosniff always;
    location = /.sandbox {{ return 200 "{token}"; }}
    location / {{
      proxy_pass http://practice_hub;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $host;
      proxy_set_header X-Real-IP $remote_addr;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_connect_timeout 2s;
      proxy_read_timeout 30s;
    }}
  }}
}}
"""
# An upstream without a server is an error; before the first deployment nobody is behind it.
_NOBODY = f"server {LOOPBACK}:9 down;\n"


def service(site: Site, place: str) -> Service:
    """Describe one nginx; a location of its own returns the sandbox's token."""
    home = _home(site, place)
    address = ADDRESSES[PLACES[place]]

    def prepare() -> None:
        (home / "tmp").mkdir(mode=0o700, parents=True, exist_ok=True)
        for host in BEHIND[place]:
            live = upstreams(site, place) / f"{host}.conf"
            if not live.exists():
                write(live, _NOBODY)
        chain, key = tls.certificate(site)
        text = _SETTINGS.format(
            home=home,
            address=address,
            port=site.ports[f"proxy-{place}"],
            chain=chain,
            key=key,
            token=site.token,
        )
        write(settings(site, place), text)

    def ready() -> bool:
        trust = ssl.create_default_context(cafile=str(tls.authority(site)))
        where = f"{url(site, place)}/.sandbox"
        return httpx.get(where, timeout=5, trust_env=False, verify=trust).text == site.token

    return Service(
        name=f"proxy-{place}",
        title=f"nginx of {place}",
        argv=lambda: ["nginx", "-c", str(settings(site, place)), "-e", "stderr"],
        ready=ready,
        prepare=prepare,
        tidy=lambda: pid_file(site, place).unlink(missing_ok=True),
        port=f"proxy-{place}",
        address=address,
    )


def settings(site: Site, place: str) -> Path:
    """Return nginx's configuration file."""
    return _home(site, place) / "nginx.conf"


def pid_file(site: Site, place: str) -> Path:
    """Return the file with the process id of nginx's master."""
    return _home(site, place) / "nginx.pid"


def upstreams(site: Site, place: str) -> Path:
    """Return the directory of the files that name the live instances, one a host."""
    return _home(site, place) / "upstreams"


def url(site: Site, place: str) -> str:
    """Return where production or staging answers."""
    return f"https://{ADDRESSES[PLACES[place]]}:{site.ports[f'proxy-{place}']}"


def _home(site: Site, place: str) -> Path:
    return site.at("nginx", place)
