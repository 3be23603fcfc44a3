"""A script on a host: sent on standard input with its values, so that no argument shows either.

The script runs in a session of its own (sshd makes one for each command) and writes down who it
is, so that it can be stopped by identity: its process id alone may be somebody else's later.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from runbook_tui.actions.shared.ssh_connection import HostConnection, Output, Stop

SHELLS: Final = {"bash": "bash --norc -euo pipefail", "sh": "sh -eu"}

# In memory where that is possible: outputs and secrets lie there.
_MAKE_DIRECTORY: Final = """\
umask 077
for place in /dev/shm "${TMPDIR:-/tmp}"; do
  if [ -d "$place" ] && [ -w "$place" ]; then exec mktemp -d "$place/runbook.XXXXXXXX"; fi
done
echo 'no folder for temporary files can be written to' >&2
exit 1
"""

# Everything is read before anything runs: the script's own commands find standard input empty.
RUN: Final = "exec {shell} -c 'eval \"$(cat)\" </dev/null' runbook"

_IDENTITY: Final = (
    "if [ -r /proc/$$/stat ]; then read -r RUNBOOK_WHO </proc/$$/stat; "
    'echo "$RUNBOOK_WHO" >{file}; unset RUNBOOK_WHO; fi'
)

# The file holds a line of /proc/PID/stat and, when it may outlive a restart, the boot it is of.
# Field 6 of /proc/PID/stat is the session, field 22 the start time; the name in field 2 may hold
# blanks and brackets, so fields are counted behind its last bracket.
STOP: Final = """\
boot=
{{ read -r line && read -r boot; }} <{file} || [ -n "${{line:-}}" ] || exit 3
if [ -n "$boot" ] && read -r now </proc/sys/kernel/random/boot_id; then
  [ "$boot" = "$now" ] || exit 0
fi
main=${{line%% *}}; set -- ${{line##*) }}; session=$4; start=${{20}}
if [ "$session" != "$main" ]; then exit 3; fi
if read -r now 2>/dev/null </proc/$main/stat; then
  set -- ${{now##*) }}
  [ "${{20}}" = "$start" ] || exit 0
fi
members() {{
  for stat in /proc/[0-9]*/stat; do
    read -r now 2>/dev/null <$stat || continue
    set -- ${{now##*) }}
    if [ "$4" = "$session" ] && [ "$1" != Z ]; then echo "${{now%% *}}"; fi
  done
}}
for step in INT:{first} TERM:{second} KILL:5; do
  left=$(members); [ -n "$left" ] || exit 0
  kill -${{step%:*}} $left 2>/dev/null || :
  tries=$((${{step#*:}} * 10))
  while [ $tries -gt 0 ] && [ -n "$(members)" ]; do sleep 0.1; tries=$((tries - 1)); done
done
[ -z "$(members)" ]
"""


@dataclass(frozen=True, slots=True)
class Captured:
    """What a short command said. `code` is None when nobody can tell how it ended."""

    code: int | None
    out: str
    err: str

    def words(self) -> str:
        """Return the end of what it complained about, on one line."""
        said = (self.err.strip() or self.out.strip()).splitlines()
        return said[-1] if said else f"exit code {self.code}"


def capture(
    connection: HostConnection,
    script: str,
    variables: Mapping[str, str] | None = None,
    stop: Stop = lambda: False,
) -> Captured:
    """Run a short `sh` script of ours on a host and return what it said."""
    out, err = bytearray(), bytearray()

    def keep(data: bytes, stream: str) -> None:
        (out if stream == "stdout" else err).extend(data)

    text = f"{exports(variables or {})}\n{script}"
    code = connection.execute(
        RUN.format(shell=SHELLS["sh"]), stdin=text.encode(), output=keep, stop=stop
    )
    return Captured(code, out.decode("utf-8", "replace"), err.decode("utf-8", "replace"))


@dataclass(slots=True)
class RemoteScript:
    """One author's script on one host. `close` removes the private folder it has there."""

    connection: HostConnection
    directory: str | None = None

    def prepare(self) -> str | None:
        """Make the private folder; returns why that is impossible, or None."""
        made = capture(self.connection, _MAKE_DIRECTORY)
        if made.code != 0:
            return made.words()
        self.directory = made.out.strip().splitlines()[-1]
        return None

    def run(
        self,
        script: str,
        *,
        shell: str,
        cwd: str | None,
        variables: Mapping[str, str],
        secret_files: Mapping[str, str],
        output: Output,
        stop: Stop,
    ) -> int | None:
        """Run it; None when it was stopped, or nobody can tell how it ended.

        Each of `secret_files` becomes a file of mode 0600, whose path is in the variable NAME_FILE.
        """
        files = {name: f"{self.directory}/{name}" for name in secret_files}
        values = {
            **variables,
            "RUNBOOK_OUTPUT": f"{self.directory}/output",
            **{f"{name}_FILE": path for name, path in files.items()},
        }
        written = (
            f'(umask 077; {exports({"V": secret})}; printf %s "$V" >{shlex.quote(files[name])})'
            for name, secret in secret_files.items()
        )
        before = [
            *written,
            exports(values),
            _IDENTITY.format(file=shlex.quote(f"{self.directory}/main")),
        ]
        if cwd:
            before.append(f"cd -- {shlex.quote(cwd)}")
        # On one line, so that the shell's messages name the script's own line numbers.
        text = "; ".join(part for part in before if part) + f"; {script}"
        return self.connection.execute(
            RUN.format(shell=SHELLS[shell]), stdin=text.encode(), output=output, stop=stop
        )

    def outputs(self, limit: int) -> bytes | None:
        """Return at most `limit` bytes of $RUNBOOK_OUTPUT; None when it cannot be read."""
        data = bytearray()
        values = {"F": f"{self.directory}/output", "N": str(limit)}
        text = f'{exports(values)}; if [ -e "$F" ]; then head -c "$N" "$F"; fi'
        code = self.connection.execute(
            RUN.format(shell=SHELLS["sh"]),
            stdin=text.encode(),
            output=lambda part, stream: data.extend(part) if stream == "stdout" else None,
            stop=lambda: False,
        )
        return bytes(data) if code == 0 else None

    def end(self, graces: tuple[int, int]) -> bool:
        """Stop every process of the script's session; True when none is left for certain."""
        file = shlex.quote(f"{self.directory}/main")
        done = capture(self.connection, STOP.format(file=file, first=graces[0], second=graces[1]))
        return done.code == 0

    def close(self) -> None:
        """Remove the private folder, as far as the connection allows."""
        if self.directory and self.connection.alive():
            capture(self.connection, 'rm -rf -- "$D"', {"D": self.directory})


def exports(variables: Mapping[str, str]) -> str:
    """Return shell text that sets and exports variables, on one line whatever the values hold."""
    return _set("export ", variables)


def assigned(variables: Mapping[str, str]) -> str:
    """Return shell text that sets variables for our own script only: they may be long."""
    return _set("", variables)


def _set(word: str, variables: Mapping[str, str]) -> str:
    if not variables:
        return ":"
    words = " ".join(f"{name}={quoted(value)}" for name, value in variables.items())
    newline = 'RUNBOOK_NL=$(printf "\\nx"); RUNBOOK_NL=${RUNBOOK_NL%x}'
    return f"{newline}; {word}{words}; unset RUNBOOK_NL"


def quoted(value: str) -> str:
    return '"$RUNBOOK_NL"'.join(shlex.quote(part) for part in value.split("\n"))
