"""Where and as whom this process works: state directory, journal, workers, operator."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import click

from runbook_tui import secrets
from runbook_tui.commands.operator import operator
from runbook_tui.definition.plan import SecretSource
from runbook_tui.engine.driving import Place
from runbook_tui.engine.workers import Workers
from state.stores.location import location
from state.stores.store import Store


@contextmanager
def place() -> Iterator[Place]:
    """A place to drive runs from. Raises StoreError."""
    with location().open() as store:
        pool = Workers()
        try:
            yield Place(store, pool, _read_secret, operator())
        finally:
            pool.close()


@contextmanager
def reader() -> Iterator[Store]:
    """The store, to read only. Raises StoreError."""
    with location().open(write=False) as store:
        yield store


@contextmanager
def writer() -> Iterator[Store]:
    """The store, to change it without driving a run. Raises StoreError."""
    with location().open() as store:
        yield store


def _read_secret(source: SecretSource) -> str:
    return secrets.resolve(source, _ask)


def _ask(source: SecretSource) -> str | None:
    """Ask for a secret on the terminal, if there is one."""
    if not os.isatty(0):
        return None
    answer: str = click.prompt(source.value or source.name, hide_input=True, err=True)
    return answer
