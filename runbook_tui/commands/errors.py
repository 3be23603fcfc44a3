"""What an exception means to the person at the terminal: a sentence, advice, an exit code."""

from __future__ import annotations

from dataclasses import dataclass

from runbook_tui import exits
from runbook_tui.definition.problems import DefinitionError, UsageProblem, counted, visible
from runbook_tui.engine.environments_in_use import InUse
from runbook_tui.engine.ports import WorkerStartError
from runbook_tui.sandbox.errors import SandboxError
from runbook_tui.secrets import SecretError
from state.errors import CodecError, FoldError, ImportedRun, NewerRecord, StoreError


@dataclass(frozen=True, slots=True)
class Told:
    """What is printed, and the exit code."""

    text: str
    code: int


def explain(problem: Exception) -> Told:
    """Return what to say about an exception; one that nobody foresaw is a fault of ours."""
    if isinstance(problem, DefinitionError):
        shown = "\n".join(one.show() for one in problem.problems)
        return Told(f"{shown}\n{counted(problem.problems)}", exits.USAGE)
    if isinstance(problem, StoreError):
        return _told(problem.sentence, problem.advice, exits.STORE)
    if isinstance(problem, InUse):
        return _told(problem.sentence, problem.advice, exits.IN_USE)
    if isinstance(problem, UsageProblem | ImportedRun | SandboxError | SecretError):
        return _told(problem.sentence, problem.advice, exits.USAGE)
    if isinstance(problem, CodecError | FoldError):
        newer = isinstance(problem, NewerRecord)
        run = problem.run if isinstance(problem, FoldError) else "RUN"
        advice = "Use the newer program" if newer else f"Look with: runbook audit {run}"
        return _told(f"The journal cannot be read: {problem}", advice, exits.STORE)
    if isinstance(problem, WorkerStartError):
        return _told(problem.sentence, "Look at the machine's memory and processes.", exits.FAILED)
    if isinstance(problem, OSError):
        what = f"{problem.strerror or problem}"
        where = f": {problem.filename}" if problem.filename else ""
        return _told(f"{what}{where}", "Mend that and try again.", exits.USAGE)
    sentence = f"This is a fault in the program: {type(problem).__name__}: {problem}"
    return _told(sentence, "Run the same with --debug first to see where.", exits.FAILED)


def _told(sentence: str, advice: str, code: int) -> Told:
    ended = sentence if sentence.endswith((".", "?", ":")) else f"{sentence}."
    advised = advice if not advice or advice.endswith((".", "?")) else f"{advice}."
    advised = advised[:1].upper() + advised[1:]
    lines = [visible(line) for line in ended.splitlines()]
    return Told("\n".join([*lines, visible(advised)] if advised else lines), code)
