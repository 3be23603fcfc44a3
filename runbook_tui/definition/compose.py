"""From a file's text to a tree: libyaml's events put together with our own scalar rules.

Depth is limited, aliases are counted, duplicate keys found. There is no recursion and no
construction of types, so nothing in a file can crash the program or run anything.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import yaml
from yaml.cyaml import CSafeLoader

from runbook_tui.definition.problems import DefinitionError, Problem, did_you_mean
from runbook_tui.definition.scalars import resolve
from runbook_tui.definition.scan import Source, forbidden, scan
from runbook_tui.definition.tree import Map, Seq, Spot, describe

MAX_DEPTH = 64
MAX_EXPANDED = 10_000
"""How many values aliases may stand for, all together."""

MAX_PROBLEMS = 100
"""After so many the reading ends: the file is none of ours."""

_TAB_INDENT = re.compile(r"^ *\t[ \t]*[^ \t#\r\n]", re.MULTILINE)
_TAGS: dict[str, type | tuple[type, ...]] = {
    "tag:yaml.org,2002:str": str,
    "tag:yaml.org,2002:int": int,
    "tag:yaml.org,2002:float": (int, float),
    "tag:yaml.org,2002:bool": bool,
    "tag:yaml.org,2002:null": type(None),
    "tag:yaml.org,2002:map": dict,
    "tag:yaml.org,2002:seq": list,
}


def read(name: str, data: bytes) -> tuple[Map, list[Problem]]:
    """Read a file whose top level is a mapping; return it with the problems that leave it usable.

    Raises DefinitionError when nothing can be made of the file.
    """
    source, problems = scan(name, data)
    composer = _Composer(source)
    root = composer.compose()
    problems += composer.problems
    if not isinstance(root, Map):
        here = Spot(source, 0, 0, 0, 0) if root is None else composer.top
        found = "the file is empty" if root is None else f"found {describe(root)}"
        problems.append(here.error("type", f"expected a mapping at the top level; {found}"))
        raise DefinitionError(problems)
    return root, problems


class _Frame:
    """An open container: the value for it, the key waiting for its value, how big it was before."""

    __slots__ = ("anchor", "before", "key", "value")

    def __init__(self, value: Map | Seq, anchor: str | None, before: int) -> None:
        self.value = value
        self.anchor = anchor
        self.before = before
        self.key: tuple[str, Any] | None = None


class _Composer:
    def __init__(self, source: Source) -> None:
        self.source = source
        self.problems: list[Problem] = []
        self.stack: list[_Frame] = []
        self.anchors: dict[str, tuple[Any, int] | None] = {}
        self.count = 0
        self.expanded = 0
        self.root: Any = None
        self.documents = 0
        self.top = Spot(source, 0, 0, 0, 0)
        self.tabs = {source.place(match.start())[0] for match in _TAB_INDENT.finditer(source.text)}

    def compose(self) -> Map | Seq | str | int | float | None:
        """Return the document's value; raises DefinitionError at what ends all reading."""
        parser = CSafeLoader(self.source.text)
        handlers: dict[type, Callable[[Any], None]] = {
            yaml.ScalarEvent: self._scalar,
            yaml.MappingStartEvent: self._open,
            yaml.SequenceStartEvent: self._open,
            yaml.MappingEndEvent: self._close,
            yaml.SequenceEndEvent: self._close,
            yaml.AliasEvent: self._alias,
            yaml.DocumentStartEvent: self._document,
        }
        try:
            while True:
                event = parser.get_event()
                kind = type(event)
                if handler := handlers.get(kind):
                    handler(event)
                elif kind is yaml.StreamEndEvent:
                    result: Map | Seq | str | int | float | None = self.root
                    return result
        except yaml.MarkedYAMLError as error:
            raise DefinitionError([*self.problems, self._syntax(error)]) from None
        finally:
            parser.dispose()

    def _document(self, event: Any) -> None:
        self.documents += 1
        if self.documents > 1:
            said = "a second document begins here; a file holds one"
            raise DefinitionError([*self.problems, self._at(event).error("documents", said)])

    def _scalar(self, event: Any) -> None:
        self.count += 1
        value = event.value
        if event.style == "":
            if event.tag is None:
                frame = self.stack[-1] if self.stack else None
                if frame is None or frame.key is not None or type(frame.value) is Seq:
                    value = resolve(value)
        elif event.style == '"' and (wrong := forbidden(value)):
            hint = "write it in the script itself, or leave it out"
            self._tell(self._at(event).error("control-character", wrong, hint))
        if event.tag is not None:
            value = self._tagged(event, resolve(value))
        if event.anchor is not None:
            self.anchors[event.anchor] = (value, 1)
        self._put(value, event)

    def _open(self, event: Any) -> None:
        self.count += 1
        if len(self.stack) >= MAX_DEPTH:
            said = f"nested deeper than {MAX_DEPTH} levels"
            raise DefinitionError([*self.problems, self._at(event).error("depth", said)])
        mapping = type(event) is yaml.MappingStartEvent
        value: Map | Seq = Map() if mapping else Seq()
        value.event = event
        value.source = self.source
        if isinstance(value, Map):
            value.marks = {}
        else:
            value.marks = []
        if event.tag is not None:
            self._tagged(event, value)
        if event.anchor is not None:
            self.anchors[event.anchor] = None
        if not self.stack:
            self.top = self._at(event)
        self.stack.append(_Frame(value, event.anchor, self.count + self.expanded))

    def _close(self, _event: Any) -> None:
        frame = self.stack.pop()
        if frame.anchor is not None:
            self.anchors[frame.anchor] = (
                frame.value,
                self.count + self.expanded - frame.before + 1,
            )
        self._put(frame.value, frame.value.event)

    def _alias(self, event: Any) -> None:
        known = self.anchors.get(event.anchor, ())
        if known is None:
            said = f"the alias *{event.anchor} stands inside what it refers to"
            raise DefinitionError([*self.problems, self._at(event).error("alias", said)])
        if not known:
            names = [name for name, value in self.anchors.items() if value]
            said = f"there is no anchor &{event.anchor} before this alias"
            here = self._at(event).error("alias", said, did_you_mean(event.anchor, names))
            raise DefinitionError([*self.problems, here])
        value, size = known
        self.expanded += size
        if self.expanded > MAX_EXPANDED:
            said = f"aliases stand for more than {MAX_EXPANDED:,} values"
            raise DefinitionError([*self.problems, self._at(event).error("alias-bomb", said)])
        event.value = value if isinstance(value, str) else str(value)
        self._put(value, event)

    def _put(self, value: Any, event: Any) -> None:
        if not self.stack:
            self.root = value
            return
        frame = self.stack[-1]
        container = frame.value
        if type(container) is Seq:
            container.append(value)
            container.marks.append(event)
        elif frame.key is None:
            frame.key = (self._key(value, event), event)
        else:
            key, key_event = frame.key
            frame.key = None
            marks = frame.value.marks
            if key in marks:
                first = marks[key][0].start_mark.line + 1  # type: ignore[call-overload]  # a Map's
                said = f'"{key}" is given twice; the first is in line {first}'
                self._tell(self._at(key_event).error("duplicate-key", said))
                return
            container[key] = value  # type: ignore[call-overload]  # a Map here
            marks[key] = (key_event, event)  # type: ignore[call-overload]

    def _key(self, value: Any, event: Any) -> str:
        mark = event.start_mark
        if mark.line in self.tabs and self._leads(mark):
            said = "indented with a tab"
            raise DefinitionError(
                [*self.problems, self._at(event).error("tab", said, "indent with blanks")]
            )
        if type(value) is str:
            if value == "<<" and event.style == "":
                said = "merge keys (<<) are not part of YAML 1.2"
                hint = "write the keys out, or use `defaults` of the environments"
                self._tell(self._at(event).error("merge-key", said, hint))
            return value
        if isinstance(value, Map | Seq):
            said = f"a key must be text, found {describe(value)}"
            hint = "put quotes round the value" if "{{" in self._line(mark.line) else ""
            raise DefinitionError([*self.problems, self._at(event).error("key", said, hint)])
        return str(getattr(event, "value", value))

    def _tell(self, problem: Problem) -> None:
        self.problems.append(problem)
        if len(self.problems) >= MAX_PROBLEMS:
            raise DefinitionError(self.problems)

    def _leads(self, mark: Any) -> bool:
        return not self._line(mark.line)[: mark.column].strip()

    def _tagged(self, event: Any, value: Any) -> Any:
        kind = _TAGS.get(event.tag)
        if kind is str and isinstance(event, yaml.ScalarEvent):
            return event.value
        boolean = isinstance(value, bool) and kind is not bool
        if kind is None or boolean or not isinstance(value, kind):
            tag = event.tag.replace("tag:yaml.org,2002:", "!!")
            said = f"the tag {tag} is not allowed here"
            hint = "leave tags out: quotes make text, true and false are booleans"
            self._tell(self._at(event).error("tag", said, hint))
        return value

    def _line(self, number: int) -> str:
        return self.source.lines[number] if number < len(self.source.lines) else ""

    def _at(self, event: Any) -> Spot:
        start, end = event.start_mark, event.end_mark
        return Spot(self.source, start.line, start.column, start.index, end.index)

    def _syntax(self, error: yaml.MarkedYAMLError) -> Problem:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line, mark.column) if mark else (0, 0)
        if line >= len(self.source.lines) or not self._line(line).strip():
            line, column = self._last_words(line)
        text = self._line(line)
        what = (error.problem or "not YAML").strip()
        if text[column : column + 1] == "\t" or "tab character" in what:
            said = "a tab cannot stand here" if text[:column].strip() else "indented with a tab"
            return self.source.problem(line, column, "tab", said, "indent with blanks")
        if "nesting depth" in what:
            return self.source.problem(
                line, column, "depth", f"nested deeper than {MAX_DEPTH} levels"
            )
        before = text[: column + 3]
        if (at := before.rfind("${{")) >= 0:
            said = "an unquoted ${{ … }} inside { … } or [ … ] is not YAML"
            return self.source.problem(line, at, "syntax", said, "put quotes round the value")
        context = f" {error.context.strip()}" if error.context else ""
        if error.context_mark is not None and error.context_mark.line != line:
            context += f" that begins in line {error.context_mark.line + 1}"
        return self.source.problem(line, column, "syntax", f"{what}{context}", _advice(what, text))

    def _last_words(self, line: int) -> tuple[int, int]:
        for number in range(min(line, len(self.source.lines) - 1), -1, -1):
            if self._line(number).strip():
                return number, len(self._line(number).rstrip())
        return 0, 0


def _advice(what: str, text: str) -> str:
    if "mapping values are not allowed" in what:
        return 'put quotes round a value that holds ": "'
    if "cannot start any token" in what:
        return "put quotes round a value that begins with this character"
    if "could not find expected ':'" in what:
        return "a key needs a colon and a blank after it"
    if "expected ',' or" in what or "found unexpected end of stream" in what:
        return "a bracket or a quote is not closed"
    if "did not find expected" in what:
        return "look at the indentation of this line and the one before"
    return ""
