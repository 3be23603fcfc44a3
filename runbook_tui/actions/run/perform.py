"""Runs a script or a program. The script lies in the attempt's directory: it holds no value."""

from __future__ import annotations

import os
import shlex
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from runbook_tui.actions.api import ActionFailed, Context, Evidence, Exit, Finding, Job, Outcome
from runbook_tui.actions.shared import output_file, secret_files
from runbook_tui.actions.shared.secrecy import first_with_secret
from state.status import Verdict

STRICT = {"bash": ("bash", "-euo", "pipefail"), "sh": ("sh", "-eu")}
"""What a shell's plain name stands for."""

_THE_SCRIPT: Final = "The script"
_VALUE: Final = "${RUNBOOK_V_"
"""How a value stands in a script (`definition/script.py` puts it there)."""


def perform(job: Job, context: Context) -> Outcome:
    """Run the script or argv; fails unless it exits with 0 and hands on what it declared."""
    options = job.options
    argv = _argv(options, context.directory)
    _refuse_secrets(argv, job.secrets)
    path = context.directory / "outputs"
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    try:
        with secret_files.written(job.secret_files, context.directory) as files:
            ended = _start(job, context, argv, {**files, "RUNBOOK_OUTPUT": str(path)})
        _judge(ended, shown(options))
        outputs = _outputs(path, options.get("outputs") or (), job.secrets)
    finally:
        path.unlink(missing_ok=True)
    return Outcome(outputs=outputs, evidence=(evidence(ended, shown(options)),))


def probe(job: Job, context: Context) -> Finding:
    """Only the author's `verify` can tell what a script did."""
    return Finding(Verdict.UNKNOWN, "A script leaves no mark of its own to look for.")


def shown(options: Mapping[str, Any]) -> str:
    """Return the command in a few words: the argv, or the first line of the script.

    A line with a value in it holds the name of a variable of ours there, which tells nobody much.
    """
    if options.get("argv"):
        return shlex.join(options["argv"])
    lines = (line.strip() for line in str(options["script"]).splitlines())
    first = next((line for line in lines if line and not line.startswith("#")), _THE_SCRIPT)
    return _THE_SCRIPT if _VALUE in first else first


def evidence(ended: Exit, command: str) -> Evidence:
    """Return the exit as evidence."""
    note = f" ({ended.note})" if ended.note else ""
    summary = f"exit code {ended.code}{note}"
    return Evidence("exit", summary, {"code": ended.code, "command": command})


def _argv(options: Mapping[str, Any], directory: Path) -> list[str]:
    if options.get("argv"):
        return [str(item) for item in options["argv"]]
    script = directory / "script"
    descriptor = os.open(script, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(str(options["script"]).rstrip("\n") + "\n")
    words = shlex.split(options.get("shell") or "bash")
    strict = STRICT.get(words[0]) if len(words) == 1 else None
    return [*(strict or words), str(script)]


def _refuse_secrets(argv: Sequence[str], secrets: Sequence[str]) -> None:
    if (number := first_with_secret(argv, secrets)) is not None:
        raise ActionFailed(
            f"Argument {number} of the command contains a secret, and arguments can be read by "
            "every user of the machine. Hand it on by env, stdin or secret_files.",
            effect="none",
        )


def _start(job: Job, context: Context, argv: Sequence[str], ours: Mapping[str, str]) -> Exit:
    options = job.options
    cwd = Path(job.cwd) / (options.get("cwd") or "")
    if not cwd.is_dir():
        raise ActionFailed(f"The directory {cwd} to run in does not exist.", effect="none")
    env = {**job.variables, **(options.get("env") or {})}
    env |= {**ours, "RUNBOOK_RUN": job.run, "RUNBOOK_STEP": job.step}
    stdin = options.get("stdin")
    try:
        return context.run(
            argv,
            env=env,
            cwd=str(cwd),
            stdin=stdin.encode() if stdin is not None else None,
            pty=bool(options.get("pty")),
        )
    except OSError as fault:
        raise ActionFailed(
            f"{argv[0]} could not be started: {fault.strerror or fault}.", effect="none"
        ) from fault


def _judge(ended: Exit, command: str) -> None:
    if ended.code == 0:
        return
    if ended.signal is not None:
        name = signal.Signals(ended.signal).name
        raise ActionFailed(f"{command} was ended by {name}{_note(ended)}.", evidence=())
    raise ActionFailed(
        f"{command} ended with exit code {ended.code}{_note(ended)}.",
        exit_code=ended.code,
        evidence=(evidence(ended, command),),
    )


def _note(ended: Exit) -> str:
    return f": {ended.note.rstrip('.')}" if ended.note else ""


def _outputs(
    path: Path, declared: Sequence[str] | Mapping[str, Any], secrets: Sequence[str]
) -> dict[str, str]:
    try:
        with path.open("rb") as file:
            data = file.read(output_file.LIMIT + 1)
    except FileNotFoundError:  # somebody removed it: nothing is handed on
        data = b""
    try:
        return output_file.read(data, declared, secrets)
    except output_file.OutputError as fault:
        raise ActionFailed(f"The script ran, but: {fault}", exit_code=0) from fault
