"""Reading a runbook with its environments, rollback runbook and includes: all problems at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from posixpath import normpath

from runbook_tui import collector
from runbook_tui.definition import lint
from runbook_tui.definition.compose import read
from runbook_tui.definition.environments import (
    Environment,
    EnvironmentKeys,
    read_environments,
)
from runbook_tui.definition.header import read_parameters
from runbook_tui.definition.model import Header, IncludeKeys, Runbook, relative
from runbook_tui.definition.problems import DefinitionError, Problem, did_you_mean
from runbook_tui.definition.steps import StepReader
from runbook_tui.definition.tree import Map, Seq, Spot, describe, spot
from runbook_tui.definition.validate import validate

MAX_INCLUDES = 5
_ENVIRONMENT_KEYS = frozenset(EnvironmentKeys.model_fields)
Fetch = Callable[[str], bytes]
"""Gives a file's bytes by its name relative to the main runbook; raises OSError or KeyError."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """A runbook that holds no error.

    `path` is the file it came from, None when from stored bytes; `main` its name in `sources`.
    `environments` is empty for a runbook without any. `problems` are warnings. `others` are the
    rollback runbook and includes, by name in `sources`.
    """

    path: Path | None
    main: str
    runbook: Runbook
    environments: Mapping[str, Environment]
    sources: Mapping[str, bytes]
    problems: tuple[Problem, ...]
    others: Mapping[str, Runbook] = field(default_factory=dict)


def load(path: Path) -> Loaded:
    """Read and check a runbook file. Raises DefinitionError with all problems."""
    folder = path.parent

    def fetch(name: str) -> bytes:
        return (folder / name).read_bytes()

    with collector.paused():
        return _Loader(path.name, fetch, lambda name: _shown(folder / name)).load(path)


def load_sources(main: str, sources: Mapping[str, bytes], *, checked: bool = False) -> Loaded:
    """Read a runbook from stored bytes. `main` is its name in `sources`, or a path ending in it.

    `checked` says that this program has linted these very bytes before: it is not done again.
    Raises DefinitionError.
    """
    name = main if main in sources else PurePosixPath(main).name
    with collector.paused():
        return _Loader(name, sources.__getitem__, lambda name: name, checked=checked).load(None)


def lint_paths(paths: Iterable[Path]) -> list[Problem]:
    """Check files, and all `*.yaml` and `*.yml` under folders; return what was found, in order.

    Files of environments are checked with the runbooks that name them, and by themselves when none
    of the given ones does.
    """
    problems: set[Problem] = set()
    for path in _files(paths):
        if _is_environments(path):
            problems.update(_environments_alone(path))
            continue
        try:
            problems.update(load(path).problems)
        except DefinitionError as error:
            problems.update(error.problems)
    return sorted(problems)


def _files(paths: Iterable[Path]) -> list[Path]:
    found: dict[Path, None] = {}
    for path in paths:
        if path.is_dir():
            inside = (file for file in path.rglob("*") if file.suffix in (".yaml", ".yml"))
            found.update(dict.fromkeys(sorted(inside)))
        else:
            found[path] = None
    return list(found)


def _is_environments(path: Path) -> bool:
    """Tell whether a file is one of environments: it is readable and names no runbook."""
    try:
        node, _ = read(str(path), path.read_bytes())
    except (DefinitionError, OSError):
        return False
    inner = _unwrapped(node)
    if {"runbook", "phases"} & node.keys() or not isinstance(inner, Map) or not inner:
        return False
    return all(
        value is None or (isinstance(value, Map) and bool(value.keys() & _ENVIRONMENT_KEYS))
        for value in inner.values()
    )


def _unwrapped(node: Map) -> object:
    """Return the environments of a file: its top level, or its only key `environments`."""
    return node["environments"] if set(node) == {"environments"} else node


def _environments_alone(path: Path) -> list[Problem]:
    node, problems = read(_shown(path), path.read_bytes())
    inner = _unwrapped(node)
    if isinstance(inner, Map):
        read_environments(inner, problems)
    return problems


def _shown(path: Path) -> str:
    return normpath(str(path))


class _Loader:
    def __init__(
        self, main: str, fetch: Fetch, shown: Callable[[str], str], *, checked: bool = False
    ) -> None:
        self.main = main
        self.checked = checked
        self.fetch = fetch
        self.shown = shown
        self.problems: list[Problem] = []
        self.sources: dict[str, bytes] = {}
        self.others: dict[str, Runbook] = {}
        self.followed: set[tuple[str, int]] = set()
        """Runbooks whose includes were followed, by their depth."""

    def load(self, path: Path | None) -> Loaded:
        try:
            data = self.fetch(self.main)
        except (OSError, KeyError) as error:
            said = f"the runbook cannot be read: {_why(error)}"
            problem = Problem(self.shown(self.main), 1, 1, "error", "unreadable", said)
            raise DefinitionError([problem]) from None
        self.sources[self.main] = data
        runbook = self._runbook(self.main, data)
        if runbook is None:
            raise DefinitionError(sorted(set(self.problems)))
        environments = self._environments(runbook)
        self._others(self.main, runbook, 1, (self.main,))
        if not self.checked:
            lint.lint(self.main, runbook, environments, self.others, self.problems)
        found = sorted(set(self.problems))
        if any(problem.severity == "error" for problem in found):
            raise DefinitionError(found)
        return Loaded(
            path, self.main, runbook, environments or {}, self.sources, tuple(found), self.others
        )

    def _runbook(self, name: str, data: bytes) -> Runbook | None:
        try:
            node, warnings = read(self.shown(name), data)
        except DefinitionError as error:
            self.problems += error.problems
            return None
        self.problems += warnings
        header = validate(Header, node, self.problems)
        parameters = read_parameters(node, self.problems)
        phases = node.get("phases")
        reader = StepReader(self.problems)
        found = reader.phases(phases) if isinstance(phases, Seq) else ()
        if header is None:
            return None
        return Runbook(header, parameters, found, node, frozenset(reader.broken))

    def _environments(self, runbook: Runbook) -> dict[str, Environment] | None:
        """Return the environments, if there are any; None when they cannot be read."""
        given = runbook.node.get("environments")
        if given is None:
            return {}
        if isinstance(given, Map):
            return read_environments(given, self.problems)
        if not isinstance(given, str):
            return None
        data = self._other(self.main, given, spot(runbook.node, "environments"), "environments")
        if data is None:
            return None
        try:
            node, warnings = read(self.shown(given), data)
        except DefinitionError as error:
            self.problems += error.problems
            return None
        self.problems += warnings
        inner = _unwrapped(node)
        if not isinstance(inner, Map):
            said = f"expected a mapping of environments, found {describe(inner)}"
            self.problems.append(spot(node, "environments").error("type", said))
            return None
        return read_environments(inner, self.problems)

    def _others(self, name: str, runbook: Runbook, depth: int, above: tuple[str, ...]) -> None:
        """Read the rollback runbook and all includes of a runbook."""
        if (rollback := runbook.rollback) and depth == 1:
            node = runbook.node["rollback"]
            place = spot(node, "file") if isinstance(node, Map) else spot(runbook.node, "rollback")
            self._another(name, rollback.file, place, "rollback runbook", depth, above)
        for step in runbook.steps():
            if step.kind != "include" or not isinstance(step.options.get("file"), str):
                continue
            keys = validate(IncludeKeys, step.options, [])
            if keys:
                place = spot(step.options, "file")
                self._another(name, keys.file, place, "included runbook", depth, above)

    def _another(
        self, base: str, file: str, place: Spot, what: str, depth: int, above: tuple[str, ...]
    ) -> None:
        name = relative(base, file)
        if name in above:
            said = f"{file} includes itself: {' → '.join([*above, name])}"
            self.problems.append(place.error("include-cycle", said))
            return
        if depth > MAX_INCLUDES:
            said = f"includes are nested deeper than {MAX_INCLUDES}"
            self.problems.append(place.error("include-depth", said))
            return
        if name not in self.others:
            data = self._other(base, file, place, what)
            runbook = self._runbook(name, data) if data is not None else None
            if runbook is None:
                return
            self.others[name] = runbook
        if (name, depth) not in self.followed:
            self.followed.add((name, depth))
            self._others(name, self.others[name], depth + 1, (*above, name))

    def _other(self, base: str, file: str, place: Spot, what: str) -> bytes | None:
        name = relative(base, file)
        if "${{" in file:
            said = "a file's name cannot hold references: a run keeps its files from the start"
            self.problems.append(place.error("reference", said))
            return None
        try:
            data = self.fetch(name)
        except (OSError, KeyError) as error:
            said = f"the {what} {file} cannot be read: {_why(error)}"
            self.problems.append(place.error("missing-file", said, self._near(name)))
            return None
        self.sources[name] = data
        return data

    def _near(self, name: str) -> str:
        folder = Path(self.shown(name)).parent
        try:
            names = sorted(file.name for file in folder.iterdir() if file.suffix == ".yaml")
        except OSError:
            return ""
        return did_you_mean(PurePosixPath(name).name, names)


def _why(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    return "it is not among the stored files" if isinstance(error, KeyError) else str(error)
