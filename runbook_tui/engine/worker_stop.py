"""Stops a worker's act: when asked by signal, or when its time is over; and at last by force.

A thread of its own waits for both, because the action may be deep in a library. It tells the
action, ends the processes of the attempt, and, when the action does not return even then, leaves
the result in its stead.
"""

from __future__ import annotations

import os
import select
import signal
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import replace
from types import FrameType
from typing import Final

from runbook_tui import proc, stopping
from runbook_tui.actions.api import Stopped
from runbook_tui.actions.shared import durations
from runbook_tui.engine.ports import Order
from runbook_tui.engine.worker_context import WorkerContext
from state.stores.attempt_dir import AttemptDir
from state.stores.machine import ProcessMark
from state.stores.result import Result

TIMEOUT: Final = "timeout"
"""The cause of a failure by time-out, as `retries: {on: …}` names it."""

_ASKING: Final = (signal.SIGTERM, signal.SIGINT)


def own_processes() -> list[ProcessMark]:
    """Return every living process that this worker's act has started, re-parented ones too."""
    return proc.descendants([os.getpid()])


def listen() -> int:
    """Have the signals that ask for a stop told through the returned descriptor from now on."""
    wakes, tells = os.pipe()
    os.set_blocking(tells, False)
    signal.set_wakeup_fd(tells)
    for number in _ASKING:
        signal.signal(number, _hear)
    return wakes


def _hear(number: int, frame: FrameType | None) -> None:
    """Nothing to do: the watching thread reads the number from the descriptor."""


class Stopper:
    """Watches over one act. `leave` writes the result when the act cannot be waited for."""

    def __init__(
        self,
        order: Order,
        attempt: AttemptDir,
        context: WorkerContext,
        leave: Callable[[Result], None],
    ) -> None:
        self._order = order
        self._attempt = attempt
        self._context = context
        self._leave = leave
        self._stop: Result | None = None
        self._guard = threading.Lock()
        self._act_ended = threading.Event()
        self._stop_ended = threading.Event()

    def start(self, wakes: int) -> None:
        """Watch from now on; `wakes` is what `listen` returned."""
        threading.Thread(target=self._watch, args=(wakes,), daemon=True).start()

    def judge(self, ended: Result | Stopped) -> Result:
        """Take the end of the act, wait for a stop that has begun, and return the result."""
        with self._guard:
            self._act_ended.set()
            stop = self._stop
        if stop is None:
            if isinstance(ended, Result):
                return ended
            return Result(status="stopped", reason="The action stopped by itself.")
        self._stop_ended.wait()
        return self._stopped(ended)

    def _watch(self, wakes: int) -> None:
        stop = self._wait(wakes)
        with self._guard:
            if self._act_ended.is_set():
                return
            self._stop = stop
            calls = self._context.begin_stop()
        deadline = time.monotonic() + sum(self._order.graces) + stopping.FIRM
        threading.Thread(target=self._tell, args=(calls,), daemon=True).start()
        left = stopping.stop(own_processes, self._order.graces)
        if left:
            names = [proc.name(mark) for mark in left]
            reason = f"{stop.reason} Still running: {', '.join(names)}."
            self._stop = replace(stop, reason=reason, detail={"still_running": names})
        self._stop_ended.set()
        if not self._act_ended.wait(max(deadline - time.monotonic(), stopping.FIRM)):
            self._force()

    def _wait(self, wakes: int) -> Result:
        """Wait until the act must stop; return the result that this makes of it."""
        timeout = self._order.job.timeout
        deadline = None if timeout is None else time.monotonic() + timeout
        poll = select.poll()
        poll.register(wakes, select.POLLIN)
        while (reason := self._attempt.stop_asked()) is None:
            left = None if deadline is None else (deadline - time.monotonic()) * 1000
            if left is not None and left <= 0:
                text = f"It ran out of its time of {durations.shown(timeout or 0)} and was stopped."
                return Result(status="failed", cause=TIMEOUT, reason=text)
            if poll.poll(left) and set(os.read(wakes, 64)) & set(_ASKING):
                reason = self._attempt.stop_asked() or "its worker was told to end by a signal"
                break
        return Result(status="stopped", reason=f"Stopped: {reason.rstrip('.')}.")

    def _tell(self, calls: Sequence[Callable[[], None]]) -> None:
        for call in calls:
            try:
                call()
            except Exception:  # noqa: BLE001 - the others must be told too; the log says what broke
                self._context.log(traceback.format_exc().rstrip(), "stderr")

    def _stopped(self, ended: Result | Stopped) -> Result:
        """Return what became of an act that a stop was asked for; done is done all the same."""
        stop = self._stop or Result(status="stopped")
        if not isinstance(ended, Result):
            return stop
        if ended.status == "succeeded":
            return ended
        return replace(
            ended,
            status=stop.status,
            cause=stop.cause,
            reason=f"{stop.reason} {ended.reason or ''}".rstrip(),
            detail={**ended.detail, **stop.detail},
        )

    def _force(self) -> None:
        """End the process: its act does not react."""
        with self._guard:
            if self._act_ended.is_set():
                return
            said = "The action did not react to being stopped and was ended by force."
            stop = self._stop or Result(status="stopped")
            self._leave(replace(stop, reason=f"{stop.reason} {said}"))
            os._exit(1)
