"""One host's part of an attached `ssh` step: when the connection ends, so does what is known."""

from __future__ import annotations

from collections.abc import Callable

from runbook_tui.actions.api import ActionFailed, Host, Job, values_on
from runbook_tui.actions.shared import output_file
from runbook_tui.actions.shared.host_lines import HostLines
from runbook_tui.actions.shared.remote_script import RemoteScript
from runbook_tui.actions.shared.ssh_connection import HostConnection, connect
from runbook_tui.actions.ssh import part as parts
from runbook_tui.actions.ssh.part import Part, State, judged


def run(job: Job, host: Host, lines: HostLines, stopping: Callable[[], bool]) -> Part:
    """Run the job's script on one host."""
    timeout = float(job.options.get("connect_timeout") or 15)
    try:
        connection = connect(host, job.ssh_config, timeout)
    except ActionFailed as fault:
        return Part(host.name, State.FAILED, fault.sentence, acted=False, cause=fault.cause)
    try:
        for note in connection.target.notes:
            lines.log(f"note: {note}")
        return _with_script(job, host, RemoteScript(connection), lines, stopping)
    finally:
        lines.finish()
        connection.close()


def _with_script(
    job: Job, host: Host, script: RemoteScript, lines: HostLines, stopping: Callable[[], bool]
) -> Part:
    why = script.prepare()
    if why is not None:
        words = f"{host.name} has no place for a private folder: {why}."
        return Part(host.name, State.FAILED, words, acted=False)
    about = {"RUNBOOK_RUN": job.run, "RUNBOOK_STEP": job.step, "RUNBOOK_HOST": host.name}
    code = script.run(
        str(job.options["script"]),
        shell=str(job.options.get("shell") or "bash"),
        cwd=job.options.get("cwd"),
        variables={**values_on(host, job.variables), **about},
        secret_files=job.secret_files,
        output=lines.feed,
        stop=stopping,
    )
    if code is None:
        return _without_code(host, script, stopping)
    data = script.outputs(output_file.LIMIT + 1) if job.options.get("outputs") else None
    part = judged(job, host.name, code, data)
    script.close()
    return part


def _without_code(host: Host, script: RemoteScript, stopping: Callable[[], bool]) -> Part:
    connection: HostConnection = script.connection
    if not connection.alive():
        words = (
            f"The connection to {host.name} was lost while the script ran there, so nobody here "
            "knows how it ended; it may still run."
        )
        return Part(host.name, State.UNKNOWN, words)
    if not stopping():
        script.close()
        words = f"The script on {host.name} was ended by a signal, so what it left is not known."
        return Part(host.name, State.UNKNOWN, words)
    if script.end(parts.GRACES):
        script.close()
        return Part(host.name, State.UNKNOWN, f"Stopped on {host.name}.", stopped=True)
    words = f"The script on {host.name} could not be stopped for certain; it may still run."
    return Part(host.name, State.UNKNOWN, words)
