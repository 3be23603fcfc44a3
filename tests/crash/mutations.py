"""Guards taken away one by one, in a copy of the program, and the cells that must then fail.

A matrix that stays green without a guard proves nothing about it.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from tests.crash import cells
from tests.crash.cells import Cell
from tests.crash.running import CHECKOUT, Matrix

_PACKAGES: Final = ("runbook_tui", "state", "widgets", "runbooks")


@dataclass(frozen=True, slots=True)
class Edit:
    """A text of a file, which must be there once, and what stands there instead."""

    file: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Mutation:
    """A guard that is gone, and a cell that bites without it."""

    name: str
    edits: tuple[Edit, ...]
    cell: Cell


MUTATIONS: Final = (
    Mutation(
        "a worker acts although its attempt was declared void",
        (
            Edit(
                "runbook_tui/engine/worker.py",
                "    if not attempt.claim_worker():\n        return\n",
                "    attempt.claim_worker()\n",
            ),
        ),
        Cell("run", "worker.before-claim", "late"),
    ),
    Mutation(
        "a claim is not brought to the disk",
        (
            Edit(
                "state/stores/attempt_dir.py",
                "        sync_directory(self.path)\n        return True\n",
                "        return True\n",
            ),
        ),
        Cell("run-verified", "worker.after-act", "power"),
    ),
    Mutation(
        "a result is not brought to the disk",
        (
            Edit(
                "state/stores/attempt_dir.py",
                "dump_result(result), sync=True)",
                "dump_result(result), sync=False)",
            ),
        ),
        Cell("run", "worker.after-result", "power"),
    ),
    Mutation(
        "the intent is not brought to the disk",
        (
            Edit("state/stores/sqlite_open.py", "synchronous = FULL", "synchronous = OFF"),
            Edit("state/stores/sqlite_open.py", ' or _pragma(database, "synchronous")', " and 2"),
        ),
        Cell("run-verified", "worker.after-act", "power"),
    ),
    Mutation(
        "the worker is started before its intent is journaled",
        (
            Edit(
                "runbook_tui/engine/beginning.py",
                "        self._recorder.record(attempt_events.intent(step, attempt))\n"
                '        faults.reach("driver.after-intent", step.id)\n',
                "",
            ),
            Edit(
                "runbook_tui/engine/beginning.py",
                '        faults.reach("driver.after-spawn", step.id)\n',
                '        faults.reach("driver.after-spawn", step.id)\n'
                "        self._recorder.record(attempt_events.intent(step, attempt))\n",
            ),
        ),
        Cell("run", "worker.after-act", "driver"),
    ),
    Mutation(
        "nobody looks before a step runs again",
        (
            Edit(
                "runbook_tui/engine/recovery.py",
                'if found.directory and (found.claim is None or found.claim == "void"):',
                "if found.directory:",
            ),
        ),
        Cell("run-verified", "worker.after-act", "both"),
    ),
    Mutation(
        "a worker that lives is taken for dead",
        (
            Edit(
                "runbook_tui/engine/attempts.py",
                "alive = attempt.boot == boot_id() and directory.live().alive",
                "alive = False",
            ),
        ),
        Cell("run", "worker.before-act", "late"),
    ),
    Mutation(
        "an announcement leaves no mark, neither before its first byte nor after its answer",
        (
            Edit(
                "runbook_tui/actions/announce/perform.py",
                "        marks.write(context.directory, marks.SENDING)\n",
                "",
            ),
            Edit(
                "runbook_tui/actions/announce/perform.py",
                "    marks.write_outputs(context.directory, marks.SENT, ",
                "    print(",
            ),
        ),
        Cell("announce", "worker.after-act", "both"),
    ),
    Mutation(
        "a migration's row is written after its transaction",
        (
            Edit(
                "runbook_tui/actions/migrate/apply.py",
                "            self.ledger.add(migration, self.job, applied=True)\n",
                "",
            ),
            Edit(
                "runbook_tui/actions/migrate/apply.py",
                "        self.done += 1\n",
                "        if migration.transaction:\n"
                "            self.ledger.add(migration, self.job, applied=True)\n"
                "        self.done += 1\n",
            ),
        ),
        Cell("migrate", "migrate.committed", "both"),
    ),
    Mutation(
        "a statement that writes does not keep its transaction's number",
        (
            Edit(
                "runbook_tui/actions/sql/perform.py",
                'marks.write(context.directory, marks.XID, str(row[0]) if row else "")',
                "pass",
            ),
        ),
        Cell("sql", "sql.committed", "both"),
    ),
    Mutation(
        "a tag that an earlier try made here is not looked for",
        (
            Edit(
                "runbook_tui/actions/tag/perform.py",
                "    if there is not None:\n",
                "    if False:\n",
            ),
        ),
        Cell("tag", "tag.made", "both"),
    ),
    Mutation(
        "a tag is not brought to the disk of the repository that it is made in",
        (
            Edit("runbook_tui/actions/shared/git.py", "=committed,reference", "=none"),
            Edit("runbook_tui/actions/shared/git.py", "sync_directory(place.parent)", "pass"),
        ),
        Cell("tag", "worker.after-act", "power"),
    ),
    Mutation(
        "a file that one host has counts for all of them",
        (
            Edit(
                "runbook_tui/actions/copy/perform.py",
                "    if missing:\n",
                "    if missing and not fitting:\n",
            ),
        ),
        Cell("copy", "copy.placed", "both"),
    ),
    Mutation(
        "an image that an earlier try built and did not name is not looked for",
        (
            Edit(
                "runbook_tui/actions/build/perform.py",
                "_left(job, context, client) or _anew(",
                "_anew(",
            ),
        ),
        Cell("build", "build.built", "both"),
    ),
)


def survivors(matrix: Matrix, folder: Path, chosen: Sequence[Mutation] = MUTATIONS) -> list[str]:
    """Try mutations in copies of the program below a folder; return those that no cell noticed."""
    expected = cells.expected()
    unnoticed = []
    for number, mutation in enumerate(chosen):
        mutated = replace(matrix, code=_mutated(mutation, folder / f"code-{number}"))
        try:
            mutated.run(mutation.cell, expected[mutation.cell])
        except AssertionError as problem:
            why = str(problem).splitlines()[0]
            print(f"noticed   {mutation.name}\n          {why}", flush=True)
        else:
            unnoticed.append(f"NOT NOTICED by {mutation.cell}: {mutation.name}")
            print(unnoticed[-1], flush=True)
    return unnoticed


def applies(edit: Edit) -> bool:
    """Tell whether the program still has the text that is to be replaced, once."""
    return (CHECKOUT / edit.file).read_text().count(edit.old) == 1


def _mutated(mutation: Mutation, code: Path) -> Path:
    for package in _PACKAGES:
        shutil.copytree(
            CHECKOUT / package, code / package, ignore=shutil.ignore_patterns("__pycache__")
        )
    for edit in mutation.edits:
        assert applies(edit), f"{mutation.name}: {edit.file} has changed"
        file = code / edit.file
        file.write_text(file.read_text().replace(edit.old, edit.new))
    return code
