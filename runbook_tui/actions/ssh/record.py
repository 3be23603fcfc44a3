"""The record that a detached script keeps of itself on its host: made, followed, read, removed."""

from __future__ import annotations

import hashlib
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass

from runbook_tui.actions.api import Host, Job, values_on
from runbook_tui.actions.shared import output_file
from runbook_tui.actions.shared.remote_script import SHELLS, STOP, assigned, exports
from runbook_tui.actions.shared.ssh_connection import Output
from runbook_tui.actions.ssh import shell
from runbook_tui.actions.ssh.link import Link


class RecordError(Exception):
    """A record cannot be made; the text says why."""


@dataclass(frozen=True, slots=True)
class Stands:
    """How a record stands: none, made, void, running, ended (with its code), died or refused."""

    state: str
    code: int | None = None
    words: str = ""
    size: int = 0
    """Bytes of output."""


def name_of(job: Job, host: str) -> str:
    """Return the name of the record of this attempt on a host: the same whenever it is asked for.

    Machines whose folders are one (a shared home) must not meet in it, nor runs of the same name.
    """
    parts = (job.run, job.step, str(job.number))
    shown = [re.sub(r"[^A-Za-z0-9-]", "_", part)[:40] for part in (*parts, host)]
    whole = "\0".join((*parts, host, str(job.carries.get("record"))))
    return ".".join([*shown, hashlib.sha256(whole.encode()).hexdigest()[:16]])


class Record:
    """One record, seen through a link. What is sent may be lost and is then sent again."""

    def __init__(self, link: Link, name: str) -> None:
        self._link = link
        self.name = name
        self.out = self.err = 0
        self._folder = ""
        self._memory = ""

    def prepare(self, job: Job) -> None:
        """Make the record, unless it is there. Raises RecordError."""
        shell_line = SHELLS[str(job.options.get("shell") or "bash")]
        made = self._link.capture(
            shell.PREPARE,
            {
                "NAME": self.name,
                "SCRIPT": str(job.options["script"]),
                "RUNNER": shell.runner(shell_line),
            },
        )
        lines = made.out.splitlines()
        if made.code != 0 or len(lines) != 2:
            raise RecordError(made.words())
        self._folder, self._memory = lines

    def start(self, job: Job, host: Host) -> str:
        """Start the script unless that was done, or forbidden, before; returns which it is."""
        said = self._link.capture(
            shell.START,
            {"D": self._folder, "M": self._memory, "VALUES": self._values(job, host)},
        )
        return said.out.strip() if said.code == 0 else f"failed: {said.words()}"

    def _values(self, job: Job, host: Host) -> str:
        """Return shell text that gives the script its values and secret files."""
        files = {name: f"{self._memory}/{name}" for name in job.secret_files}
        values = {
            **values_on(host, job.variables),
            "RUNBOOK_RUN": job.run,
            "RUNBOOK_STEP": job.step,
            "RUNBOOK_HOST": host.name,
            "RUNBOOK_OUTPUT": f"{self._folder}/output",
            **{f"{name}_FILE": path for name, path in files.items()},
        }
        if job.options.get("cwd"):
            values["RUNBOOK_CWD"] = str(job.options["cwd"])
        written = [
            f'(umask 077; {assigned({"V": secret})}; printf %s "$V" >{shlex.quote(files[name])})'
            for name, secret in job.secret_files.items()
        ]
        return "\n".join([*written, exports(values), ""])

    def look(self, *, void: bool) -> Stands:
        """Return how the record stands. `void`: should the script not have started, it never may.

        Raises RecordError when the host cannot say.
        """
        said = self._link.capture(shell.LOOK, {"NAME": self.name, "VOID": "1" if void else ""})
        if said.code != 0 or not said.out.strip():
            raise RecordError(said.words())
        first, *rest = said.out.splitlines()
        word, _, more = first.partition(" ")
        size = sum(map(int, rest[0].split())) if rest else 0
        if word == "ended":
            return Stands(word, int(more), size=size) if more.isdigit() else Stands("died")
        return Stands(word, words=more, size=size)

    def tail(self, output: Output) -> int:
        """Hand on what the script writes, each byte once, until it has ended.

        Returns 0, or one of the codes of `shell.TAIL`.
        """
        return self._link.follow(shell.TAIL, self._place, self._counting(output))

    def _place(self) -> str:
        return assigned({"NAME": self.name, "O": str(self.out), "E": str(self.err)})

    def _counting(self, output: Output) -> Output:
        """Return an output that counts: what was handed on is not asked for again."""

        def take(data: bytes, stream: shell.Stream) -> None:
            if stream == "stdout":
                self.out += len(data)
            else:
                self.err += len(data)
            output(data, stream)

        return take

    def fetch(self, output: Output) -> None:
        """Hand on all that the script has written by now. Raises RecordError."""
        if self._link.follow(shell.FETCH, self._place, self._counting(output)) != 0:
            raise RecordError("its record is gone")

    def outputs(self) -> bytes | None:
        """Return what the script hands on; None when it cannot be read."""
        values = {"NAME": self.name, "LIMIT": str(output_file.LIMIT + 1)}
        data = bytearray()
        code = self._link.follow(
            shell.OUTPUTS,
            lambda: _cleared(data, values),
            lambda part, stream: data.extend(part) if stream == "stdout" else None,
        )
        return bytes(data) if code == 0 else None

    def stop(self, graces: tuple[int, int]) -> bool:
        """End every process of the script's session; True when none is left for certain."""
        end = STOP.format(file='"$D/main"', first=graces[0], second=graces[1])
        body = f'D= why=\nfind_record || exit 3\n[ -e "$D/main" ] || exit 3\n{end}'
        said = self._link.last_word(body, {"NAME": self.name})
        return said is not None and said.code == 0

    def remove(self) -> bool:
        """Remove the record, as far as the link allows; tell whether it is gone."""
        said = self._link.last_word(shell.REMOVE, {"NAME": self.name})
        return said is not None and said.code == 0


def _cleared(data: bytearray, values: Mapping[str, str]) -> str:
    data.clear()
    return assigned(values)
