"""What is known of `env` before it acts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field, model_validator

from runbook_tui.actions.api import Reach, Row, Spec
from runbook_tui.actions.shared import host_fields
from runbook_tui.actions.shared.fields import Options, Pattern, Scalar
from runbook_tui.actions.shared.host_fields import Hosts

VariableName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]


class Rule(Options):
    """What one variable must be like."""

    optional: bool = Field(default=False, description="May be missing or empty.")
    pattern: Pattern | None = Field(
        default=None, description="Regular expression that the whole value must match."
    )
    min_length: int | None = Field(
        default=None, ge=1, description="Fewest characters that will do."
    )
    choices: list[Scalar] | None = Field(
        default=None, min_length=1, description="The values that will do."
    )
    placeholder: bool = Field(default=False, description="The value may look like a placeholder.")


class InService(Options):
    """The service whose variables are compared with: that of a `deploy`, as it runs now."""

    service: str = Field(description="Name of the service, as `deploy` has it.")
    socket: str = Field(
        default="/var/run/docker.sock",
        description="Path of the Docker engine's socket on the host; `{host}` stands for the "
        "host's name.",
    )
    besides: list[VariableName] = Field(
        default_factory=list,
        description="Variables that are not compared, such as a port that the deployment chooses.",
    )


class EnvOptions(Options):
    """Options of `env`: variables from a `file`, from `values`, or of this process."""

    file: str | None = Field(
        default=None,
        description="File of `NAME=value` lines to review, relative to the run's directory. "
        "Default: without `values`, the variables of this process.",
    )
    values: dict[VariableName, Scalar] = Field(
        default_factory=dict,
        description="Variables with their values, such as references to secrets; they win over "
        "the file's.",
    )
    rules: dict[VariableName, Rule | None] = Field(
        min_length=1,
        description="The variables that must be there, each with its rule. Values that look like "
        "placeholders (`<your-key>`, `changeme`, `TODO`, …) are refused. No value is ever shown.",
    )
    known_only: bool = Field(
        default=False, description="Refuse variables of the file or of `values` without a rule."
    )
    hosts: Hosts | None = Field(
        default=None, description="Hosts or groups of the inventory that `in_service` looks at."
    )
    in_service: InService | None = Field(
        default=None,
        description="Compare with what is in service on `hosts`: which variables are new, have "
        "another value, or are gone (output `difference`). Values are compared and never shown.",
    )
    connect_timeout: int = Field(
        default=15, ge=1, le=600, description="Seconds to wait for a host to answer."
    )

    @model_validator(mode="after")
    def _hosts_to_compare_with(self) -> EnvOptions:
        if (self.in_service is None) != (self.hosts is None):
            raise ValueError("in_service and hosts go together")
        if self.in_service is not None and self.file is None and not self.values:
            raise ValueError("in_service goes with a file or values")
        return self

    @model_validator(mode="after")
    def _known_only(self) -> EnvOptions:
        if self.known_only and self.file is None and not self.values:
            raise ValueError("known_only goes with a file or values")
        return self


def _source(options: Mapping[str, Any]) -> str:
    if options.get("file"):
        return str(options["file"])
    return "the values given" if options.get("values") else "this process"


def _describe(options: Mapping[str, Any]) -> tuple[Row, ...]:
    names = ", ".join(options.get("rules") or ())
    there = options.get("in_service") or {}
    compared = f"what {there.get('service')} was started with on {host_fields.shown(options)}"
    return (
        Row("Reviews", f"variables of {_source(options)}; values are not shown"),
        Row("", names),
        *((Row("Compares", f"with {compared}"),) if there else ()),
    )


def _reaches(options: Mapping[str, Any]) -> tuple[Reach, ...]:
    there = options.get("in_service")
    if not there:
        return ()
    hosts = host_fields.reaches(options)
    socket = {"socket": str(there.get("socket") or "/var/run/docker.sock")}
    return (*hosts, *(Reach("docker", reach.target, socket) for reach in hosts))


SPEC = Spec(
    kind="env",
    summary="Reviews environment variables: present, well formed, no placeholder left.",
    options=EnvOptions,
    perform="runbook_tui.actions.env.perform",
    changes=False,
    proof="state",
    probes=False,
    hosts="hosts",
    causes=("connection",),
    outputs=lambda options: ("checked", *(("difference",) if options.get("in_service") else ())),
    tools=lambda options: {"ssh": "openssh-client"} if options.get("in_service") else {},
    reaches=_reaches,
    describe=_describe,
    simulate=lambda options: (f"would review the variables of {_source(options)}",),
    example="""\
id: variables
name: Review environment variables
env:
  file: .env.production
  rules:
    NODE_ENV: {choices: [production]}
    DATABASE_URL: {pattern: 'postgresql://.+'}
    AUTH_SECRET: {min_length: 32}
    SENTRY_DSN: {optional: true}
""",
)
