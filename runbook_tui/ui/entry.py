"""The way into the screens, for the command line."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from runbook_tui.ui.app import RunbookApp
from runbook_tui.ui.late_backend import Closable, LateBackend

if TYPE_CHECKING:
    from runbook_tui.definition.plan import SecretSource
    from state.stores.location import Location

FOLDERS: dict[Path, Path | None] = {
    Path("runbooks"): None,
    Path("~/.config/runbook/runbooks"): None,
}
"""Where Home looks for runbooks, and where those of a folder are called (None: here)."""


def show(
    location: Location,
    operator: str,
    *,
    launch: tuple[Path, str | None, Mapping[str, str]] | None = None,
    resume: str | None = None,
    rollback: tuple[str, str] | None = None,
    watch: str | None = None,
    take_over: tuple[str, str] | None = None,
    ascii_only: bool | None = None,
    folders: Mapping[Path, Path | None] = FOLDERS,
    directory: Path | None = None,
    given: Mapping[str, str] | None = None,
    adopt: bool = False,
) -> int:
    """Show the screens until the operator leaves; return the exit code of what was driven.

    Begins at Home, at Launch of a file (`launch`: file, environment, parameters), with a run that
    is taken up (`resume`), with the rollback of a run and why, looking on at a run (`watch`), or
    taking one over and why. `folders` are where runbooks
    lie (see FOLDERS), `directory` is where the run is called, `given` are secret parameters for
    a run taken up, whose changed files are adopted with `adopt` and asked about otherwise.
    """
    found = {
        folder.expanduser(): called_in
        for folder, called_in in folders.items()
        if folder.expanduser().is_dir()
    }
    asking: list[RunbookApp] = []

    def read_secret(source: SecretSource) -> str:
        from runbook_tui import secrets  # after the first picture

        return secrets.resolve(source, lambda one: asking[0].ask_secret(one.value or one.name))

    def engine() -> Closable:
        from runbook_tui.ui.engine_backend import EngineBackend  # heavy: after the first picture

        return EngineBackend(
            location,
            operator,
            read_secret,
            folders=found,
            directory=directory,
            given=given,
            change="adopt" if adopt else "ask",
        )

    backend = LateBackend(location.directory, operator, engine)
    try:
        app = RunbookApp(
            backend,
            ascii_only=ascii_only,
            launch=(launch[0], launch[1], dict(launch[2])) if launch else None,
            resume=resume,
            rollback=rollback,
            watch=watch,
            take_over=take_over,
        )
        asking.append(app)
        code = app.run()
        if app.last_words:
            print(app.last_words)
        return app.return_code or 0 if code is None else code
    finally:
        backend.close()
