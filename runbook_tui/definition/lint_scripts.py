"""References in scripts: only where a variable's expansion is one harmless word."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from runbook_tui.definition import shell
from runbook_tui.definition.lint_references import ReferenceCheck
from runbook_tui.definition.model import Step
from runbook_tui.definition.patterns import keeps_whole, word_keeps_whole
from runbook_tui.definition.references import Ref
from runbook_tui.definition.scope import at
from runbook_tui.definition.shell import Placed
from runbook_tui.definition.tree import Map, Spot, spot

SHELLS = frozenset({"sh", "bash"})
_BUILT_IN = frozenset(
    [
        ":",
        ".",
        "[",
        "[[",
        "alias",
        "cd",
        "declare",
        "echo",
        "export",
        "false",
        "hash",
        "let",
        "local",
        "printf",
        "pwd",
        "read",
        "readonly",
        "return",
        "set",
        "shift",
        "source",
        "test",
        "true",
        "type",
        "typeset",
        "umask",
        "unset",
    ]
)
_AGAIN = frozenset({"eval", "ssh"})
_INNER_SHELLS = frozenset({"sh", "bash", "dash", "zsh", "ksh", "su"})
_DASH_C = re.compile(r"-[a-z]*c")
_DIFFICULT = re.compile(r"['#\\`<]|\$\(|\$\{(?!\{)|\b(?:eval|ssh|su|[a-z]*sh)\b")
"""What makes a script more than words and double quotes."""
_WHERE = {
    "single": "inside single quotes",
    "comment": "inside a comment",
    "quoted heredoc": "inside a here-document with a quoted end word",
}


class ScriptCheck:
    """Checks the scripts of one runbook's steps."""

    def __init__(self, references: ReferenceCheck, steps: Mapping[str, Step]) -> None:
        self.references = references
        self.scope = references.scope
        self.problems = references.problems
        self.steps = steps

    def script(
        self, text: str, found: list[tuple[Ref, Spot]], options: Map, in_: str | None
    ) -> None:
        """Check a script's references, found before, in options that may name another shell."""
        if not found:
            return
        first, here = found[0]
        if text.strip() == text[first.start : first.end]:
            said = "a reference cannot be the whole script: no value is ever run as shell text"
            hint = "write the script here, or pass the value to a program with `argv`"
            self.problems.append(here.error("script", said, hint))
            return
        name = shell_name(options)
        if name not in SHELLS:
            said = f"references are not for scripts of {name}: nobody knows its quoting"
            hint = "pass the value with `env`, or use `argv`"
            self.problems.append(here.error("script", said, hint))
            return
        if self._plainly_quoted(text, found):
            return
        places = {ref.start: place for ref, place in found}
        for placed in shell.place(text, [ref for ref, _ in found]):
            self._placed(placed, places[placed.ref.start], in_)

    def _plainly_quoted(self, text: str, found: list[tuple[Ref, Spot]]) -> bool:
        """Tell without reading the whole script that double quotes stand round each reference.

        That is sure where nothing else quotes, nests, comments, or reads a value again.
        """
        if _DIFFICULT.search(text) or any(self.references.is_secret(ref) for ref, _ in found):
            return False
        return all(text.count('"', 0, ref.start) % 2 for ref, _ in found)

    def cut_off(self, options: Map, path: tuple[str, ...]) -> None:
        """Warn where YAML takes the rest of an unquoted script for its own comment."""
        holder = at(options, path[:-1])
        if not isinstance(holder, Map) or not isinstance(holder.get(path[-1]), str):
            return
        event = holder.marks[path[-1]][1]
        text, end = holder.source.text, event.end_mark.index
        if event.style == "" and text[end : end + 2] in (" #", "\t#"):
            here = spot(holder, path[-1])
            line = here.source.place(end + 1)
            place = Spot(here.source, *line, end + 1, end + 1)
            said = "the rest of the line is YAML's comment, not part of the script"
            hint = "put quotes round the script, or write it under a |"
            self.problems.append(place.warning("comment", said, hint))

    def _placed(self, placed: Placed, here: Spot, in_: str | None) -> None:
        if where := _WHERE.get(placed.context):
            said = f"{placed.ref.path} {where} is not replaced by the shell"
            hint = "use double quotes" if placed.context == "single" else "move it out"
            self.problems.append(here.error("script", said, hint))
            return
        bare = placed.context in ("plain", "arithmetic")
        if bare and not (placed.assigns and placed.context == "plain"):
            self._bare(placed, here, in_)
        if placed.context != "heredoc":
            self._command(placed, here)

    def _bare(self, placed: Placed, here: Spot, in_: str | None) -> None:
        if self.keeps_whole(placed.ref, in_):
            return
        said = f"{placed.ref.path} stands outside quotes, where blanks and *?[ of its value count"
        hint = "put double quotes round it, or give it a pattern that excludes them"
        self.problems.append(here.error("script", said, hint))

    def _command(self, placed: Placed, here: Spot) -> None:
        words = placed.words
        command = words[0].rpartition("/")[2] if words else ""
        if command in _AGAIN or (command in _INNER_SHELLS and _DASH_C.fullmatch(words[-1])):
            said = f"{placed.ref.path} is read again as shell text by {command}"
            hint = "pass it as an argument of the inner script, or use the action `ssh`"
            self.problems.append(here.warning("script", said, hint))
        passed = bool(words) and not placed.assigns and not placed.here_string
        if passed and command not in _BUILT_IN and self.references.is_secret(placed.ref):
            said = f"the secret {placed.ref.name} becomes an argument of {command}"
            hint = "every user can read arguments: use `secret_files` or `stdin`"
            self.problems.append(here.warning("secret-argument", said, hint))

    def keeps_whole(self, ref: Ref, in_: str | None) -> bool:
        """Tell whether every value that a reference can have is one harmless word."""
        if ref.default is not None and not word_keeps_whole(ref.default):
            return False
        match ref.kind:
            case "run" | "host":
                return True
            case "env":
                targets = self.scope.targets(in_).values()
                values = [target.vars[ref.name] for target in targets if ref.name in target.vars]
                return bool(values) and all(map(word_keeps_whole, values))
            case "parameter":
                return self._parameter(ref.name)
            case "step":
                return self._output(ref)
            case _:
                return False

    def _parameter(self, name: str) -> bool:
        parameter = self.scope.parameters.get(name)
        if parameter is None:
            return True
        if parameter.type in ("bool", "host"):
            return True
        if parameter.choices is not None:
            return all(map(word_keeps_whole, parameter.choices))
        return parameter.pattern is not None and keeps_whole(parameter.pattern)

    def _output(self, ref: Ref) -> bool:
        if ref.name in ("exit_code", "verdict"):
            return True
        step = self.steps.get(ref.step or "")
        if step is None:
            return True
        rule = _rule(step.options, "outputs", ref.name) or _rule(step.options, "record", ref.name)
        pattern = rule.get("pattern") if isinstance(rule, Mapping) else None
        return isinstance(pattern, str) and keeps_whole(pattern)


def _rule(options: Mapping[str, Any], key: str, name: str) -> object:
    rules = options.get(key)
    return rules.get(name) if isinstance(rules, Mapping) else None


def shell_name(options: Mapping[str, Any]) -> str:
    """Return the name of the shell that options choose, without its path and arguments."""
    words = str(options.get("shell") or "bash").split()
    return words[0].rpartition("/")[2] if words else "bash"
