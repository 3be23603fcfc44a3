"""`announce`: one message, never a second by itself, and the truth when its answer is lost."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator
from email import message_from_bytes, policy
from pathlib import Path

import pytest
from pydantic import ValidationError

from runbook_tui.actions import registry
from state.status import Verdict
from tests.harness.actions import Bench, act, context, look, refused
from tests.harness.here import FaultReached
from tests.harness.http import Reply, Web, certificate, serving
from tests.harness.smtp import Post, post

SIGNATURE = "Run 1123-k7f3, step step, by dana in sandbox."


@pytest.fixture
def web() -> Iterator[Web]:
    with serving() as server:
        yield server


@pytest.fixture
def box() -> Iterator[Post]:
    with post() as server:
        yield server


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def mail(box: Post, **more: object) -> dict[str, object]:
    options = {
        "server": "127.0.0.1",
        "port": box.port,
        "security": "none",
        "from": "deploy@example.org",
        "to": ["team@example.org", "ops@example.org"],
        "subject": "Deployed",
    }
    return {"text": "It is done.", "mail": options | more}


def test_a_webhook(bench: Bench, web: Web) -> None:
    outcome = act(bench.job("announce", {"text": "It is done.", "webhook": f"{web.url}/hook"}))
    assert outcome.outputs == {"status": "200"}
    assert json.loads(web.asked[0].body) == {"text": f"It is done.\n\n{SIGNATURE}\n"}


def test_a_webhook_with_a_body_of_its_own(bench: Bench, web: Web) -> None:
    body = {"blocks": [{"markdown": "*{{ text }}*"}], "channel": "#ops", "n": 1}
    options = {"url": web.url, "body": body, "headers": {"X-Key": "k"}}
    act(bench.job("announce", {"text": "Done.", "webhook": options}))
    sent = json.loads(web.asked[0].body)
    assert sent["blocks"][0]["markdown"] == f"*Done.\n\n{SIGNATURE}\n*"
    assert (sent["channel"], sent["n"], web.asked[0].headers["X-Key"]) == ("#ops", 1, "k")


@pytest.mark.parametrize(
    ("reply", "unknown", "effect"),
    [
        (Reply(hang=True), True, "unknown"),
        (Reply(503), True, "unknown"),
        (Reply(404, b"no such\nhook"), False, "none"),
    ],
)
def test_a_webhook_without_success(
    bench: Bench, web: Web, reply: Reply, unknown: bool, effect: str
) -> None:
    web.reply = lambda asked: reply
    failure = refused(bench.job("announce", {"text": "x", "webhook": web.url}))
    assert (failure.unknown, failure.effect) == (unknown, effect)
    assert len(web.asked) == 1


def test_nobody_at_the_webhook(bench: Bench) -> None:
    job = bench.job("announce", {"text": "x", "webhook": "http://127.0.0.1:1"})
    failure = refused(job)
    assert (failure.unknown, failure.effect, failure.cause) == (False, "none", "connection")


def test_a_worker_that_died_before_and_after_the_first_byte(bench: Bench, web: Web) -> None:
    options = {"text": "x", "webhook": web.url}
    recorder = context(job := bench.job("announce", options))
    assert look(bench.job("announce", options, number=2)).verdict is Verdict.ABSENT
    recorder.cut = "announce.sending"
    with pytest.raises(FaultReached):
        act(job, recorder)
    found = look(bench.job("announce", options, number=2))
    assert found.verdict is Verdict.UNKNOWN
    assert found.unclear[0].endswith(SIGNATURE)


def test_a_message_that_was_accepted_is_found_by_the_record_of_it(bench: Bench, web: Web) -> None:
    options = {"text": "x", "webhook": web.url}
    outcome = act(bench.job("announce", options))
    found = look(bench.job("announce", options, number=2))
    assert found.verdict is Verdict.PRESENT
    assert found.summary == "The message was accepted (status 200)."
    assert found.outputs == outcome.outputs
    assert len(web.asked) == 1


def test_a_mail(bench: Bench, box: Post) -> None:
    outcome = act(bench.job("announce", mail(box)))
    assert outcome.outputs == {"message_id": "<1123-k7f3.step@example.org>"}
    received = message_from_bytes(box.mails[0], policy=policy.default)
    assert received["Message-ID"] == "<1123-k7f3.step@example.org>"
    assert (received["To"], received["Subject"]) == (
        "team@example.org, ops@example.org",
        "Deployed",
    )
    assert received.get_content().replace("\r", "") == f"It is done.\n\n{SIGNATURE}\n"
    assert box.recipients == ["team@example.org", "ops@example.org"]


def test_a_mail_over_an_encrypted_connection(bench: Bench) -> None:
    pem = certificate(bench.cwd)
    with post(pem) as box:
        secure = {"security": "starttls", "ca": "tls.pem", "user": "u", "password": "p4ssword"}
        act(bench.job("announce", mail(box, **secure)))
        assert box.logins == [b64encode(b"\0u\0p4ssword").decode()]
        assert box.encrypted
        failure = refused(bench.job("announce", mail(box, security="starttls")))
        assert failure.effect == "none"
    with post() as box:
        failure = refused(bench.job("announce", mail(box, security="starttls")))
        assert "STARTTLS" in failure.sentence
        assert box.mails == []


@pytest.mark.parametrize(
    ("answers", "unknown", "effect", "sentence"),
    [
        ({"MAIL": "550 not you"}, False, "none", "The mail was refused: 550 not you."),
        ({"RCPT": "550 nobody"}, False, "none", "The mail was refused: 550 nobody."),
        ({"DATA": "451 later"}, False, "none", "The mail was refused: 451 later."),
        ({"END": "554 spam"}, False, "none", "The mail was refused: 554 spam."),
        ({"END": None}, True, "unknown", "The mail was sent, and the server's answer was lost: "),
        (
            {"RCPT ops@example.org": "550 nobody"},
            False,
            "partial",
            "The mail was accepted, but not for ops@example.org.",
        ),
    ],
)
def test_a_mail_without_success(
    bench: Bench,
    box: Post,
    answers: dict[str, str | None],
    unknown: bool,
    effect: str,
    sentence: str,
) -> None:
    box.answers = answers
    failure = refused(bench.job("announce", mail(box)))
    assert failure.sentence.startswith(sentence)
    assert (failure.unknown, failure.effect) == (unknown, effect)


def test_nobody_at_the_mail_server(bench: Bench) -> None:
    failure = refused(bench.job("announce", mail(Post(port=1))))
    assert failure.sentence == "The mail server 127.0.0.1:1 cannot be reached: Connection refused."
    assert (failure.cause, failure.effect) == ("connection", "none")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({}, "give either webhook or mail"),
        (mail(Post(port=1)) | {"webhook": "u"}, "give either webhook or mail"),
        (mail(Post(port=1), user="u"), "user and password go together"),
        (mail(Post(port=1), user="u", password="p"), "not sent without encryption"),
        (mail(Post(port=1), to="nobody"), "should match pattern"),
    ],
)
def test_options_that_are_refused(options: dict[str, object], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        registry.spec("announce").options.model_validate({"text": "x"} | options)
