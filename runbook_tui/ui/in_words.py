"""What the engine raises, as what the screens show: a sentence and what to do next."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from runbook_tui.definition.problems import DefinitionError, UsageProblem
from runbook_tui.engine.environments_in_use import InUse
from runbook_tui.engine.ports import WorkerStartError
from runbook_tui.secrets import SecretError
from runbook_tui.ui.backend import BackendError
from state.errors import CodecError, FoldError, NewerRecord, StoreError


@contextmanager
def in_words() -> Iterator[None]:
    """Raise BackendError for whatever goes wrong in a way that was foreseen."""
    try:
        yield
    except DefinitionError as problem:
        raise _of_definition(problem) from problem
    except (UsageProblem, SecretError, InUse, StoreError) as problem:
        raise BackendError(_whole(problem.sentence), _whole(problem.advice)) from problem
    except WorkerStartError as problem:
        advice = "Look at the machine's memory and processes."
        raise BackendError(problem.sentence, advice) from problem
    except (CodecError, FoldError) as problem:
        newer = isinstance(problem, NewerRecord)
        run = problem.run if isinstance(problem, FoldError) else "RUN"
        advice = "Use the newer program." if newer else f"Look with: runbook audit {run}"
        raise BackendError(f"The journal cannot be read: {problem}.", advice) from problem
    except OSError as problem:
        where = f"{problem.filename}: " if problem.filename else ""
        raise BackendError(_whole(f"{where}{problem.strerror or problem}")) from problem


def _of_definition(problem: DefinitionError) -> BackendError:
    first = problem.problems[0]
    sentence = f"{first.file}:{first.line}:{first.column}: {first.message}"
    more = len(problem.problems) - 1
    also = f"{more} more: runbook lint {first.file}" if more else ""
    hint = first.hint or ""
    return BackendError(_whole(sentence), " ".join(filter(None, (_whole(hint), also))))


def _whole(text: str) -> str:
    """Return a text as a sentence."""
    return text if not text or text.endswith((".", "?", ":")) else f"{text}."
