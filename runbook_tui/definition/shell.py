"""Where in a shell script a reference stands: enough of sh and bash to tell quotes from none.

A reference becomes a variable's expansion, so what matters is what the shell does with one there.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from runbook_tui.definition.references import Ref

Context = Literal["plain", "double", "single", "comment", "heredoc", "quoted heredoc", "arithmetic"]

_ASSIGNMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:\[[^]]*\])?\+?=")
_HEREDOC = re.compile(
    r"<<(?P<dash>-?)[ \t]*(?P<word>(?:\\.|'[^'\n]*'|\"[^\"\n]*\"|[^\s;&|<>()'\"\\])+)"
)
_WORD = re.compile(r"[^\\'\"$`#<;|&()\s]+")
"""Characters that mean nothing outside quotes."""
_QUOTED = re.compile(r"[^\\\"$`]+")
"""Characters that mean nothing inside double quotes."""
_KEYWORDS = frozenset(
    [
        "if",
        "then",
        "else",
        "elif",
        "fi",
        "for",
        "while",
        "until",
        "do",
        "done",
        "case",
        "esac",
        "in",
        "select",
        "function",
        "time",
        "coproc",
        "{",
        "}",
        "!",
    ]
)
_DECLARING = frozenset({"export", "local", "declare", "readonly", "typeset"})


@dataclass(frozen=True, slots=True)
class Placed:
    """A reference with its context and the words of its command so far (the first is its name)."""

    ref: Ref
    context: Context
    words: tuple[str, ...] = ()
    assigns: bool = False
    here_string: bool = False


@dataclass(slots=True)
class _Frame:
    """One level of the script: a command list, a quoted text, or the inside of `${…}`."""

    kind: Literal["plain", "double", "paren", "backtick", "brace", "arithmetic"]
    words: list[str] = field(default_factory=list)
    word: str = ""
    here_string: bool = False


def place(text: str, refs: Sequence[Ref]) -> list[Placed]:
    """Return the references of a script, in order, with where they stand."""
    return _Scanner(text, refs).scan()


class _Scanner:
    def __init__(self, text: str, refs: Sequence[Ref]) -> None:
        self.text = text
        self.refs = {ref.start: ref for ref in refs}
        self.left = sorted(self.refs)
        self.found: list[Placed] = []
        self.stack = [_Frame("plain")]
        self.heredocs: list[tuple[str, bool, bool]] = []
        self.at = 0

    def scan(self) -> list[Placed]:
        while self.at < len(self.text):
            frame = self.stack[-1]
            ref = self.refs.get(self.at)
            if ref is not None:
                self._placed(ref, frame)
                self.at = ref.end
            elif frame.kind == "double":
                self._double()
            elif frame.kind == "brace":
                self._brace()
            elif frame.kind == "arithmetic":
                self._arithmetic()
            else:
                self._plain(frame)
        return self.found

    def _placed(self, ref: Ref, frame: _Frame) -> None:
        context: Context = "plain"
        for outer in reversed(self.stack):
            if outer.kind == "brace":
                continue
            if outer.kind in ("double", "arithmetic"):
                context = outer.kind
            break
        command = next(
            (
                outer
                for outer in reversed(self.stack)
                if outer.kind in ("plain", "paren", "backtick")
            ),
            frame,
        )
        declares = not command.words or command.words[0] in _DECLARING
        assigns = declares and _ASSIGNMENT.match(command.word) is not None
        self.found.append(Placed(ref, context, tuple(command.words), assigns, command.here_string))
        command.word += "x"

    def _inside(self, start: int, end: int, context: Context) -> None:
        """Place all references between two offsets that are read as they stand."""
        for at in self.left:
            if start <= at < end:
                self.found.append(Placed(self.refs[at], context))

    def _plain(self, frame: _Frame) -> None:
        if run := _WORD.match(self.text, self.at):
            frame.word += run[0]
            self.at = run.end()
            return
        char = self.text[self.at]
        two = self.text[self.at : self.at + 2]
        if char == "\\":
            frame.word += self.text[self.at + 1 : self.at + 2]
            self.at += 2
        elif char == "'":
            self._until("'", self.at + 1, frame)
        elif two == "$'":
            self._ansi(frame)
        elif char == '"' or two == '$"':
            frame.word += '"'
            self.stack.append(_Frame("double"))
            self.at += len(char) if char == '"' else 2
        elif self._expansion(frame):
            return
        elif char == "#" and not frame.word:
            end = self._line_end(self.at)
            self._inside(self.at, end, "comment")
            self.at = end
        elif two == "<<":
            self._heredoc(frame)
        else:
            self._separator(char, frame)

    def _separator(self, char: str, frame: _Frame) -> None:
        self.at += 1
        if char in " \t":
            self._end_word(frame)
        elif char == ")" and frame.kind == "paren":
            self.stack.pop()
        elif char in "\n;|&()":
            self._end_word(frame)
            frame.words = []
            frame.here_string = False
            if char == "\n" and self.heredocs:
                self._bodies()
        else:
            frame.word += char

    def _end_word(self, frame: _Frame) -> None:
        word, frame.word = frame.word, ""
        if not word:
            return
        first = not frame.words
        if first and (word in _KEYWORDS or _ASSIGNMENT.match(word)):
            return
        frame.words.append(word)
        frame.here_string = False

    def _expansion(self, frame: _Frame) -> bool:
        """Enter `$(…)`, `$((…))`, `${…}` or backquotes; tell whether there was one."""
        text, at = self.text, self.at
        if text.startswith("$((", at):
            self.stack.append(_Frame("arithmetic"))
            self.at += 3
        elif text.startswith("$(", at):
            self.stack.append(_Frame("paren"))
            self.at += 2
        elif text.startswith("${", at):
            self.stack.append(_Frame("brace"))
            self.at += 2
        elif text[at] == "`":
            if any(outer.kind == "backtick" for outer in self.stack):
                while self.stack.pop().kind != "backtick":
                    pass
            else:
                self.stack.append(_Frame("backtick"))
            self.at += 1
        else:
            return False
        frame.word += "$"
        return True

    def _double(self) -> None:
        if run := _QUOTED.match(self.text, self.at):
            self.at = run.end()
            return
        char = self.text[self.at]
        if char == "\\":
            self.at += 2
        elif char == '"':
            self.stack.pop()
            self.at += 1
        elif not self._expansion(self.stack[-1]):
            self.at += 1

    def _brace(self) -> None:
        char = self.text[self.at]
        quoted = any(outer.kind == "double" for outer in self.stack)
        if char == "\\":
            self.at += 2
        elif char == "}":
            self.stack.pop()
            self.at += 1
        elif char == "'" and not quoted:
            self._until("'", self.at + 1, self.stack[-1])
        elif char == '"':
            self.stack.append(_Frame("double"))
            self.at += 1
        elif not self._expansion(self.stack[-1]):
            self.at += 1

    def _arithmetic(self) -> None:
        if self.text.startswith("))", self.at):
            self.stack.pop()
            self.at += 2
        elif not self._expansion(self.stack[-1]):
            self.at += 1

    def _until(self, quote: str, start: int, frame: _Frame) -> None:
        end = self.text.find(quote, start)
        end = len(self.text) if end < 0 else end
        self._inside(start, end, "single")
        frame.word += "'"
        self.at = end + 1

    def _ansi(self, frame: _Frame) -> None:
        at = self.at + 2
        while at < len(self.text) and self.text[at] != "'":
            at += 2 if self.text[at] == "\\" else 1
        self._inside(self.at, at, "single")
        frame.word += "'"
        self.at = at + 1

    def _heredoc(self, frame: _Frame) -> None:
        if self.text.startswith("<<<", self.at):
            self._end_word(frame)
            frame.here_string = True
            self.at += 3
            return
        match = _HEREDOC.match(self.text, self.at)
        if match is None:
            self.at += 2
            return
        word = match["word"]
        quoted = any(char in word for char in "'\"\\")
        self.heredocs.append((re.sub(r"[\\'\"]", "", word), quoted, bool(match["dash"])))
        self.at = match.end()

    def _bodies(self) -> None:
        """Read the here-documents that begin with this line."""
        for word, quoted, dash in self.heredocs:
            start = self.at
            while self.at < len(self.text):
                end = self._line_end(self.at)
                line = self.text[self.at : end]
                last = self.at
                self.at = min(end + 1, len(self.text))
                if (line.lstrip("\t") if dash else line) == word:
                    break
            else:
                last = self.at
            self._inside(start, last, "quoted heredoc" if quoted else "heredoc")
        self.heredocs = []

    def _line_end(self, at: int) -> int:
        end = self.text.find("\n", at)
        return len(self.text) if end < 0 else end
