"""What is known of `ssh` before it acts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field, field_validator

from runbook_tui.actions.api import Row, Spec
from runbook_tui.actions.shared import host_fields, script_outputs
from runbook_tui.actions.shared.fields import Options
from runbook_tui.actions.shared.host_fields import Hosts
from runbook_tui.actions.shared.script_outputs import DeclaredOutputs


class SshOptions(Options):
    """Options of `ssh`."""

    script: str = Field(
        description="Shell text to run on each host. References in it become environment "
        "variables, which travel on standard input and never in arguments. $RUNBOOK_HOST is the "
        "name of the host that it runs on."
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


def _lines(options: Mapping[str, Any]) -> list[str]:
    return str(options.get("script") or "").strip().splitlines() or [""]


def _describe(options: Mapping[str, Any]) -> tuple[Row, ...]:
    first, *others = _lines(options)
    how = "all at once" if options.get("parallel") is True else "one after the other"
    return (
        Row("On", f"{host_fields.shown(options)}, {how}"),
        Row("Runs", first),
        *(Row("", line) for line in others),
    )


SPEC = Spec(
    kind="ssh",
    summary="Runs a script on hosts, one after the other or all at once.",
    options=SshOptions,
    perform="runbook_tui.actions.ssh.perform",
    proof="none",
    probes=False,
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
