"""What is wrong with a definition: where, what was expected, and the nearest valid word."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One finding in a file. `line` and `column` count from 1, in characters.

    `text` is the offending line, as read. The words of the first seven fields are the command
    line's contract (`lint --json`).
    """

    file: str
    line: int
    column: int
    severity: Severity
    code: str
    message: str
    hint: str = ""
    text: str = ""

    def show(self) -> str:
        """Return the problem for people: the place, the sentence, the line with a caret, the hint.

        Control characters of the line are made visible, so that the text is safe to print.
        """
        head = f"{self.file}:{self.line}:{self.column}: {self.severity}: {self.message}"
        lines = [head]
        if self.text.strip():
            shown, caret = _window(self.text, self.column)
            number = str(self.line).rjust(5)
            lines += [f"{number} | {shown}", f"      | {' ' * caret}^"]
        if self.hint:
            lines.append(f"        {self.hint}")
        return "\n".join(visible(line) for line in lines)

    def data(self) -> dict[str, str | int]:
        """Return the fields of `lint --json`, in the order of the contract."""
        return {
            "file": self.file,
            "line": self.line,
            "column": self.column,
            "severity": self.severity,
            "code": self.code,
            "message": visible(self.message),
            "hint": visible(self.hint),
        }


class DefinitionError(Exception):
    """A definition cannot be used. `problems` holds all that was found, warnings included."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(problem.show() for problem in self.problems))


class UsageProblem(Exception):  # noqa: N818 - it is a problem of usage, in the words of the program
    """The definition is fine, but what it was asked to do is not: exit code 2."""

    def __init__(self, sentence: str, advice: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.advice = advice


def nearest(word: str, words: Iterable[str]) -> str | None:
    """Return the known word that a misspelt one most likely stands for, or None."""
    known = {known.lower(): known for known in words}
    found = difflib.get_close_matches(word.lower(), known, n=1, cutoff=0.6)
    return known[found[0]] if found else None


def did_you_mean(word: str, words: Sequence[str]) -> str:
    """Return the advice for an unknown word: the nearest known one, or all when they are few."""
    if near := nearest(word, words):
        return f'did you mean "{near}"?'
    if 0 < len(words) <= 12:
        return f"known: {', '.join(words)}"
    return ""


def counted(problems: Sequence[Problem]) -> str:
    """Return how many there are of each kind: `2 errors, 1 warning`."""
    numbers = {kind: sum(one.severity == kind for one in problems) for kind in ("error", "warning")}
    words = [f"{number} {kind}{'s' * (number != 1)}" for kind, number in numbers.items() if number]
    return ", ".join(words)


def visible(text: str) -> str:
    """Return text with control, bidirectional and other invisible characters written as escapes."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else f"\\u{ord(char):04x}" for char in text)


def _window(text: str, column: int, width: int = 100) -> tuple[str, int]:
    """Cut a long line around the column; return it and where the caret goes (from 0)."""
    text = text.expandtabs(1)
    start = 0 if column < width else column - width // 2
    shown = text[start : start + width]
    before = visible(shown[: column - 1 - start])
    return shown, len(before)
