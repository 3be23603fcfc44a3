"""The proxy of a host: which container its file names, and the switch to another one.

Old workers of nginx go on with the old file, so the old container may be stopped only after they
are gone, and a reload counts only once new workers are there.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from runbook_tui.actions.api import ActionFailed, Context, Effect, Host
from runbook_tui.actions.deploy.wanted import Wanted
from runbook_tui.actions.shared.remote_script import Captured, capture
from runbook_tui.actions.shared.ssh_connection import HostConnection
from runbook_tui.actions.shared.ssh_settings import split

_READ: Final = 'if [ -e "$FILE" ]; then cat -- "$FILE"; fi'
_SWITCH: Final = """\
umask 022
printf '%s' "$TEXT" >"$FILE.runbook"
if [ -e "$FILE" ]; then cp -p -- "$FILE" "$FILE.before"; fi
mv -- "$FILE.runbook" "$FILE"
if ! said=$({nginx} -t 2>&1); then
  if [ -e "$FILE.before" ]; then mv -- "$FILE.before" "$FILE"; else rm -- "$FILE"; fi
  echo "$said" >&2
  exit 4
fi
rm -f -- "$FILE.before"
"""
_RELOAD: Final = """\
master=$(cat -- "$PID_FILE")
workers() {{
  for stat in /proc/[0-9]*/stat; do
    read -r line 2>/dev/null <$stat || continue
    pid=${{line%% *}}
    set -- ${{line##*) }}
    if [ "$2" = "$master" ]; then echo "$pid"; fi
  done
}}
old=" $(workers | tr '\\n' ' ')"
{nginx} -s reload
fresh() {{
  for pid in $(workers); do
    case "$old" in *" $pid "*) ;; *) return 0 ;; esac
  done
  return 1
}}
left() {{
  for pid in $(workers); do
    case "$old" in *" $pid "*) echo "$pid" ;; esac
  done
}}
tries=600
until fresh; do
  tries=$((tries - 1))
  if [ $tries -eq 0 ]; then exit 5; fi
  sleep 0.05
done
tries=$(($DRAIN * 20))
while [ -n "$(left)" ] && [ $tries -gt 0 ]; do tries=$((tries - 1)); sleep 0.05; done
left | wc -l
"""


def place(options: Mapping[str, Any], host: Host) -> Host:
    """Return the host that a deployed host's nginx runs on."""
    given = options.get("host")
    if not given:
        return host
    user, address, port = split(str(given))
    return Host(str(given), user, address, port)


@dataclass(frozen=True, slots=True)
class Nginx:
    """One host's file at its proxy."""

    connection: HostConnection
    options: Mapping[str, Any]
    target: Wanted

    @property
    def _file(self) -> str:
        return self.target.fill(str(self.options["file"]))

    @property
    def _command(self) -> str:
        return shlex.join(str(word) for word in self.options.get("command") or ["nginx"])

    def live_port(self) -> int | None:
        """Return the port that the file names; None when it names none of this host's address."""
        read = self._capture(_READ, {})
        if read.code != 0:
            raise self._failed("cannot be read", read)
        match = re.search(r"^\s*server\s+(\S+):(\d+)\s*;", read.out, re.MULTILINE)
        return int(match[2]) if match else None

    def switch(self, port: int) -> None:
        """Name another container in the file, after nginx found the whole configuration good."""
        self._write(f"the live container of {self.target.service}", f"{port}")

    def withdraw(self, port: int) -> None:
        """Have the file name no container; a server that is down keeps nginx's upstream valid."""
        self._write(f"there is no container of {self.target.service}", f"{port} down")

    def _write(self, what: str, port: str) -> None:
        text = (
            f"# Written by runbook: {what} on "
            f"{self.target.host}.\nserver {_shown(self.target.address)}:{port};\n"
        )
        done = self._capture(_SWITCH.format(nginx=self._command), {"TEXT": text})
        if done.code != 0:
            what = (
                "is refused by nginx -t, so it was put back as it was"
                if done.code == 4
                else ("cannot be replaced")
            )
            raise self._failed(what, done)

    def reload(self, context: Context) -> None:
        """Have nginx take the file, and wait for its old workers to finish their requests."""
        drain = max(1, round(self.target.seconds("proxy", "drain", default="30s")))
        values = {
            "PID_FILE": str(self.options.get("pid_file") or "/run/nginx.pid"),
            "DRAIN": str(drain),
        }
        done = self._capture(_RELOAD.format(nginx=self._command), values)
        if done.code == 5:
            raise ActionFailed(
                f"nginx at {self.connection.target.name} did not take its new configuration: no "
                "new worker came. Its error log says why. The old container still serves.",
                effect="partial",
            )
        if done.code != 0:
            raise self._failed("is in place, but nginx could not be reloaded", done, "partial")
        left = int(done.out.split()[-1])
        if left:
            context.log(
                f"{self.target.host}: {left} old workers of nginx still serve after {drain} s; "
                "going on"
            )

    def _capture(self, script: str, values: Mapping[str, str]) -> Captured:
        return capture(self.connection, script, {"FILE": self._file, **values})

    def _failed(self, what: str, said: Captured, effect: Effect = "none") -> ActionFailed:
        name = self.connection.target.name
        if said.code is None:
            return ActionFailed(
                f"The connection to {name} was lost while its proxy was being switched.",
                unknown=True,
                cause="connection",
            )
        return ActionFailed(
            f"The file {self._file} at {name} {what}: {said.words()}.", effect=effect
        )


def _shown(address: str) -> str:
    return f"[{address}]" if ":" in address else address
