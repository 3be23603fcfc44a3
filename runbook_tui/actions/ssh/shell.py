"""The shell texts by which a script runs detached on a host and keeps a record of itself there.

A record is a private folder:

    script runner   what runs, and what runs it
    guard           `started` or `void`; made once, so whoever makes it decides whether it runs
    main            line of /proc/PID/stat of the session's leader, and the id of the boot
    out err output  what it wrote, and what it hands on
    memory          the folder, in memory where there is one, in which its values lie
    rc              exit code, there only when all the rest is on disk

Every text is one function that is called in its last line, so that a text cut off on its way does
nothing at all. `$NAME` is the record's name.
"""

from __future__ import annotations

from typing import Final, Literal

Stream = Literal["stdout", "stderr"]
GONE, DIED, ORPHANED = 21, 22, 23
"""Exit codes of TAIL: the record is gone; nobody runs any more and there is no exit code; nobody
listens."""

_RUNNER: Final = """\
record=$1 memory=$2 mask=$3
trap : INT TERM HUP
umask 077
read -r line </proc/$$/stat
read -r boot </proc/sys/kernel/random/boot_id
printf '%s\\n%s\\n' "$line" "$boot" >"$record/main.tmp"
mv "$record/main.tmp" "$record/main"
: >"$record/out"
: >"$record/err"
(
  umask "$mask"
  . "$memory/values"
  rm -f -- "$memory/values"
  cd -- "${RUNBOOK_CWD:-.}" || exit 1
  unset RUNBOOK_CWD
  exec SHELL -c 'eval "$(cat)" </dev/null' runbook <"$record/script"
) </dev/null >>"$record/out" 2>>"$record/err"
code=$?
rm -rf -- "$memory"
printf '%s\\n' "$code" >"$record/rc.tmp"
sync "$record/out" "$record/err" "$record/rc.tmp" 2>/dev/null || sync
mv "$record/rc.tmp" "$record/rc"
sync "$record" 2>/dev/null || :
"""

# The state folder outlives a logout and a restart; a runtime folder may go with the connection.
_FIND: Final = """
home=${XDG_STATE_HOME:-}
case $home in /*) ;; *) home=${HOME:+$HOME/.local/state} ;; esac
other=/var/tmp/runbook-$(id -u)
private() {
  set -- "$1" $(ls -ldn -- "$1" 2>/dev/null)
  if [ $# -lt 4 ]; then why="$1 cannot be looked at"; return 1; fi
  case $2 in d*) ;; *) why="$1 is no folder"; return 1 ;; esac
  if [ "$4" != "$(id -u)" ]; then why="$1 belongs to somebody else (user $4)"; return 1; fi
  case $2 in
    drwx------|drwx------.) ;;
    *) why="$1 is open to others ($2): chmod 700 it"; return 1 ;;
  esac
}
find_record() {
  for base in ${home:+"$home/runbook-remote"} "$other"; do
    if [ -e "$base" ] && ! private "$base"; then return 2; fi
    [ -e "$base/$NAME" ] || continue
    private "$base/$NAME" || return 2
    D=$base/$NAME
    return 0
  done
  return 1
}
"""

PREPARE: Final = """
command -v setsid >/dev/null && setsid -f true 2>/dev/null || {
  echo 'it has no setsid -f (util-linux); use attached: true' >&2; exit 3; }
umask 077
D= why=
find_record && found=0 || found=$?
if [ $found = 2 ]; then echo "$why" >&2; exit 3; fi
if [ $found = 1 ]; then
  for base in ${home:+"$home/runbook-remote"} "$other"; do
    mkdir -p -- "$base" 2>/dev/null || continue
    if ! private "$base"; then echo "$why" >&2; exit 3; fi
    if mkdir -- "$base/$NAME" 2>/dev/null; then D=$base/$NAME; break; fi
  done
fi
if [ -n "$D" ] && [ -e "$D/guard" ]; then printf '%s\\n-\\n' "$D"; exit 0; fi
if [ -z "$D" ]; then echo "neither $home nor /var/tmp can be written to" >&2; exit 3; fi
M=
if [ -r "$D/memory" ]; then read -r M <"$D/memory"; fi
if [ -z "$M" ] || [ ! -d "$M" ]; then
  kind=
  while read -r _ place type _; do
    if [ "$place" = /dev/shm ]; then kind=$type; fi
  done </proc/mounts
  if [ "$kind" = tmpfs ] && [ -w /dev/shm ]; then M=$(mktemp -d /dev/shm/runbook.XXXXXXXX)
  else M=$D/values; mkdir -p -- "$M"
  fi
  printf '%s\\n' "$M" >"$D/memory"
fi
printf %s "$SCRIPT" >"$D/script"
printf %s "$RUNNER" >"$D/runner"
printf '%s\\n%s\\n' "$D" "$M"
"""

START: Final = """
mask=$(umask)
umask 077
printf %s "$VALUES" >"$M/values.$$"
set -C
if ! { echo started >"$D/guard"; } 2>/dev/null; then
  rm -f -- "$M/values.$$"
  read -r was <"$D/guard"
  echo "$was"
  exit 0
fi
set +C
sync "$D/guard" "$D" 2>/dev/null || sync
mv -- "$M/values.$$" "$M/values"
setsid -f sh "$D/runner" "$D" "$M" "$mask" </dev/null >/dev/null 2>&1
echo started
"""

# Field 22 of /proc/PID/stat, the start time, is the 20th behind the last bracket; 6 is the session.
# A leader that was killed may have left others of its session at work.
_ALIVE: Final = """
alive() {
  { read -r line && read -r boot; } <"$D/main" || return 1
  read -r now </proc/sys/kernel/random/boot_id
  [ "$boot" = "$now" ] || return 1
  main=${line%% *}
  set -- ${line##*) }
  start=${20}
  if read -r now 2>/dev/null </proc/$main/stat; then
    set -- ${now##*) }
    if [ "${20}" = "$start" ]; then [ "$1" != Z ]; return; fi
    return 1
  fi
  for stat in /proc/[0-9]*/stat; do
    read -r now 2>/dev/null <$stat || continue
    set -- ${now##*) }
    if [ "$4" = "$main" ] && [ "$1" != Z ]; then return 0; fi
  done
  return 1
}
"""

LOOK: Final = """
umask 077
D= why=
find_record && found=0 || found=$?
if [ $found = 1 ]; then echo none; exit 0; fi
if [ $found = 2 ]; then echo "refused $why"; exit 0; fi
if [ ! -e "$D/guard" ]; then
  if [ -z "$VOID" ]; then echo made; exit 0; fi
  set -C
  { echo void >"$D/guard"; } 2>/dev/null || :
  set +C
fi
was=
read -r was <"$D/guard" || :
if [ "$was" = void ]; then echo void; exit 0; fi
tries=0
while [ ! -e "$D/main" ] && [ $tries -lt 50 ]; do sleep 0.1; tries=$((tries + 1)); done
stands=died
if alive 2>/dev/null; then stands=running; fi
if [ -e "$D/rc" ]; then read -r code <"$D/rc"; stands="ended $code"; fi
out=0 err=0
if [ -e "$D/err" ]; then set -- $(wc -c "$D/out" "$D/err"); out=$1 err=$3; fi
echo "$stands"
echo "$out $err"
"""

TAIL: Final = f"""
D= why=
find_record && cd -- "$D" 2>/dev/null || exit {GONE}
parent=$PPID pause=05 waited=0
while :; do
  ended=
  if [ -e rc ]; then ended=1; fi
  out=0 err=0
  if [ -e err ]; then
    set -- $(wc -c out err 2>/dev/null)
    if [ $# -lt 3 ]; then exit {GONE}; fi
    out=$1 err=$3
  fi
  moved=
  if [ "$out" -gt "$O" ]; then
    tail -c +$((O + 1)) out | head -c $((out - O)); O=$out; moved=1
  fi
  if [ "$err" -gt "$E" ]; then
    tail -c +$((E + 1)) err | head -c $((err - E)) >&2; E=$err; moved=1
  fi
  if [ -n "$ended" ]; then exit 0; fi
  if [ ! -e guard ]; then exit {GONE}; fi
  if [ -n "$moved" ]; then pause=05
  elif [ ! -e main ]; then
    waited=$((waited + 1))
    if [ $waited -gt 100 ]; then exit {DIED}; fi
  elif ! alive 2>/dev/null; then
    if [ -e rc ]; then continue; fi
    exit {DIED}
  fi
  kill -0 "$parent" 2>/dev/null || exit {ORPHANED}
  sleep 0.$pause
  case $pause in 05) pause=1 ;; 1) pause=2 ;; 2) pause=3 ;; 3) pause=5 ;; *) pause=8 ;; esac
done
"""

FETCH: Final = f"""
D= why=
find_record && cd -- "$D" 2>/dev/null || exit {GONE}
if [ -e out ]; then tail -c +$((O + 1)) out; fi
if [ -e err ]; then tail -c +$((E + 1)) err >&2; fi
"""

OUTPUTS: Final = """
D= why=
find_record || exit 1
if [ -e "$D/output" ]; then head -c "$LIMIT" "$D/output"; fi
"""

REMOVE: Final = """
D= why= M=
find_record || exit 0
if [ -r "$D/memory" ]; then read -r M <"$D/memory"; fi
case $M in /dev/shm/runbook.*) rm -rf -- "$M" ;; esac
rm -rf -- "$D"
"""


def runner(shell_line: str) -> str:
    """Return what runs the script with a shell."""
    return _RUNNER.replace("SHELL", shell_line)


def whole(body: str, setting: str) -> str:
    """Return a text that does nothing unless all of it arrives. `setting` sets its variables."""
    return f"main() {{\n{setting}\n{_FIND}{_ALIVE}{body}\n}}\nmain\n"
