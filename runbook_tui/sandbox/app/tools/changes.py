"""Says what a release changes since the one before it: commits, files, migrations, dependencies.

Reads Git only: from the newest version tag that HEAD descends from (VERSION itself left out) to
HEAD. The last line is `summary=…`.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

SENSITIVE = re.compile(
    r"(?:^|[/_.-])(auth|sessions?|accounts?|log-?in|sign-?in|passwords?|permissions?|secrets?"
    r"|crypto)(?:[/_.-]|$)",
    re.IGNORECASE,
)
EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
PLAIN = ("--no-renames", "--no-ext-diff", "--no-textconv", "--no-color")
KINDS = {"A": "new", "M": "CHANGED: it may have been applied already", "D": "GONE"}


def git(*words: str) -> str:
    """Return what Git says, without the last line's end."""
    command = ["git", "-c", "core.quotepath=off", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return done.stdout.rstrip("\n")


def last_release(version: str) -> str | None:
    """Return the newest version tag before this version, None when there is none."""
    words = ["describe", "--tags", "--abbrev=0", "--match", "v[0-9]*", "--exclude", version, "HEAD"]
    done = subprocess.run(["git", *words], capture_output=True, text=True)
    return done.stdout.strip() or None


def dependencies(manifests: Mapping[str, str]) -> dict[str, str]:
    """Return the direct dependencies that pyproject.toml and package.json name, with versions."""
    found: dict[str, str] = {}
    if text := manifests.get("pyproject.toml"):
        project = tomllib.loads(text).get("project", {})
        extras = project.get("optional-dependencies", {}).values()
        entries = [*project.get("dependencies", []), *(one for extra in extras for one in extra)]
        for entry in entries:
            name = re.match(r"[\w.-]+", entry)
            found[name[0] if name else entry] = entry
    if text := manifests.get("package.json"):
        package = json.loads(text)
        for part in ("dependencies", "devDependencies"):
            found |= {name: f"{name} {wanted}" for name, wanted in package.get(part, {}).items()}
    return found


def differing(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """Return a line for each dependency that came, went or changed."""
    return [
        f"{before.get(name, 'new')} -> {now.get(name, 'gone')}"
        for name in sorted({**before, **now})
        if before.get(name) != now.get(name)
    ]


def manifests_at(revision: str) -> dict[str, str]:
    """Return the manifests as they are at a revision."""
    names = git("ls-tree", "--name-only", revision).splitlines()
    wanted = [name for name in ("pyproject.toml", "package.json") if name in names]
    return {name: git("show", f"{revision}:{name}") for name in wanted}


def counted(number: int, word: str) -> str:
    """Return a number with its word."""
    return f"{number} {word}{'' if number == 1 else 's'}"


def report(version: str) -> tuple[str, list[str]]:
    """Return the difference in a line, and in all its lines."""
    last = last_release(version)
    base, span = last or EMPTY_TREE, f"{last}..HEAD" if last else "HEAD"
    commits = git("log", "--format=%h %an: %s", span).splitlines()
    who = Counter(git("log", "--format=%an", span).splitlines())
    numbers = git("diff", *PLAIN, "--numstat", base, "HEAD").splitlines()
    rows = [line.split("\t") for line in numbers]
    added, removed = (sum(int(row[i]) for row in rows if row[i] != "-") for i in (0, 1))
    status = git("diff", *PLAIN, "--name-status", base, "HEAD", "--", "migrations")
    migrations = [line.split("\t") for line in status.splitlines()]
    before = manifests_at(last) if last else {}
    changed = differing(dependencies(before), dependencies(manifests_at("HEAD")))
    names = [row[2] for row in rows] if last else []
    touched = [name for name in names if SENSITIVE.search(Path(name).with_suffix("").as_posix())]

    by = ", ".join(f"{name} ({count})" for name, count in who.most_common())
    summary = (
        f"{counted(len(commits), 'commit')} {f'since {last}' if last else '(the first release)'} "
        f"by {by or 'nobody'}; {counted(len(rows), 'file')}, +{added} -{removed}; "
        f"migrations {len(migrations)}; dependencies {len(changed)}"
        + (f"; touches {', '.join(touched)}" if touched else "")
    )
    lines = [
        *(f"migration   {name} ({KINDS.get(kind, kind)})" for kind, name in migrations),
        *(f"dependency  {line}" for line in changed),
        *(f"! touches   {name}" for name in touched),
        *("", *commits, ""),
        git("diff", *PLAIN, "--stat=100", base, "HEAD"),
    ]
    return summary, [summary, *lines]


if __name__ == "__main__":
    in_a_line, in_full = report(sys.argv[1])
    print(*in_full, sep="\n")
    print(f"summary={in_a_line}")
