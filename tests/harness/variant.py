"""The runbooks of the practice production with another environments file beside them."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

from runbook_tui.sandbox import environments
from runbook_tui.sandbox.site import Site

# The application's own checks take seconds and are not what these tests are about.
_QUICK = "  steps: {tests: {run: 'true'}, types: {run: 'true'}, lint: {run: 'true'}}"


def quick(site: Site, folder: Path, **given: str) -> Path:
    """Copy the runbooks into a folder, with short waits and other variables of `sandbox`.

    Returns the deployment's file.
    """
    folder.mkdir()
    for path in site.runbooks.glob("*.yaml"):
        shutil.copy(path, folder)
    file = folder / environments.ENVIRONMENTS
    shorter: Mapping[str, object] = {"watch_for": "3s", "resources_for": "2s", **given}
    text = environments.fill_in(file.read_text(), "sandbox", dict(shorter))
    file.write_text(text.replace("sandbox:\n", f"sandbox:\n{_QUICK}\n", 1))
    return folder / "deployment.yaml"
