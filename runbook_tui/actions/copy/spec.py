"""What is known of `copy` before it acts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field, field_validator

from runbook_tui.actions.api import Row, Spec
from runbook_tui.actions.shared import host_fields
from runbook_tui.actions.shared.fields import REFERENCE, Options, Scalar
from runbook_tui.actions.shared.host_fields import Hosts


class CopyOptions(Options):
    """Options of `copy`."""

    from_: str | list[str] = Field(
        alias="from",
        description="The file, or a list of files, relative to the run's working directory.",
    )
    to: str = Field(
        description="Absolute path on the host. One that ends in / is a folder, which must exist "
        "and which each file keeps its name in.",
    )
    hosts: Hosts = Field(description="Hosts or groups of the inventory.")
    mode: Scalar = Field(default="0644", description="Permissions in octal, such as 0640.")
    owner: str | None = Field(
        default=None,
        description="Owner, or owner:group, of the file on the host; the login must be allowed to "
        "set it. Default: the login's own.",
    )
    connect_timeout: int = Field(
        default=15, ge=1, le=600, description="Seconds to wait for a host to answer."
    )

    @field_validator("mode")
    @classmethod
    def _octal(cls, mode: str) -> str:
        digits = mode.removeprefix("0o")
        if REFERENCE not in mode and not (
            3 <= len(digits) <= 4 and all(digit in "01234567" for digit in digits)
        ):
            raise ValueError(f"{mode!r} is no mode: write it in octal, such as 0640")
        return mode

    @field_validator("to")
    @classmethod
    def _absolute(cls, to: str) -> str:
        if REFERENCE not in to and not to.startswith("/"):
            raise ValueError(f"{to!r} is not absolute: begin it with /")
        return to

    @field_validator("owner")
    @classmethod
    def _plain_owner(cls, owner: str | None) -> str | None:
        if owner and REFERENCE not in owner and owner.startswith("-"):
            raise ValueError(f"{owner!r} is no owner: write user or user:group")
        return owner


def _files(options: Mapping[str, Any]) -> str:
    given = options.get("from")
    return given if isinstance(given, str) else ", ".join(str(name) for name in given or ())


def _describe(options: Mapping[str, Any]) -> tuple[Row, ...]:
    rights = f"mode {options.get('mode') or '0644'}"
    if options.get("owner"):
        rights += f", owner {options['owner']}"
    return (
        Row("Files", _files(options)),
        Row("To", f"{options.get('to')} on {host_fields.shown(options)}"),
        Row("With", rights),
    )


SPEC = Spec(
    kind="copy",
    summary="Puts files on hosts, each replaced as a whole and proven by its SHA-256.",
    options=CopyOptions,
    perform="runbook_tui.actions.copy.perform",
    proof="state",
    hosts="hosts",
    needs_hosts=True,
    causes=("connection",),
    outputs=lambda options: ("path", "sha256"),
    describe=_describe,
    simulate=lambda options: (
        f"would copy {_files(options)} to {options.get('to')} on {host_fields.shown(options)}",
    ),
    reaches=host_fields.reaches,
    example="""\
id: unit
name: Install the service file
copy: {from: deploy/app.service, to: /etc/systemd/system/, hosts: app, mode: "0644"}
""",
)
