"""What is known of `smoke` before it acts."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, JsonValue, model_validator

from runbook_tui.actions.api import Reach, Row, Spec
from runbook_tui.actions.shared.fields import Duration, Options, Pattern, Scalar

CaptureName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
Status = Annotated[int, Field(ge=100, le=599)]
Method = Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


class Matches(Options):
    """Says what a value must be like."""

    pattern: Pattern | None = Field(
        default=None, description="Regular expression that must be found in the value."
    )
    above: float | None = Field(default=None, description="The number must be greater than this.")
    below: float | None = Field(default=None, description="The number must be less than this.")
    present: bool | None = Field(
        default=None, description="Whether the value must be there at all."
    )

    @model_validator(mode="after")
    def _something(self) -> Matches:
        if not self.model_fields_set:
            raise ValueError("say what the value must be like")
        return self


class Expect(Options):
    """What an answer must be like."""

    status: Status | list[Status] = Field(
        default=200, description="The status, or a list of those that will do."
    )
    json_: dict[str, Annotated[Matches | JsonValue, Field(union_mode="left_to_right")]] = Field(
        default_factory=dict,
        alias="json",
        description="Values at paths of a JSON answer (`services.database`, `items.0.id`): equal "
        "to what is given, or like `{pattern, above, below, present}`.",
    )
    headers: dict[str, Matches | Scalar] = Field(
        default_factory=dict,
        description="Headers: equal to what is given, or like `{pattern, above, below, present}`.",
    )
    text: str | list[str] = Field(
        default_factory=list, description="Text, or texts, that the body must hold."
    )
    without: str | list[str] = Field(
        default_factory=list, description="Text, or texts, that the body must not hold."
    )
    cookies: dict[str, list[Literal["secure", "httponly", "samesite"]]] = Field(
        default_factory=dict,
        description="Cookies that the answer must set, each with the attributes it must carry.",
    )
    under: Duration | None = Field(
        default=None, description="How long the answer may take, body included."
    )


class Capture(Options):
    """Where a value is taken from an answer: exactly one of the keys."""

    json_: str | None = Field(default=None, alias="json", description="Path in a JSON answer.")
    header: str | None = Field(default=None, description="Name of a header.")
    cookie: str | None = Field(default=None, description="Name of a cookie.")
    text: Pattern | None = Field(
        default=None, description="Regular expression over the body; its first group is the value."
    )

    @model_validator(mode="after")
    def _one(self) -> Capture:
        if sum(part is not None for part in (self.json_, self.header, self.cookie, self.text)) != 1:
            raise ValueError("give exactly one of json, header, cookie, text")
        return self


class Request(Options):
    """One request of a scenario. `{{ name }}` in url, headers and bodies is a captured value."""

    name: str | None = Field(default=None, description="What the request is for, in the log.")
    method: Method = Field(default="GET", description="Method.")
    url: str = Field(min_length=1, description="URL, or a path under the step's `url`.")
    headers: dict[str, Scalar] = Field(default_factory=dict, description="Headers to send.")
    json_: JsonValue = Field(default=None, alias="json", description="JSON body.")
    form: dict[str, Scalar] | None = Field(default=None, description="Form fields, URL-encoded.")
    files: dict[str, str] | None = Field(
        default=None,
        description="Files to upload as multipart/form-data: field and path, relative to the "
        "run's directory. Goes with `form`.",
    )
    body: str | None = Field(default=None, description="Text body, sent as it is.")
    expect: Expect = Field(default_factory=Expect, description="What the answer must be like.")
    capture: dict[CaptureName, Capture] = Field(
        default_factory=dict, description="Values to take from the answer for later requests."
    )

    @model_validator(mode="after")
    def _one_body(self) -> Request:
        given = [self.json_ is not None, self.form is not None or self.files is not None]
        if sum([*given, self.body is not None]) > 1:
            raise ValueError("give at most one of json, form (with files) and body")
        return self


class SmokeOptions(Options):
    """Options of `smoke`: one request to `url`, or `requests` one after the other."""

    url: str | None = Field(
        default=None,
        description="The URL to ask; with `requests`, what their paths are relative to.",
    )
    expect: Expect | None = Field(
        default=None, description="What the answer to the single request must be like."
    )
    requests: list[Request] = Field(
        default_factory=list,
        description="A scenario: requests in order, with cookies kept; the first that does not "
        "meet its expectation fails the step.",
    )
    headers: dict[str, Scalar] = Field(
        default_factory=dict, description="Headers that every request sends."
    )
    timeout: Duration = Field(default="10s", description="How long one request may take.")
    follow: bool = Field(default=False, description="Follow redirects.")
    ca: str | None = Field(
        default=None,
        description="File of the certificate authorities to trust instead of the system's.",
    )
    outputs: list[CaptureName] = Field(
        default_factory=list,
        description="Captured values that become outputs. All others are forgotten at the end and "
        "never written down.",
    )

    @model_validator(mode="after")
    def _consistent(self) -> SmokeOptions:
        if not self.requests and self.url is None:
            raise ValueError("give a url or requests")
        if self.requests and self.expect is not None:
            raise ValueError("with requests each request has its own expect")
        known: set[str] = set()
        for request in self.requests:
            for name in sorted(_used(request)):
                if name not in known:
                    raise ValueError(f"{{{{ {name} }}}} is used before a request captures it")
            if self.url is None and request.url.startswith("/"):
                raise ValueError(f"{request.url} is a path, and there is no url to put before it")
            known |= request.capture.keys()
        for name in self.outputs:
            if name not in known:
                raise ValueError(f"no request captures {name!r}, so it cannot be an output")
        return self


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)


def _used(request: Request) -> set[str]:
    sent = [request.url, request.headers, request.json_, request.form, request.body]
    found = (
        re.findall(r"(?<!\$)\{\{ *(\w+) *\}\}", text) for item in sent for text in _texts(item)
    )
    return {name for names in found for name in names}


def _urls(options: Mapping[str, Any]) -> tuple[str, ...]:
    base = str(options.get("url") or "")
    requests = options.get("requests") or ()
    urls = [str(request.get("url") or "") for request in requests]
    return tuple(base.rstrip("/") + url if url.startswith("/") else url for url in urls) or (base,)


def _describe(options: Mapping[str, Any]) -> tuple[Row, ...]:
    requests: list[Mapping[str, Any]] = list(options.get("requests") or ({},))
    pairs = zip(requests, _urls(options), strict=True)
    return tuple(Row("Asks", f"{request.get('method') or 'GET'} {url}") for request, url in pairs)


def _simulate(options: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(f"would ask {row.text}" for row in _describe(options))


def _reaches(options: Mapping[str, Any]) -> tuple[Reach, ...]:
    urls = [str(options["url"])] if options.get("url") else list(_urls(options))
    return tuple(Reach("http", url, {"ca": options.get("ca")}) for url in dict.fromkeys(urls))


SPEC = Spec(
    kind="smoke",
    summary="Asks a web service and compares its answers: status, JSON, headers, text, time.",
    options=SmokeOptions,
    perform="runbook_tui.actions.smoke.perform",
    changes=False,
    proof="state",
    probes=False,
    shorthand="url",
    outputs=lambda options: ("requests", *(options.get("outputs") or ())),
    describe=_describe,
    simulate=_simulate,
    reaches=_reaches,
    causes=("connection", "expectation"),
    example="""\
id: sign-in
name: Sign in and out
smoke:
  url: https://hub.example.org
  requests:
    - {url: /api/health, expect: {json: {status: ok}, under: 500ms}}
    - {url: /sign-in, capture: {csrf: {text: 'name="csrf" value="([^"]+)"'}}}
    - url: /sign-in
      method: POST
      form: {email: probe@example.org, csrf: '{{ csrf }}'}
      expect: {status: 303, cookies: {session: [secure, httponly]}}
""",
)
