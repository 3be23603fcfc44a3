"""What is known of `run` before it acts."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field, model_validator

from runbook_tui.actions.api import Row, Spec
from runbook_tui.actions.shared import script_outputs
from runbook_tui.actions.shared.fields import Options, Scalar
from runbook_tui.actions.shared.script_outputs import DeclaredOutputs

VariableName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]


class RunOptions(Options):
    """Options of `run`: exactly one of `script` and `argv`."""

    script: str | None = Field(
        default=None,
        description="Shell text. References in it become environment variables, so no value is "
        "ever pasted into shell text.",
    )
    argv: list[Scalar] | None = Field(
        default=None,
        min_length=1,
        description="A program and its arguments, started without a shell. A secret is refused "
        "here: arguments can be read by every user of the machine.",
    )
    shell: str = Field(
        default="bash",
        description="The shell of `script`. `bash` runs as `bash -euo pipefail`, `sh` as `sh -eu`; "
        "anything else runs as written, with the script's file as its last argument.",
    )
    cwd: str | None = Field(
        default=None,
        description="Working directory, relative to the run's own. Default: the run's.",
    )
    env: dict[VariableName, Scalar] = Field(
        default_factory=dict, description="Environment variables to add."
    )
    pty: bool = Field(
        default=False,
        description="Run on a pseudo-terminal: programs show colours and do not hold lines back.",
    )
    outputs: DeclaredOutputs = Field(
        default_factory=list,
        description="Names of the values that the script writes to the file $RUNBOOK_OUTPUT "
        "(`name=value` lines), or names with a `pattern` and `optional`.",
    )
    stdin: str | None = Field(
        default=None, description="Text given on standard input. Default: /dev/null."
    )

    @model_validator(mode="after")
    def _one_of(self) -> RunOptions:
        if (self.script is None) == (self.argv is None):
            raise ValueError("give either script or argv")
        if self.script is not None and not self.script.strip():
            raise ValueError("the script is empty")
        if self.pty and self.stdin is not None:
            raise ValueError("a step with a pty cannot have stdin")
        return self


def _command(options: Mapping[str, Any]) -> str:
    argv = options.get("argv")
    if argv:
        return shlex.join(str(item) for item in argv)
    return str(options.get("script") or "").strip()


def _outputs(options: Mapping[str, Any]) -> tuple[str, ...]:
    return ("exit_code", *script_outputs.names(options))


def _describe(options: Mapping[str, Any]) -> tuple[Row, ...]:
    lines = _command(options).splitlines() or [""]
    rows = [Row("Runs", lines[0]), *(Row("", line) for line in lines[1:])]
    if options.get("cwd"):
        rows.append(Row("In", str(options["cwd"])))
    if names := script_outputs.names(options):
        rows.append(Row("Hands on", ", ".join(names)))
    return tuple(rows)


def _simulate(options: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(f"would run: {line}" for line in _command(options).splitlines())


def _tools(options: Mapping[str, Any]) -> Mapping[str, str]:
    if options.get("argv"):
        return {}
    words = str(options.get("shell") or "bash").split()
    return {words[0]: words[0]} if words and "/" not in words[0] else {}


SPEC = Spec(
    kind="run",
    summary="Runs a script or a program on this machine.",
    options=RunOptions,
    perform="runbook_tui.actions.run.perform",
    proof="none",
    probes=False,
    shorthand="script",
    scripts=("script",),
    outputs=_outputs,
    describe=_describe,
    simulate=_simulate,
    tools=_tools,
    example="""\
id: bundle
name: Build production bundle
run:
  script: |
    npm run build
    echo "size=$(du -sk dist | cut -f1)" >> "$RUNBOOK_OUTPUT"
  outputs: {size: {pattern: '\\d+'}}
verify: {run: test -d dist, absent: 1}
""",
)
