"""`runbook init`."""

from __future__ import annotations

from pathlib import Path

import click

FIRST = """\
# A first runbook: three steps. Check it with `runbook lint`, start it with `runbook run`.
runbook: My first runbook
version: 1
parameters:
  name: {prompt: Whom to greet, default: world, pattern: '\\w+'}
phases:
  - phase: Try it
    steps:
      # A step that runs a script. Its output is kept; a value becomes an environment variable.
      - id: greet
        name: Greet
        run: echo "hello ${{ name }}"

      # A step that changes something: `verify` tells, after a crash, whether it happened;
      # `undo` takes it back when you roll back.
      - id: write
        name: Write it down
        confirm: ask
        run: echo "hello ${{ name }}" > greeting.txt
        verify: {run: test -e greeting.txt, absent: 1}
        undo: {run: rm -f greeting.txt}

      # A step for a person: what you type goes into the report, under your name.
      - id: read
        name: Read it
        manual: {text: "Does greeting.txt say what it should?"}
"""


@click.command()
@click.argument("file", default="runbooks/first.yaml", type=click.Path(path_type=Path))
def command(file: Path) -> None:
    """Write a first runbook, commented and ready to run."""
    from runbook_tui.definition.problems import UsageProblem

    file.parent.mkdir(parents=True, exist_ok=True)
    try:
        with file.open("x", encoding="utf-8") as new:
            new.write(FIRST)
    except FileExistsError:
        raise UsageProblem(f"{file} is there already", "Name another file") from None
    click.echo(f"Wrote {file}. Start it with: runbook run {file}")
