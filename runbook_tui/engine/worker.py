"""Performs one order in a process of its own, and leaves the result in the attempt's directory.

The order of things is the promise: lock, claim, act, result. The process has its own session, hears
no hang-up, adopts what its command leaves behind, and ends only when the result is on disk.
"""

from __future__ import annotations

import ctypes
import os
import signal
import time
from contextlib import suppress
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from types import FrameType, ModuleType
from typing import Final

from runbook_tui import stopping
from runbook_tui.actions.api import ActionFailed, Stopped
from runbook_tui.engine import clock, faults, results
from runbook_tui.engine.faults import FaultInjected
from runbook_tui.engine.ports import Order
from runbook_tui.engine.worker_context import WorkerContext
from runbook_tui.engine.worker_stop import Stopper, listen, own_processes
from runbook_tui.redact import Patterns, Redactor
from state.stores import location
from state.stores.attempt_dir import AttemptDir
from state.stores.result import Result

NAME: Final = b"runbook-worker"
_PR_SET_NAME, _PR_SET_CHILD_SUBREAPER = 15, 36
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
_KEPT: Final = 16 << 20
"""Bytes of freed memory that stay ours: else every chunk of output is mapped and zeroed anew, which
takes longer than all that is done with it."""

_LIBC = ctypes.CDLL(None)

_RESULT_PATIENCE: Final = 600.0
"""Seconds to go on trying to write the result to a full disk: it is the only truth there is."""


def work(order: Order) -> None:
    """Do what the order says; returns without acting when the claim was already taken."""
    wakes = _become_a_worker()
    job = order.job
    faults.reach("worker.before-claim", job.step, fault=order.fault)
    attempt = AttemptDir(Path(job.directory))
    lock = attempt.hold()
    if order.begin_by is not None and clock.since_boot() > order.begin_by:
        # Whoever has taken over since may rely on it that nothing begins any more.
        attempt.claim_void()
        return
    if not attempt.claim_worker():
        return
    redactor = Redactor(Patterns(job.secrets))
    context = WorkerContext(job, attempt, redactor, lock, order.fault)

    def leave(result: Result) -> None:
        _write(attempt, results.redacted(_with_losses(result, context), redactor))

    asked = attempt.stop_asked()
    if asked is not None:
        leave(Result(status="stopped", effect="none", reason=f"Stopped before it began: {asked}"))
        return
    stopper = Stopper(order, attempt, context, leave)
    stopper.start(wakes)
    leave(stopper.judge(_act(order, context)))
    faults.reach("worker.after-result", job.step, fault=order.fault)


def _become_a_worker() -> int:
    """Prepare this process; return the descriptor that tells of signals that ask for a stop."""
    for name in (faults.VARIABLE, location.VARIABLE):
        # No command of a step needs them, and a database's URL may hold a password.
        os.environ.pop(name, None)
    _LIBC.prctl(_PR_SET_NAME, NAME, 0, 0, 0)
    _LIBC.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    if hasattr(_LIBC, "mallopt"):  # glibc
        _LIBC.mallopt(_M_MMAP_THRESHOLD, _KEPT)
        _LIBC.mallopt(_M_TRIM_THRESHOLD, _KEPT)
    # A handler of ours, and not "ignore", so that the command starts with the default.
    signal.signal(signal.SIGHUP, _hear_nothing)
    return listen()


def _hear_nothing(number: int, frame: FrameType | None) -> None:
    """Nothing to do: the signal was sent to a terminal that is no longer ours."""


def _act(order: Order, context: WorkerContext) -> Result | Stopped:
    """Return the action's result, or the Stopped with which it ended."""
    job = order.job
    try:
        os.chdir(job.cwd)
        module = import_module(order.perform)
    except OSError as error:
        reason = f"The directory {job.cwd} cannot be entered: {error.strerror}."
        return Result(status="failed", reason=reason, effect="none")
    except ImportError as error:
        reason = f"The action {job.action} cannot be loaded: {error}."
        return Result(status="failed", reason=reason, effect="none")
    try:
        faults.reach("worker.before-act", job.step, fault=order.fault)
        result = _call(module, order, context)
        faults.reach("worker.after-act", job.step, fault=order.fault)
    except Stopped as stopped:
        return stopped
    except ActionFailed as failed:
        return results.of_failure(failed)
    except FaultInjected as fault:
        return Result(status="failed", reason=str(fault))
    except Exception as error:  # noqa: BLE001 - a bug in an action becomes its result, in words
        result, trace = results.of_error(error, job.action)
        context.log(trace, "stderr")
        stopping.stop(own_processes, order.graces)
    return result


def _call(module: ModuleType, order: Order, context: WorkerContext) -> Result:
    if order.mode == "perform":
        return results.of_outcome(module.perform(order.job, context), context.redactor)
    return results.of_finding(module.probe(order.job, context), context.redactor)


def _with_losses(result: Result, context: WorkerContext) -> Result:
    """Close the log, and say in the result what of it could not be kept."""
    context.close()
    if not context.lost:
        return result
    note = f"{context.lost} bytes of output could not be kept: {context.why_lost}."
    reason = f"{result.reason} {note}" if result.reason else note
    return replace(result, reason=reason, detail={**result.detail, "output_lost": context.lost})


def _write(attempt: AttemptDir, result: Result) -> None:
    deadline = time.monotonic() + _RESULT_PATIENCE
    while True:
        try:
            attempt.write_result(result)
        except OSError as problem:
            if time.monotonic() > deadline:
                raise
            if isinstance(problem, FileNotFoundError):  # somebody has removed the directory
                with suppress(OSError):
                    attempt.restore()
            time.sleep(0.1)
        else:
            return
