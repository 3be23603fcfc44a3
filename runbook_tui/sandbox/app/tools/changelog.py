"""Says whether the changelog has a section for a version that says something; drafts one if not.

Exit codes: 0 there is one, 1 there is none (a draft from the commits is printed).
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path


def section(text: str, version: str) -> list[str]:
    """Return the entries of a version's section."""
    found = re.search(
        rf"^## {re.escape(version)}(?![\w.])[^\n]*\n(.*?)(?=^## |\Z)", text, re.M | re.S
    )
    return [line for line in (found[1] if found else "").splitlines() if line.startswith("- ")]


def draft(version: str) -> list[str]:
    """Return a section made from the commits since the last tag."""
    tag = subprocess.run(
        ["git", "describe", "--tags", "--abbrev=0"], capture_output=True, text=True
    ).stdout.strip()
    range_ = f"{tag}..HEAD" if tag else "HEAD"
    subjects = subprocess.run(
        ["git", "log", "--format=- %s", range_], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    return [f"## {version}", "", *subjects]


if __name__ == "__main__":
    entries = section(Path("CHANGELOG.md").read_text(), sys.argv[1])
    if entries:
        print("\n".join(entries))
        print(f"entries={len(entries)}")
        sys.exit(0)
    print(f"CHANGELOG.md has no section for {sys.argv[1]}. A draft from the commits:\n")
    print("\n".join(draft(sys.argv[1])))
    sys.exit(1)
