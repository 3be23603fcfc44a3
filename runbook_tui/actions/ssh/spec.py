"""What is known of `ssh` before it acts."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal, Self

from pydantic import Field, WithJsonSchema, field_validator, model_validator

from runbook_tui.actions.api import Row, Spec
from runbook_tui.actions.shared import host_fields, script_outputs
from runbook_tui.actions.shared.fields import REFERENCE, Duration, Options
from runbook_tui.actions.shared.host_fields import Hosts
from runbook_tui.actions.shared.script_outputs import DeclaredOutputs

BATCH: Final = r"[1-9]\d*|(100|[1-9]\d?)%"
Batch = Annotated[int | str, WithJsonSchema({"type": ["integer", "string"]})]


class SshOptions(Options):
    """Options of `ssh`."""

    script: str = Field(
        description="Shell text to run on each host. References in it become environment "
        "variables, which travel on standard input and never in arguments. `${{ host }}` and "
        "$RUNBOOK_HOST are the name of the host that it runs on, `${{ host.address }}` its address."
    )
    hosts: Hosts = Field(description="Hosts or groups of the inventory.")
    shell: Literal["bash", "sh"] = Field(
        default="bash", description="`bash` runs as `bash -euo pipefail`, `sh` as `sh -eu`."
    )
    cwd: str | None = Field(
        default=None, description="Working directory on the host. Default: the login's."
    )
    parallel: bool = Field(
        default=False,
        description="Run on all hosts at once. Otherwise one after the other, and a host that "
        "fails keeps the script from the hosts after it.",
    )
    batch: Batch | None = Field(
        default=None,
        description="How many hosts run it at the same time, as a number or as a share of all "
        "(`25%`): the next batch begins when all of this one have ended. Default: 1.",
    )
    max_failures: int | None = Field(
        default=None,
        ge=0,
        description="How many hosts may fail before no further one is begun; the running ones "
        "finish. The step fails all the same. Default: 0, or no limit with `parallel`.",
    )
    attached: bool = Field(
        default=False,
        description="Let the script live no longer than the connection, and keep nothing of it on "
        "the host. Otherwise it runs detached: what it writes and its exit code are kept in a "
        "private folder on the host until they have been taken over from there.",
    )
    reconnect: Duration = Field(
        default="5m",
        description="How long a lost link is tried again before the outcome counts as unknown.",
    )
    connect_timeout: int = Field(
        default=15, ge=1, le=600, description="Seconds to wait for a host to answer."
    )
    outputs: DeclaredOutputs = Field(
        default_factory=list,
        description="Names of the values that the script writes to the file $RUNBOOK_OUTPUT "
        "(`name=value` lines) on each host, or names with a `pattern` and `optional`.",
    )

    @field_validator("script")
    @classmethod
    def _not_empty(cls, script: str) -> str:
        if not script.strip():
            raise ValueError("the script is empty")
        return script

    @field_validator("batch")
    @classmethod
    def _some(cls, batch: int | str | None) -> int | str | None:
        text = str(batch)
        if batch is not None and REFERENCE not in text and not re.fullmatch(BATCH, text):
            raise ValueError("write a number of hosts, or a share of them such as 25%")
        return batch

    @model_validator(mode="after")
    def _one_order(self) -> Self:
        if self.parallel and self.batch is not None:
            raise ValueError("parallel runs on all hosts at once; leave it out, or batch")
        return self


def _how(options: Mapping[str, Any]) -> str:
    """Return the order of the hosts in words."""
    if options.get("parallel") is True:
        return "all at once"
    batch = options.get("batch")
    if batch in (None, 1, "1"):
        return "one after the other"
    return f"{batch} of them at once" if str(batch).endswith("%") else f"{batch} at once"


def _lines(options: Mapping[str, Any]) -> list[str]:
    return str(options.get("script") or "").strip().splitlines() or [""]


def _describe(options: Mapping[str, Any]) -> tuple[Row, ...]:
    first, *others = _lines(options)
    return (
        Row("On", f"{host_fields.shown(options)}, {_how(options)}"),
        Row("Runs", first),
        *(Row("", line) for line in others),
    )


SPEC = Spec(
    kind="ssh",
    summary="Runs a script on hosts, one after the other, in batches or all at once.",
    options=SshOptions,
    perform="runbook_tui.actions.ssh.perform",
    proof="none",
    blind=lambda options: options.get("attached") is True,
    records=True,
    per_host=("script",),
    carries=lambda run, step, commit: {"record": secrets.token_hex(8)},
    scripts=("script",),
    hosts="hosts",
    needs_hosts=True,
    causes=("connection",),
    outputs=lambda options: ("exit_code", *script_outputs.names(options)),
    describe=_describe,
    simulate=lambda options: tuple(
        f"would run on {host_fields.shown(options)}: {line}" for line in _lines(options)
    ),
    reaches=host_fields.reaches,
    example="""\
id: patch
name: Restart the workers
ssh:
  hosts: app
  script: |
    systemctl restart workers
    echo "pid=$(systemctl show -P MainPID workers)" >> "$RUNBOOK_OUTPUT"
  outputs: {pid: {pattern: '\\d+'}}
verify: {ssh: {hosts: app, script: systemctl is-active workers}, absent: 3}
""",
)
