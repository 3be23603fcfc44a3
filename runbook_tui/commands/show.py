"""`runbook show`."""

from __future__ import annotations

import json
from typing import Any

import click


@click.command()
@click.argument("run")
@click.option("--json", "as_json", is_flag=True, help="The whole run as one object.")
def command(run: str, as_json: bool) -> None:
    """Show a run: how each step stands, and what proves it."""
    from runbook_tui.commands.find import run_state
    from runbook_tui.commands.place import reader
    from runbook_tui.report.show import show

    with reader() as store:
        found = show(run_state(store.journal, run), store)
    if as_json:
        click.echo(json.dumps(found, indent=1, ensure_ascii=False))
        return
    for line in _lines(found):
        click.echo(line)


def _lines(found: dict[str, Any]) -> list[str]:
    from runbook_tui.definition.problems import visible

    head = f"{found['runbook']} · run {found['run']} · {found['environment'] or 'no environment'}"
    lines = [
        head,
        f"{found['status']} · started {found['started_at'][:19]}Z by {found['operator']}",
    ]
    lines += _definition(found)
    lines += [found["origin"]] if found["origin"] else []
    phase = None
    for step in found["steps"]:
        if step["phase"] != phase:
            phase = step["phase"]
            lines += ["", phase]
        lines.append(_step(step))
    return [visible(line) for line in lines]


def _definition(found: dict[str, Any]) -> list[str]:
    """Say by which definition the run goes, and which programs drove it, where that tells much."""
    lines = [] if found["adopted"] else ["definition: as at the start"]
    if found["adopted"]:
        last = found["adopted"][-1]
        changed = ", ".join(last["changed"])
        lines.append(f"definition: changed on {last['at'][:19]}Z by {last['operator']} ({changed})")
        lines.append("            what had begun by then keeps the one before")
    program = found["program"]
    if program["began"] != program["last"]:
        lines.append(f"program: began with {program['began']}, driven last by {program['last']}")
    return lines


def _step(step: dict[str, Any]) -> str:
    refs = f" [{', '.join(step['refs'])}]" if step["refs"] else ""
    words = [step["status"]]
    if step["proof"]:
        words.append("by a person" if step["proof"] == "person" else "proven")
    words += ["found done"] if step["adopted"] else []
    tries = len(step["attempts"])
    words += [f"{tries} tries"] if tries > 1 else []
    words += [step["reason"]] if step["reason"] else []
    return f"  {step['id']:<24} {step['name']}{refs}: {', '.join(words)}"
