"""What really is: Git, registry, engines, databases of the practice production, asked directly.

Nothing here uses the program's own actions: a test compares what these say with what was recorded.
"""

from __future__ import annotations

import json
import ssl
import subprocess
from dataclasses import dataclass
from typing import Any, Final

import httpx
import psycopg

from runbook_tui.sandbox import chat, proxy, registry, tls
from runbook_tui.sandbox.site import Site
from tests.harness.git import git

MANIFESTS: Final = ", ".join(
    f"application/vnd.{kind}+json"
    for kind in ("docker.distribution.manifest.v2", "oci.image.manifest.v1")
)
SERVICE: Final = "practice-hub-"
"""What the names of the service's containers begin with."""


@dataclass(frozen=True)
class Container:
    """A container of the service as its engine knows it."""

    name: str
    status: str
    health: str
    image: str
    """The image's id."""
    digests: tuple[str, ...]
    labels: dict[str, str]


def docker(site: Site, host: str, *words: str) -> str:
    """Run docker's own client against a host's engine."""
    command = ["docker", "-H", f"unix://{site.engine_socket(host)}", *words]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def containers(site: Site, host: str) -> list[Container]:
    """Return the service's containers on a host, stopped ones too."""
    ids = docker(site, host, "ps", "--all", "--quiet", "--filter", f"name={SERVICE}").split()
    return [_container(site, host, id_) for id_ in ids]


def _container(site: Site, host: str, id_: str) -> Container:
    found = json.loads(docker(site, host, "inspect", id_))[0]
    image = json.loads(docker(site, host, "image", "inspect", found["Image"]))[0]
    return Container(
        found["Name"].lstrip("/"),
        found["State"]["Status"],
        found["State"].get("Health", {}).get("Status", ""),
        found["Image"],
        tuple(digest.rpartition("@")[2] for digest in image["RepoDigests"]),
        image["Config"]["Labels"],
    )


def tags(site: Site) -> dict[str, str]:
    """Return the origin's tags and the commits they name."""
    lines = git(site.origin, "show-ref", "--tags", "-d").splitlines()
    pairs = [line.split(" ", 1) for line in lines if line.endswith("^{}")]
    return {name.removeprefix("refs/tags/").removesuffix("^{}"): sha for sha, name in pairs}


def registry_digest(site: Site, tag: str) -> str:
    """Return the digest of the application's image in the registry."""
    trust = ssl.create_default_context(cafile=str(tls.authority(site)))
    answer = httpx.head(
        f"https://{registry.address(site)}/v2/practice-hub/manifests/{tag}",
        headers={"Accept": MANIFESTS},
        auth=(registry.USER, site.passwords["registry"]),
        verify=trust,
        trust_env=False,
        timeout=30,
    )
    answer.raise_for_status()
    return str(answer.headers["Docker-Content-Digest"])


def migrations(site: Site, database: str) -> list[tuple[str, str]]:
    """Return number and run of every row in the ledger of applied migrations."""
    with psycopg.connect(site.database_url(database)) as connection:
        rows = connection.execute("select version::text, run from schema_log order by version")
        return [(str(version), str(run)) for version, run in rows]


def health(site: Site, place: str = "production") -> dict[str, Any]:
    """Return what the service says of itself through its proxy."""
    trust = ssl.create_default_context(cafile=str(tls.authority(site)))
    url = f"{proxy.url(site, place)}/api/health"
    found: dict[str, Any] = httpx.get(url, verify=trust, trust_env=False, timeout=30).json()
    return found


def announcements(site: Site) -> list[str]:
    """Return what was announced in the team's chat."""
    kept = chat.messages(site)
    lines = kept.read_text().splitlines() if kept.exists() else []
    return [json.loads(line)["text"] for line in lines]
