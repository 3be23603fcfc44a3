"""A step's output on its way to disk: read, redacted, indexed, beside `tee`."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path
from typing import Final

from benchmarks.measure import Figure, Limit, Place, Take, alternate, wall
from benchmarks.programs import run
from runbook_tui.actions.api import Job
from runbook_tui.engine.ports import Order
from runbook_tui.engine.workers import Workers
from state.stores.attempt_dir import AttemptDir
from state.stores.result import Result

BYTES: Final = 100_000_000
SECRETS: Final = tuple(f"correct-horse-{number:02}-battery/{number * 7919}" for number in range(20))
_EVERY: Final = 1000
"""Every so many lines one holds a secret."""


def measure(place: Place) -> list[Figure]:
    """Return the figure of a step that prints much."""
    folder = place.folder("output")
    source = folder / "source.log"
    size = _lines(source, place.size(BYTES, 4_000_000))
    pool = Workers()
    try:
        ours, tee = alternate([_ours(folder, source, pool), _tee(folder, source)], place.rounds * 2)
    finally:
        pool.close()
    return [
        Figure(
            f"A step that prints {size / 1e6:.0f} MB, redacted with {len(SECRETS)} secrets",
            "ms",
            ours,
            "`cat FILE | tee LOG > /dev/null`",
            tee,
            Limit("ratio", 1.5),
        )
    ]


def _lines(path: Path, size: int) -> int:
    """Write about `size` bytes of log; return how many they became."""
    plain = "2026-11-28T12:00:00Z web-1 GET /api/orders/{0} 200 {1} ms, cache miss, user u-{2}\n"
    written = number = 0
    with path.open("w", encoding="ascii") as file:
        while written < size:
            written += file.write(plain.format(number, number % 97, number * 31 % 10_007))
            if number % _EVERY == 0:
                written += file.write(f"token={SECRETS[number // _EVERY % len(SECRETS)]}\n")
            number += 1
    return written


def _ours(folder: Path, source: Path, pool: Workers) -> Take:
    numbers = iter(range(1_000_000))

    def take() -> float:
        attempt = AttemptDir(folder / f"attempt.{next(numbers)}")
        attempt.create()
        try:
            return wall(lambda: _perform(attempt, source, pool))
        finally:
            _check(attempt)
            shutil.rmtree(attempt.path)

    return take


def _perform(attempt: AttemptDir, source: Path, pool: Workers) -> None:
    job = Job(
        run="1123-k7f3",
        step="print",
        number=1,
        action="run",
        options={"argv": ["cat", str(source)]},
        directory=str(attempt.path),
        cwd=str(source.parent),
        environment="",
        operator="bench",
        secrets=SECRETS,
    )
    pool.start(Order("perform", "runbook_tui.actions.run.perform", job))
    while attempt.read_result() is None:
        time.sleep(0.001)


def _check(attempt: AttemptDir) -> None:
    """Raise RuntimeError unless the output is all there and shows no secret."""
    result = attempt.read_result()
    if not isinstance(result, Result) or result.status != "succeeded":
        raise RuntimeError(f"the step did not succeed: {result}")
    with attempt.output.open("rb") as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_SEQUENTIAL)
        if any(b"correct-horse" in line for line in file):
            raise RuntimeError("a secret is in the output")


def _tee(folder: Path, source: Path) -> Take:
    log = folder / "tee.log"

    def take() -> float:
        log.unlink(missing_ok=True)
        command = f"cat {source} | tee {log} > /dev/null"
        return wall(lambda: run(["sh", "-c", command], cwd=folder))

    return take
