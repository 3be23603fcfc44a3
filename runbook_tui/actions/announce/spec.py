"""What is known of `announce` before it acts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, JsonValue, model_validator

from runbook_tui.actions.api import Reach, Row, Spec
from runbook_tui.actions.shared.fields import Duration, Options, Scalar
from state.json_value import Json

Address = Annotated[str, Field(pattern=r"^[^\s@]+@[^\s@]+$|\$\{\{")]


class Webhook(Options):
    """A message by HTTP POST."""

    url: str = Field(min_length=1, description="URL; name it as a secret when it holds a token.")
    headers: dict[str, Scalar] = Field(default_factory=dict, description="Headers to send.")
    body: JsonValue = Field(
        default=None,
        description="JSON body; `{{ text }}` in it is the message. Default: "
        "`{text: '{{ text }}'}`, which Slack and Mattermost understand.",
    )
    ca: str | None = Field(
        default=None,
        description="File of the certificate authorities to trust instead of the system's.",
    )


class Mail(Options):
    """A message by SMTP."""

    server: str = Field(min_length=1, description="Host of the mail server.")
    port: int = Field(default=587, ge=1, le=65535, description="Its port.")
    security: Literal["starttls", "tls", "none"] = Field(
        default="starttls",
        description="Encryption: STARTTLS, TLS from the first byte, or none. Nothing is sent when "
        "the server does not offer it.",
    )
    user: str | None = Field(default=None, description="Name to log in with.")
    password: str | None = Field(default=None, description="Password; name it as a secret.")
    from_: Address = Field(alias="from", description="Sender's address.")
    to: Address | list[Address] = Field(description="Address, or addresses, of the recipients.")
    subject: str = Field(min_length=1, description="Subject.")
    ca: str | None = Field(
        default=None,
        description="File of the certificate authorities to trust instead of the system's.",
    )

    @model_validator(mode="after")
    def _login(self) -> Mail:
        if (self.user is None) != (self.password is None):
            raise ValueError("user and password go together")
        if self.user is not None and self.security == "none":
            raise ValueError("a password is not sent without encryption: set security")
        return self


class AnnounceOptions(Options):
    """Options of `announce`: exactly one of `webhook` and `mail`, so that no half is sent twice."""

    text: str = Field(
        min_length=1,
        description="The message. Run and step are put under it, so that a person can find it.",
    )
    webhook: str | Webhook | None = Field(
        default=None, description="URL to post to, or `{url, headers, body, ca}`."
    )
    mail: Mail | None = Field(default=None, description="Mail to send.")
    timeout: Duration = Field(
        default="30s",
        description="How long to wait for the answer. A message whose answer is lost is unknown, "
        "and is never sent again by itself.",
    )

    @model_validator(mode="after")
    def _one_way(self) -> AnnounceOptions:
        if (self.webhook is None) == (self.mail is None):
            raise ValueError("give either webhook or mail")
        return self


def _way(options: Mapping[str, Any]) -> str:
    mail = options.get("mail")
    if mail:
        to = mail.get("to") or ()
        return f"mail to {to if isinstance(to, str) else ', '.join(to)} by {mail.get('server')}"
    webhook = options.get("webhook")
    return f"POST to {webhook if isinstance(webhook, str) else (webhook or {}).get('url')}"


def _describe(options: Mapping[str, Any]) -> tuple[Row, ...]:
    lines = str(options.get("text") or "").strip().splitlines() or [""]
    rows = [Row("Sends", _way(options)), Row("Says", lines[0])]
    return (*rows, *(Row("", line) for line in lines[1:]))


def _carries(run: str, step: str, commit: str | None) -> Mapping[str, Json]:
    return {"run": run, "step": step}


def _reaches(options: Mapping[str, Any]) -> tuple[Reach, ...]:
    mail = options.get("mail")
    if mail:
        return (Reach("smtp", f"{mail.get('server')}:{mail.get('port') or 587}", dict(mail)),)
    return ()


SPEC = Spec(
    kind="announce",
    summary="Sends one message to a webhook or by mail, never twice by itself.",
    options=AnnounceOptions,
    perform="runbook_tui.actions.announce.perform",
    proof="mark",
    outputs=lambda options: ("message_id",) if options.get("mail") else ("status",),
    describe=_describe,
    simulate=lambda options: (f"would send: {_way(options)}",),
    carries=_carries,
    reaches=_reaches,
    causes=("connection",),
    example="""\
id: announce
name: Announce deployment to team
announce:
  text: Practice Hub is deployed.
  mail:
    server: mail.example.org
    from: deploy@example.org
    to: [team@example.org]
    subject: Practice Hub deployed
""",
)
