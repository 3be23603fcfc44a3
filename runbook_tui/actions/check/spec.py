"""What is known of `check` before it acts, and the vocabulary of looks that `verify` shares.

A look has a long spelling (`sql: {query: …, database: …}`) and a short one (`sql: …` with
`database` beside it). Validation turns the short one into the long one, so a dump of the model
always holds the long one, and `hosts` too when the look goes to hosts.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final

from pydantic import Field, model_validator

from runbook_tui.actions.api import Reach, Row, Spec
from runbook_tui.actions.run import spec as run
from runbook_tui.actions.run.spec import RunOptions
from runbook_tui.actions.shared import script_outputs
from runbook_tui.actions.shared.database import Database
from runbook_tui.actions.shared.fields import Duration, Options, Scalar
from runbook_tui.actions.shared.host_fields import Hosts
from runbook_tui.actions.shared.limit_fields import Figure
from runbook_tui.actions.smoke import spec as smoke
from runbook_tui.actions.smoke.spec import Expect, SmokeOptions
from runbook_tui.actions.sql import spec as sql
from runbook_tui.actions.sql.spec import SqlOptions
from runbook_tui.actions.ssh import spec as ssh
from runbook_tui.actions.ssh.spec import SshOptions

KINDS: Final = ("run", "ssh", "sql", "smoke", "resources")
"""What a look may be, one of them a look."""

_SPECS: Final = {"run": run.SPEC, "ssh": ssh.SPEC, "sql": sql.SPEC, "smoke": smoke.SPEC}
_BESIDE: Final = {
    "run": frozenset({"absent"}),
    "ssh": frozenset({"absent", "hosts"}),
    "sql": frozenset({"database", "expect"}),
    "smoke": frozenset({"absent", "expect"}),
    "resources": frozenset({"hosts"}),
}
"""Which options may stand beside each kind of look."""


class Resources(Options):
    """Use of hosts, each at most as given."""

    hosts: Hosts | None = Field(default=None, description="Hosts or groups of the inventory.")
    cpu: Figure | None = Field(default=None, description="Most CPU in use, in percent.")
    memory: Figure | None = Field(default=None, description="Most memory in use, in percent.")
    disk: Figure | None = Field(
        default=None, description="Most space in use on the file systems of `disks`, in percent."
    )
    disks: list[str] = Field(
        default_factory=lambda: ["/"], description="Paths whose file systems `disk` looks at."
    )

    @model_validator(mode="after")
    def _something(self) -> Resources:
        if self.cpu is None and self.memory is None and self.disk is None:
            raise ValueError("give at least one of cpu, memory and disk")
        return self


class Until(Options):
    """How to wait for what is looked for."""

    every: Duration = Field(default="2s", description="Time from one look to the next.")
    for_: Duration = Field(alias="for", description="How long to go on looking.")


ExitOrStatus = Annotated[int, Field(ge=1, le=599)]


class LookOptions(Options):
    """What `check` and `verify` share: exactly one of `run`, `ssh`, `sql`, `smoke`, `resources`."""

    run: str | RunOptions | None = Field(
        default=None, description="Script, or options of `run`. Exit code 0 is present."
    )
    ssh: str | SshOptions | None = Field(
        default=None,
        description="Script with `hosts` beside it, or options of `ssh`. Present when every host "
        "exits with 0.",
    )
    sql: str | SqlOptions | None = Field(
        default=None,
        description="Query with `database` and `expect` beside it, or options of `sql`. Another "
        "answer is absent, no answer unknown.",
    )
    smoke: str | SmokeOptions | None = Field(
        default=None,
        description="URL with `expect` beside it, or options of `smoke`. Not met is unknown, "
        "unless the status is one of `absent`.",
    )
    resources: Resources | None = Field(
        default=None, description="Use of hosts. Over a limit is absent, unreachable unknown."
    )
    hosts: Hosts | None = Field(
        default=None, description="Hosts or groups of the inventory, for `ssh` and `resources`."
    )
    database: Database | None = Field(
        default=None, description="Connection to PostgreSQL, for `sql`."
    )
    expect: Scalar | Expect | None = Field(
        default=None, description="What is expected, as in `sql` and `smoke`."
    )
    absent: ExitOrStatus | list[ExitOrStatus] | None = Field(
        default=None,
        description="Exit codes (of `run`, `ssh`) or statuses (of `smoke`) that prove that what "
        "is looked for is not there. Every other failure only means: could not find out.",
    )
    until: Until | None = Field(
        default=None, description="Look again until it is present, for a time."
    )

    @model_validator(mode="after")
    def _one_look(self) -> LookOptions:
        kinds = [kind for kind in KINDS if getattr(self, kind) is not None]
        if len(kinds) != 1:
            raise ValueError(f"give exactly one of {', '.join(KINDS)}")
        self._refuse_strangers(kinds[0])
        self._write_out(kinds[0])
        return self

    def _refuse_strangers(self, kind: str) -> None:
        for name in ("hosts", "database", "expect", "absent"):
            short = name == "absent" or not isinstance(getattr(self, kind), Options)
            allowed = name in _BESIDE[kind] and (short or name == "hosts")
            if getattr(self, name) is not None and not allowed:
                raise ValueError(f"{name} does not go beside this {kind}")

    def _write_out(self, kind: str) -> None:
        given = getattr(self, kind)
        if not isinstance(given, Options):
            beside = {name: getattr(self, name) for name in _BESIDE[kind] - {"absent"}}
            named = {_SPECS[kind].shorthand or "script": given}
            named |= {name: value for name, value in beside.items() if value is not None}
            self.__dict__[kind] = _SPECS[kind].options.model_validate(named)
            self.__dict__["database"] = self.__dict__["expect"] = None
        elif isinstance(given, Resources) and given.hosts is None:
            given.__dict__["hosts"] = self.hosts
        if "hosts" in _BESIDE[kind]:
            self.__dict__["hosts"] = getattr(self, kind).hosts
            if not self.hosts:
                raise ValueError(f"{kind} needs hosts")
        if self.sql is not None and isinstance(self.sql, SqlOptions) and self.sql.write:
            raise ValueError("a look changes nothing: write does not go here")


class CheckOptions(LookOptions):
    """Options of `check`."""

    finding: bool = Field(
        default=False,
        description="Both answers are results (output `verdict`: present or absent), and only "
        "not being able to find out fails the step.",
    )


def kind(options: Mapping[str, Any]) -> str:
    """Return which look the options of a `check` or `verify` hold, in either spelling."""
    return next((kind for kind in KINDS if options.get(kind) is not None), "run")


def long(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of the look alone, in the long spelling, without validating them."""
    name = kind(options)
    given = options.get(name)
    if isinstance(given, Mapping):
        return dict(given) | ({"hosts": options["hosts"]} if options.get("hosts") else {})
    beside = {key: options[key] for key in _BESIDE[name] - {"absent"} if key in options}
    shorthand = _SPECS[name].shorthand if name in _SPECS else None
    return {shorthand or "script": given} | beside


def _describe(options: Mapping[str, Any]) -> tuple[Row, ...]:
    name = kind(options)
    until = options.get("until") or {}
    waits = f"up to {until.get('for')}, every {until.get('every') or '2s'}" if until else ""
    given = {**long(options), "parallel": True} if name == "ssh" else long(options)
    rows = _SPECS[name].describe(given) if name in _SPECS else _use(given)
    return (*rows, *((Row("Waits", waits),) if waits else ()))


def _use(options: Mapping[str, Any]) -> tuple[Row, ...]:
    named = [name for name in ("cpu", "memory", "disk") if options.get(name) is not None]
    hosts = options.get("hosts") or ()
    where = hosts if isinstance(hosts, str) else ", ".join(str(host) for host in hosts)
    return tuple(Row("Use", f"{name} at most {options[name]} on {where}") for name in named)


def _outputs(options: Mapping[str, Any]) -> tuple[str, ...]:
    name = kind(options)
    if name in {"run", "ssh"}:
        return ("verdict", *script_outputs.names(long(options)))
    return ("verdict", *(_SPECS[name].outputs(long(options)) if name in _SPECS else ()))


def _reaches(options: Mapping[str, Any]) -> tuple[Reach, ...]:
    name = kind(options)
    return _SPECS[name].reaches(long(options)) if name in _SPECS else ()


def _tools(options: Mapping[str, Any]) -> Mapping[str, str]:
    name = kind(options)
    return _SPECS[name].tools(long(options)) if name in _SPECS else {}


SPEC = Spec(
    kind="check",
    summary="Looks at something without changing it, and may wait for it.",
    options=CheckOptions,
    perform="runbook_tui.actions.check.perform",
    changes=False,
    proof="state",
    probes=False,
    scripts=("run", "run.script", "ssh", "ssh.script"),
    per_host=("ssh", "ssh.script"),
    hosts="hosts",
    outputs=_outputs,
    describe=_describe,
    simulate=lambda options: tuple(
        f"would look: {row.label} {row.text}" for row in _describe(options)
    ),
    tools=_tools,
    reaches=_reaches,
    causes=("absent", "unknown"),
    example="""\
id: drained
name: Wait until the queue is empty
check:
  sql: select count(*) from jobs where done_at is null
  database: postgresql://reader@db-1.example.org/practice_hub
  expect: 0
  until: {every: 2s, for: 5m}
""",
)
