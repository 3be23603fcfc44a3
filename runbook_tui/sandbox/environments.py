"""The runbooks of the practice production: the shipped ones, with its ports and paths filled in.

Runbooks are copied byte for byte. Of the environments file only the values that depend on this
machine are replaced, line by line, so that what is explained there stays explained.
"""

from __future__ import annotations

import json
import re
import shutil
import sys
from pathlib import Path
from typing import Final

from runbook_tui.sandbox import base_image, chat, proxy, registry, tls
from runbook_tui.sandbox.errors import SandboxError
from runbook_tui.sandbox.site import Site, write

APPLICATION_PORTS: Final = 3
"""How many ports a service may choose from on each host."""

SHIPPED: Final = Path(__file__).resolve().parents[2] / "runbooks" / "practice-hub"
"""The runbooks as they come with the program; they lie beside its packages."""

ENVIRONMENTS: Final = "environments.yaml"
_SECTIONS: Final = ("sandbox", "sandbox-staging")
_DATABASES: Final = {"sandbox": ("practice_hub", 0), "sandbox-staging": ("practice_hub_staging", 1)}


def write_all(site: Site) -> None:
    """Write the secrets' files and the runbooks with their environments file."""
    for section in _SECTIONS:
        for name, value in _secrets(site, section).items():
            write(site.at("secrets", section, name), value + "\n")
    site.runbooks.mkdir(mode=0o700, parents=True, exist_ok=True)
    site.at("backups").mkdir(mode=0o700, exist_ok=True)
    for path in sorted(SHIPPED.glob("*.yaml")):
        if path.name != ENVIRONMENTS:
            shutil.copyfile(path, site.runbooks / path.name)
    text = (SHIPPED / ENVIRONMENTS).read_text()
    for section in _SECTIONS:
        text = fill_in(text, section, values(site, section))
    write(site.runbooks / ENVIRONMENTS, text)


def values(site: Site, section: str) -> dict[str, object]:
    """Return what depends on this machine in one environment: variables, secrets, ssh_config."""
    place = "production" if section == "sandbox" else "staging"
    first = site.ports["application"]
    secrets = {
        name: {"file": str(site.at("secrets", section, name))} for name in _secrets(site, section)
    }
    return {
        "ssh_config": str(site.ssh_config),
        "python": sys.executable,
        "engine": f"unix://{site.engine_socket('builder')}",
        "image": f"{registry.address(site)}/practice-hub",
        "base_image": f"{base_image.NAME}:{base_image.tag()}",
        "registry_ca": str(tls.authority(site)),
        "trial_port": str(site.ports["trial"]),
        "ports": f"{first}-{first + APPLICATION_PORTS - 1}",
        "engine_socket": str(site.at("engines", "{host}", "docker.sock")),
        "proxy_host": proxy.PLACES[place],
        "proxy_file": str(proxy.upstreams(site, place) / "{host}.conf"),
        "nginx_config": str(proxy.settings(site, place)),
        "nginx_pid": str(proxy.pid_file(site, place)),
        "base_url": proxy.url(site, place),
        "ca": str(tls.authority(site)),
        "backups": str(site.at("backups")),
        **secrets,
    }


def fill_in(text: str, section: str, given: dict[str, object]) -> str:
    """Replace the values of the keys of one environment; everything else stays as it is.

    Raises SandboxError when a key is not there, or there twice.
    """
    lines = text.split("\n")
    begin = lines.index(f"{section}:")
    ends = [n for n in range(begin + 1, len(lines)) if re.match(r"[\w-]", lines[n])]
    end = ends[0] if ends else len(lines)
    for key, value in given.items():
        places = [n for n in range(begin, end) if re.match(rf" +{re.escape(key)}:( |$)", lines[n])]
        if len(places) != 1:
            raise SandboxError(
                f"{ENVIRONMENTS} names {key} {len(places)} times in {section}, not once.",
                "The installation is damaged: install this program again.",
            )
        head = lines[places[0]].partition(":")[0]
        lines[places[0]] = f"{head}: {json.dumps(value, ensure_ascii=False)}"
    return "\n".join(lines)


def _secrets(site: Site, section: str) -> dict[str, str]:
    database, number = _DATABASES[section]
    return {
        "DATABASE_URL": site.database_url(database),
        "REDIS_URL": site.redis_url(number),
        "SESSION_SECRET": site.passwords["session"],
        "ADMIN_PASSWORD": site.passwords["admin"],
        "REGISTRY_PASSWORD": site.passwords["registry"],
        "CHAT_URL": f"{chat.url(site)}/announce",
    }
