"""The first look at a file's bytes, before any YAML: size, encoding, characters.

libyaml gives no position for what is wrong here, and crashes on some of it.
"""

from __future__ import annotations

import codecs
import re
from functools import cached_property
from itertools import islice

from runbook_tui.definition.problems import DefinitionError, Problem, Severity

MAX_BYTES = 4 * 1024 * 1024
MAX_TOLD = 20
"""How many characters of one kind are told."""

_BREAK = re.compile(r"\r\n|\n|\r")
_FORBIDDEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff\ud800-\udfff]"
)
_BIDI = re.compile("[\u202a-\u202e\u2066-\u2069\u200b\u2060]")
_OTHER_ENCODINGS = (
    (codecs.BOM_UTF32_LE, "UTF-32"),
    (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
)


class Source:
    """A file's text, with what is needed to point into it. `name` is what problems call it."""

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self.text = text

    @cached_property
    def lines(self) -> list[str]:
        """The lines without their ends."""
        return _BREAK.split(self.text)

    @cached_property
    def starts(self) -> list[int]:
        """The offset of each line's first character."""
        return [0, *(match.end() for match in _BREAK.finditer(self.text))]

    def problem(
        self,
        line: int,
        column: int,
        code: str,
        message: str,
        hint: str = "",
        severity: Severity = "error",
    ) -> Problem:
        """Return a problem at a line and column, both from 0 as libyaml counts."""
        text = self.lines[line] if line < len(self.lines) else ""
        return Problem(self.name, line + 1, column + 1, severity, code, message, hint, text)

    def place(self, offset: int) -> tuple[int, int]:
        """Return line and column, from 0, of a character offset."""
        before = self.text[:offset]
        line = len(_BREAK.findall(before))
        last = max(before.rfind("\n"), before.rfind("\r"))
        return line, offset - last - 1


def scan(name: str, data: bytes) -> tuple[Source, list[Problem]]:
    """Decode a file and refuse what no runbook may hold; return it with warnings.

    Raises DefinitionError for more than 4 MB, another encoding than UTF-8, control characters,
    byte order marks in the middle and line separators that editors do not count as lines.
    """
    if len(data) > MAX_BYTES:
        said = f"the file has {len(data):,} bytes; {MAX_BYTES:,} are the most that is read"
        raise DefinitionError([Problem(name, 1, 1, "error", "too-large", said)])
    for mark, encoding in _OTHER_ENCODINGS:
        if data.startswith(mark):
            said = f"the file is {encoding}, not UTF-8"
            raise DefinitionError(
                [Problem(name, 1, 1, "error", "encoding", said, "save it as UTF-8")]
            )
    data = data.removeprefix(codecs.BOM_UTF8)
    try:
        source = Source(name, data.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise DefinitionError([_bad_byte(name, data, error)]) from None
    faults = [
        source.problem(*source.place(match.start()), "control-character", _say(match[0]))
        for match in islice(_FORBIDDEN.finditer(source.text), MAX_TOLD)
    ]
    if faults:
        raise DefinitionError(faults)
    return source, _invisible(source)


def forbidden(text: str) -> str | None:
    """Return what is wrong with a value that came through escapes, or None."""
    match = _FORBIDDEN.search(text)
    return _say(match[0]) if match else None


def _bad_byte(name: str, data: bytes, error: UnicodeDecodeError) -> Problem:
    source = Source(name, data[: error.start].decode("utf-8"))
    line, column = source.place(len(source.text))
    whole = data.splitlines()[line].decode("utf-8", "backslashreplace")
    said = f"byte 0x{data[error.start]:02x} is not UTF-8"
    return Problem(
        name, line + 1, column + 1, "error", "encoding", said, "save the file as UTF-8", whole
    )


def _invisible(source: Source) -> list[Problem]:
    return [
        source.problem(
            *source.place(match.start()),
            "invisible-character",
            f"invisible character U+{ord(match[0]):04X}: what is shown may not be what is run",
            "remove it",
            "warning",
        )
        for match in islice(_BIDI.finditer(source.text), MAX_TOLD)
    ]


def _say(char: str) -> str:
    if char == "\ufeff":
        return "byte order mark (U+FEFF) in the middle of the file"
    if "\ud800" <= char <= "\udfff":
        return f"lone surrogate U+{ord(char):04X}"
    return f"control character U+{ord(char):04X}"
