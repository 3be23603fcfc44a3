"""`smoke`: scenarios against a real HTTP server, and what of them is written down."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import ValidationError

from runbook_tui.actions import registry
from runbook_tui.actions.shared.http import Answer
from runbook_tui.actions.smoke.expectation import first_fault
from tests.harness.actions import Bench, act, context, refused
from tests.harness.http import Asked, Reply, Web, as_json, certificate, serving

TOKEN = "t0ken-9f8e7d"


@pytest.fixture
def web() -> Iterator[Web]:
    with serving() as server:
        yield server


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_one_request(bench: Bench, web: Web) -> None:
    recorder = context(job := bench.job("smoke", f"{web.url}/api/health"))
    outcome = act(job, recorder)
    assert outcome.outputs == {"requests": "1"}
    assert outcome.evidence[0].data["status"] == 200
    assert recorder.text().endswith("ms  as expected\n")
    assert web.asked[0].path == "/api/health"


def sign_in(asked: Asked) -> Reply:
    """A service with a form, a token and a session cookie."""
    if asked.method == "POST":
        ok = asked.body.decode() == f"email=a%40b&csrf={TOKEN}"
        cookie = ("Set-Cookie", "session=s3ss10n; HttpOnly; SameSite=Lax")
        return Reply(303 if ok else 403, headers=(cookie, ("Location", "/home")))
    if asked.path == "/sign-in":
        return Reply(body=f'<input name="csrf" value="{TOKEN}">'.encode())
    if "session=s3ss10n" not in asked.headers.get("Cookie", ""):
        return Reply(401)
    return as_json({"user": {"mail": "a@b"}, "items": [{"id": 7}], "token": TOKEN, "n": None})


SCENARIO = {
    "requests": [
        {"url": "/sign-in", "capture": {"csrf": {"text": 'value="([^"]+)"'}}},
        {
            "name": "send the form",
            "url": "/sign-in",
            "method": "POST",
            "form": {"email": "a@b", "csrf": "{{ csrf }}"},
            "expect": {"status": [302, 303], "cookies": {"session": ["httponly", "samesite"]}},
            "capture": {"to": {"header": "location"}, "sid": {"cookie": "session"}},
        },
        {
            "url": "{{ to }}?token={{csrf}}",
            "headers": {"X-Session": "{{ sid }}"},
            "expect": {"json": {"user.mail": "a@b", "items.0.id": 7, "token": "{{csrf}}"}},
            "capture": {"id": {"json": "items.0.id"}},
        },
    ],
    "outputs": ["id"],
}


def test_a_scenario_keeps_cookies_and_tokens_to_itself(bench: Bench, web: Web) -> None:
    web.reply = sign_in
    recorder = context(job := bench.job("smoke", SCENARIO | {"url": web.url}))
    outcome = act(job, recorder)
    assert outcome.outputs == {"requests": "3", "id": "7"}
    assert web.asked[2].path == f"/home?token={TOKEN}"
    assert web.asked[2].headers["X-Session"] == "s3ss10n"
    written = recorder.text() + repr(outcome)
    assert TOKEN not in written
    assert "s3ss10n" not in written


def test_the_first_answer_that_differs_ends_it(bench: Bench, web: Web) -> None:
    web.reply = lambda asked: (
        sign_in(asked) if asked.method == "GET" else Reply(500, f"broke {TOKEN}".encode())
    )
    recorder = context(job := bench.job("smoke", SCENARIO | {"url": web.url}))
    failure = refused(job, recorder)
    said = "Request 2 (send the form): status 500, and 302 or 303 was expected."
    assert (failure.sentence, failure.cause, failure.effect) == (said, "expectation", "none")
    assert failure.detail["status"] == 500
    assert len(failure.evidence) == 2
    assert recorder.text().endswith("  broke ***\n")


def test_ways_to_send(bench: Bench, web: Web) -> None:
    (bench.cwd / "note.txt").write_text("upload me")
    requests: list[dict[str, object]] = [
        {"url": "/j", "method": "PUT", "json": {"a": [1]}},
        {"url": "/b", "method": "POST", "body": "raw"},
        {"url": "/f", "method": "POST", "form": {"k": 1}, "files": {"f": "note.txt"}},
    ]
    act(bench.job("smoke", {"url": f"{web.url}/base/", "requests": requests}))
    put, raw, upload = web.asked
    assert (put.path, json.loads(put.body)) == ("/base/j", {"a": [1]})
    assert raw.body == b"raw"
    assert b'filename="note.txt"\r\nContent-Type: text/plain\r\n\r\nupload me' in upload.body


def test_no_answer_is_a_failure_of_its_own_kind(bench: Bench, web: Web) -> None:
    web.reply = lambda asked: Reply(hang=True)
    failure = refused(bench.job("smoke", web.url))
    assert (failure.cause, failure.effect) == ("connection", "none")
    nobody = refused(bench.job("smoke", "http://127.0.0.1:1/"))
    assert nobody.sentence == "Request 1 (GET http://127.0.0.1:1/): Connection refused."


def test_a_certificate_must_be_trusted(bench: Bench) -> None:
    pem = certificate(bench.cwd)
    with serving(pem) as secure:
        act(bench.job("smoke", {"url": secure.url, "ca": "tls.pem"}))
        failure = refused(bench.job("smoke", secure.url))
        assert "certificate verify failed" in failure.sentence
        missing = refused(bench.job("smoke", {"url": secure.url, "ca": "nowhere.pem"}))
        assert "cannot be used" in missing.sentence


BODY = json.dumps({"status": "ok", "n": 3, "on": True, "none": None, "list": [{"a": "b"}]})
HEADERS = (("X-A", "1"), ("Set-Cookie", "s=1; Secure"))
NOTHING: dict[str, object] = {
    "status": 200,
    "json": {},
    "headers": {},
    "text": [],
    "without": [],
    "cookies": {},
    "under": None,
}


def matches(**given: object) -> dict[str, object]:
    return {"pattern": None, "above": None, "below": None, "present": None} | given


@pytest.mark.parametrize(
    ("expect", "fault"),
    [
        ({}, None),
        ({"status": 404}, "status 200, and 404 was expected"),
        ({"json": {"status": "ok", "n": 3, "on": True, "none": None}}, None),
        ({"json": {"n": "3", "on": "true", "list.0.a": "b", "list": [{"a": "b"}]}}, None),
        ({"json": {"n": True}}, "n is 3, and true was expected"),
        ({"json": {"n": 4}}, "n is 3, and 4 was expected"),
        ({"json": {"list.1.a": "b"}}, "list.1.a is missing, and b was expected"),
        ({"json": {"n": matches(above=2, below=4)}}, None),
        ({"json": {"n": matches(above=3)}}, "n is 3, and more than 3 was expected"),
        ({"json": {"status": matches(below=3)}}, "status is ok, and no number"),
        ({"json": {"status": matches(pattern="^o")}}, None),
        ({"json": {"status": matches(pattern="^x")}}, "status is ok, and does not match ^x"),
        ({"json": {"x": matches(present=False), "none": matches(present=True)}}, None),
        ({"json": {"n": matches(present=False)}}, "n is there, and should not be"),
        ({"headers": {"x-a": "1", "X-B": matches(present=False)}}, None),
        ({"headers": {"X-A": "2"}}, "header X-A is 1, and 2 was expected"),
        ({"headers": {"X-B": "2"}}, "header X-B is missing, and 2 was expected"),
        ({"text": ["status", "zzz"]}, "the body does not hold 'zzz'"),
        ({"without": "status"}, "the body holds 'status'"),
        ({"cookies": {"s": ["secure"]}}, None),
        ({"cookies": {"s": ["httponly"]}}, "the cookie s is not httponly"),
        ({"cookies": {"t": []}}, "the cookie t is not set"),
        ({"under": "1s"}, None),
        ({"under": "400ms"}, "it took 500 ms, and under 400ms was expected"),
    ],
)
def test_expectations(expect: dict[str, object], fault: str | None) -> None:
    answer = Answer(200, HEADERS, BODY.encode(), 0.5)
    assert first_fault(answer, NOTHING | expect) == fault


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({}, "give a url or requests"),
        ({"requests": [{"url": "/x"}]}, "/x is a path"),
        ({"url": "http://x", "requests": [{"url": "/{{ a }}"}]}, "is used before a request"),
        ({"url": "http://x", "outputs": ["a"]}, "no request captures 'a'"),
        ({"url": "http://x", "expect": {"json": {"a": {}}}}, None),
        ({"url": "http://x", "requests": [{"url": "/", "body": "", "json": 1}]}, "at most one"),
    ],
)
def test_options(options: dict[str, object], said: str | None) -> None:
    model = registry.spec("smoke").options
    if said is None:
        dumped = model.model_validate(options).model_dump(mode="json")
        assert model.model_validate(dumped).model_dump(mode="json") == dumped
        return
    with pytest.raises(ValidationError, match=said):
        model.model_validate(options)
