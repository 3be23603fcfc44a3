"""What a registry itself says of an image: read over HTTP, and hashed here."""

from __future__ import annotations

import hashlib
import ipaddress
import json
import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import httpx

from runbook_tui.actions.shared.docker_engine import registry_of, split_image

ACCEPT: Final = ", ".join(
    (
        "application/vnd.docker.distribution.manifest.v2+json",
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
        "application/vnd.oci.image.index.v1+json",
    )
)
TIMEOUT: Final = 30.0
HUB: Final = "registry-1.docker.io"


class RegistryError(Exception):
    """The registry did not answer, or not as one does; the text says why."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """A manifest as the registry keeps it. `config` is the digest of the image's configuration,
    which is the id that classic engines give the image; None for an index of several platforms."""

    digest: str
    config: str | None


def manifest(
    image: str,
    *,
    auth: Mapping[str, Any] | None = None,
    ca: str | None = None,
    insecure: bool = False,
    transport: httpx.BaseTransport | None = None,
) -> Manifest | None:
    """Return the manifest of an image by tag or digest; None when the registry has none.

    Raises RegistryError. The digest is computed from the bytes and compared with the header.
    """
    registry = registry_of(image)
    name, reference = _parts(image, registry)
    plain = insecure or (not ca and _is_loopback(registry))
    base = f"{'http' if plain else 'https'}://{HUB if registry == 'docker.io' else registry}"
    try:
        verify = ssl.create_default_context(cafile=ca)
    except OSError as fault:
        raise RegistryError(f"the authority in {ca} cannot be read: {fault}") from fault
    with httpx.Client(verify=verify, timeout=TIMEOUT, transport=transport) as client:
        try:
            answer = _ask(client, f"{base}/v2/{name}/manifests/{reference}", auth)
        except httpx.HTTPError as fault:
            raise RegistryError(str(fault) or type(fault).__name__) from fault
    if answer.status_code == 404:
        return None
    if answer.status_code != 200:
        raise RegistryError(f"it answered {answer.status_code} {answer.reason_phrase}")
    return _read(answer, reference)


def _parts(image: str, registry: str) -> tuple[str, str]:
    name, at, digest = image.partition("@")
    reference = digest if at else split_image(image)[1]
    repository = split_image(name)[0].removeprefix(f"{registry}/")
    if registry == "docker.io" and "/" not in repository:
        repository = f"library/{repository}"
    return repository, reference


def _is_loopback(registry: str) -> bool:
    address = re.sub(r":\d+$", "", registry).strip("[]")
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return address == "localhost"


def _ask(client: httpx.Client, url: str, auth: Mapping[str, Any] | None) -> httpx.Response:
    """Ask for a manifest, with the login or the token that the registry wants."""
    headers = {"Accept": ACCEPT}
    login = (str(auth["username"]), str(auth["password"])) if auth and auth["username"] else None
    answer = client.get(url, headers=headers)
    if answer.status_code != 401:
        return answer
    scheme, _, rest = answer.headers.get("WWW-Authenticate", "").partition(" ")
    if scheme.lower() == "basic" and login:
        return client.get(url, headers=headers, auth=login)
    if scheme.lower() != "bearer":
        return answer
    wanted = dict(re.findall(r'(\w+)="([^"]*)"', rest))
    realm = wanted.pop("realm", "")
    given = (
        client.get(realm, params=wanted, auth=login) if login else client.get(realm, params=wanted)
    )
    if given.status_code != 200:
        raise RegistryError(f"its login at {realm} answered {given.status_code}")
    token = given.json().get("token") or given.json().get("access_token")
    return client.get(url, headers={**headers, "Authorization": f"Bearer {token}"})


def _read(answer: httpx.Response, reference: str) -> Manifest:
    digest = f"sha256:{hashlib.sha256(answer.content).hexdigest()}"
    claimed = [answer.headers.get("Docker-Content-Digest")]
    claimed += [reference] if reference.startswith("sha256:") else []
    for other in claimed:
        if other and other != digest:
            raise RegistryError(f"it gave a manifest of digest {digest} as {other}")
    try:
        config = json.loads(answer.content).get("config")
    except ValueError as fault:
        raise RegistryError("its manifest is no JSON") from fault
    return Manifest(digest, config.get("digest") if isinstance(config, dict) else None)
