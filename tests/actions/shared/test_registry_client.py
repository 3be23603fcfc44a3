"""Digests are computed from what a registry sends, whatever it claims, and logins are followed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable

import httpx
import pytest

from runbook_tui.actions.shared.registry_client import Manifest, RegistryError, manifest

BODY = json.dumps({"config": {"digest": "sha256:c0"}}).encode()
DIGEST = f"sha256:{hashlib.sha256(BODY).hexdigest()}"
LOGIN = {"username": "deploy", "password": "s3cret"}


def _transport(answer: Callable[[httpx.Request], httpx.Response]) -> httpx.MockTransport:
    return httpx.MockTransport(answer)


@pytest.mark.parametrize(
    ("image", "url"),
    [
        ("127.0.0.1:5000/app:v1", "http://127.0.0.1:5000/v2/app/manifests/v1"),
        ("localhost/team/app", "http://localhost/v2/team/app/manifests/latest"),
        ("[::1]:5000/app:v1", "http://[::1]:5000/v2/app/manifests/v1"),
        ("reg.example.org/a/b:v1", "https://reg.example.org/v2/a/b/manifests/v1"),
        ("reg.example.org:5000/b", "https://reg.example.org:5000/v2/b/manifests/latest"),
        (f"reg.example.org/b@{DIGEST}", f"https://reg.example.org/v2/b/manifests/{DIGEST}"),
        ("team/app:v1", "https://registry-1.docker.io/v2/team/app/manifests/v1"),
        ("app:v1", "https://registry-1.docker.io/v2/library/app/manifests/v1"),
    ],
)
def test_where_a_manifest_is_asked_for(image: str, url: str) -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        return httpx.Response(200, content=BODY)

    assert manifest(image, transport=_transport(answer)) == Manifest(DIGEST, "sha256:c0")
    assert asked == [url]


def test_a_token_is_fetched_where_the_registry_wants_one() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        given = request.headers.get("Authorization", "")
        if request.url.path == "/token":
            assert dict(request.url.params) == {"service": "reg", "scope": "repository:app:pull"}
            assert given.startswith("Basic ")
            return httpx.Response(200, json={"token": "t0ken"})
        if given == "Bearer t0ken":
            return httpx.Response(200, content=BODY)
        wanted = (
            'Bearer realm="https://auth.example.org/token",service="reg",'
            'scope="repository:app:pull"'
        )
        return httpx.Response(401, headers={"WWW-Authenticate": wanted})

    found = manifest("reg.example.org/app:v1", auth=LOGIN, transport=_transport(answer))
    assert found == Manifest(DIGEST, "sha256:c0")


@pytest.mark.parametrize("given", [None, {"username": "", "password": ""}, LOGIN])
def test_a_password_is_sent_only_when_it_is_asked_for(given: dict[str, str] | None) -> None:
    headers: list[str | None] = []

    def answer(request: httpx.Request) -> httpx.Response:
        headers.append(request.headers.get("Authorization"))
        return httpx.Response(401, headers={"WWW-Authenticate": 'Basic realm="x"'})

    with pytest.raises(RegistryError, match="it answered 401"):
        manifest("reg.example.org/app:v1", auth=given, transport=_transport(answer))
    assert headers[0] is None
    assert len(headers) == (2 if given is LOGIN else 1)


@pytest.mark.parametrize(
    ("response", "words"),
    [
        (httpx.Response(503), "it answered 503"),
        (httpx.Response(200, content=b"<html>"), "its manifest is no JSON"),
        (
            httpx.Response(200, content=BODY, headers={"Docker-Content-Digest": "sha256:0"}),
            "it gave a manifest of digest",
        ),
    ],
)
def test_what_is_no_manifest_is_refused(response: httpx.Response, words: str) -> None:
    with pytest.raises(RegistryError, match=words):
        manifest("localhost/app:v1", transport=_transport(lambda request: response))


def test_a_manifest_asked_by_digest_must_have_it() -> None:
    other = f"sha256:{'0' * 64}"
    transport = _transport(lambda request: httpx.Response(200, content=BODY))
    with pytest.raises(RegistryError, match="it gave a manifest of digest"):
        manifest(f"localhost/app@{other}", transport=transport)


def test_an_unknown_tag_is_none_and_silence_is_an_error() -> None:
    def silent(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    gone = _transport(lambda request: httpx.Response(404))
    assert manifest("localhost/app:v1", transport=gone) is None
    with pytest.raises(RegistryError, match="refused"):
        manifest("localhost/app:v1", transport=_transport(silent))
    with pytest.raises(RegistryError, match="the authority in /nowhere cannot be read"):
        manifest("localhost/app:v1", ca="/nowhere")
