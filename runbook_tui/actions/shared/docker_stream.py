"""The one reader of an engine's streams (build, push, pull).

The client library never raises for an error inside a stream, hangs with an engine that hangs, and
lets the errors of lower layers through; and the id of an image is in `aux`, never in the log text,
which a Dockerfile writes.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator, Mapping
from http.client import IncompleteRead
from typing import Any, Final

from docker.errors import APIError, DockerException
from requests.exceptions import RequestException
from urllib3.exceptions import HTTPError

from runbook_tui.actions.api import Context
from state.json_value import Json

Message = Mapping[str, Any]
LIBRARY_ERRORS: Final = (DockerException, RequestException, HTTPError, OSError, ValueError)
"""What the client library and its layers raise when an engine fails or goes away."""
QUIET: Final = 60.0
"""Seconds of silence after which we ask whether the engine still answers."""
LAST_WORDS: Final = 5.0
"""Seconds that a stream has to end in after an error, so that its connection can be closed."""
_TICK: Final = 0.5


def words(fault: Exception) -> str:
    """Return what an engine, or its absence, says, without the client's wrapping."""
    explanation = fault.explanation if isinstance(fault, APIError) else None
    text = explanation.decode() if isinstance(explanation, bytes) else explanation
    return (text or _cause(fault)).strip().rstrip(".")


def _cause(fault: BaseException) -> str:
    """Return what the innermost error says: those around it only print it, as a tuple."""
    inner = next((one for one in reversed(fault.args) if isinstance(one, BaseException)), None)
    if inner is not None:
        return _cause(inner)
    if isinstance(fault, IncompleteRead):
        return "the connection broke off in the middle of an answer"
    said = fault.strerror if isinstance(fault, OSError) else None
    return said or str(fault) or type(fault).__name__


class StreamError(Exception):
    """The engine said in its stream that the work failed; the text is what it said."""


class StreamBroken(Exception):  # noqa: N818 - it reads as what happened
    """The stream ended before the work did: nobody here knows how far it came."""


def follow(
    messages: Iterator[Message],
    context: Context,
    answers: Callable[[], bool],
    quiet: float = QUIET,
) -> list[dict[str, Json]]:
    """Log a stream to its end and return the contents of its `aux` messages.

    Raises StreamError for an error inside it, StreamBroken when the engine goes away (`answers` is
    asked after `quiet` seconds without a message), and Stopped.
    """
    arrived: queue.SimpleQueue[Message | Exception | None] = queue.SimpleQueue()
    # A daemon, so that a stream that hangs cannot keep the worker from ending.
    pump = threading.Thread(target=_pump, args=(messages, arrived), daemon=True)
    pump.start()
    teller = _Teller(context)
    found: list[dict[str, Json]] = []
    silent = 0.0
    while True:
        context.check_stop()
        try:
            message = arrived.get(timeout=_TICK)
        except queue.Empty:
            silent += _TICK
            if silent >= quiet:
                if not answers():
                    raise StreamBroken("the engine does not answer any more") from None
                silent = 0.0
            continue
        silent = 0.0
        if message is None:
            return found
        if isinstance(message, Exception):
            raise StreamBroken(words(message)) from message
        if "error" in message or "errorDetail" in message:
            pump.join(LAST_WORDS)
            raise StreamError(_error(message))
        if isinstance(message.get("aux"), Mapping):
            found.append(dict(message["aux"]))
        teller.tell(message)


def _pump(
    messages: Iterator[Message], arrived: queue.SimpleQueue[Message | Exception | None]
) -> None:
    try:
        for message in messages:
            arrived.put(message)
    except LIBRARY_ERRORS as fault:
        arrived.put(fault)
    else:
        arrived.put(None)


def _error(message: Message) -> str:
    detail = message.get("errorDetail")
    text = message.get("error") or (detail.get("message") if isinstance(detail, Mapping) else None)
    return str(text or "an error without words").strip().rstrip(".")


class _Teller:
    """Writes what people want to read: build output whole, of layers only what changes."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._states: dict[str, str] = {}

    def tell(self, message: Message) -> None:
        """Log one message."""
        if "stream" in message:
            self._context.write(str(message["stream"]).encode())
            return
        status = str(message.get("status") or "")
        layer = str(message.get("id") or "")
        if not status or (layer and self._states.get(layer) == status):
            return
        self._states[layer] = status
        if not message.get("progressDetail"):
            self._context.log(f"{layer}: {status}" if layer else status)
