"""What can be wrong with a journal, in words for the operator."""

from __future__ import annotations


class FoldError(Exception):
    """An event that cannot follow what is recorded. The text says which and why."""

    run: str = "RUN"
    """Whose event it is, where that is known."""


class NewerRecord(FoldError):  # noqa: N818
    """An event of a kind, or with a field, that only a newer program knows."""


class CodecError(Exception):
    """Journal data that this program cannot read. The text says what and where."""


class UnknownHere(CodecError):  # noqa: N818
    """Data with a kind or a field that this program does not know: a newer one does."""


class StoreError(Exception):
    """The state store cannot be used: exit code 6.

    `sentence` says what failed, at what and why; `advice` what to do next.
    """

    def __init__(self, sentence: str, advice: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.advice = advice


class StoreUnusable(StoreError):  # noqa: N818 - it reads as what happened
    """The directory or file cannot be used: owner, mode, kind of file system, permissions."""


class StoreAway(StoreUnusable):
    """The database cannot be reached, for now: what was under way may have been kept, or not."""


class StoreNewer(StoreError):  # noqa: N818
    """A newer program wrote it."""


class StoreFull(StoreError):  # noqa: N818
    """No space is left; what was acknowledged is intact, nothing of the refused write is kept."""


class StoreCorrupt(StoreError):  # noqa: N818
    """The file is damaged, or a record does not fit the one before."""


class RunExists(Exception):  # noqa: N818
    """A run of that id is in the journal already."""


class Overtaken(Exception):  # noqa: N818
    """Somebody else has added to the run since the writer last read it."""


class Fenced(Exception):  # noqa: N818
    """The writer's token is older than the last record's: another driver has taken over."""


class ImportedRun(Exception):  # noqa: N818
    """The run is history (another machine's, or saved): it can be read here, not be added to."""

    def __init__(self, run: str, origin: str) -> None:
        super().__init__(f"run {run} was imported: {origin}")
        self.sentence = f"The run {run} can only be read here: it was {origin}."
        self.advice = "Go on with it where it was driven, or look at what its steps left"
