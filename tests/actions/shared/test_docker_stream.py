"""An engine's stream ends well only when the engine said so, and never by an error inside it."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from http.client import RemoteDisconnected
from pathlib import Path
from typing import Any

import pytest
from requests.exceptions import ConnectionError as RequestsConnectionError
from requests.exceptions import ReadTimeout
from urllib3.exceptions import IncompleteRead, ProtocolError

from runbook_tui.actions.api import Stopped
from runbook_tui.actions.shared.docker_stream import StreamBroken, StreamError, follow, words
from tests.harness.here import Here

Messages = list[Mapping[str, Any]]


def _never() -> bool:
    raise AssertionError("the engine was asked although it talks")


def test_contents_of_aux_are_returned_and_the_log_is_readable(tmp_path: Path) -> None:
    here = Here(tmp_path)
    messages: Messages = [
        {"stream": "Step 1/2 : FROM base\n"},
        {"stream": "Successfully built 0123456789ab\n"},
        {"status": "Preparing", "id": "a1"},
        {"status": "Pushing", "id": "a1", "progressDetail": {"current": 1}},
        {"status": "Pushing", "id": "a1", "progressDetail": {"current": 2}},
        {"status": "Pushed", "id": "a1"},
        {"status": "Pushed", "id": "a1"},
        {"aux": {"ID": "sha256:9c1e"}},
        {"status": "v1: digest: sha256:77ab"},
    ]
    assert follow(iter(messages), here, _never) == [{"ID": "sha256:9c1e"}]
    assert here.text().splitlines() == [
        "Step 1/2 : FROM base",
        "Successfully built 0123456789ab",
        "a1: Preparing",
        "a1: Pushed",
        "v1: digest: sha256:77ab",
    ]


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (RequestsConnectionError(ProtocolError("Aborted.", FileNotFoundError(2, "None"))), "None"),
        (ProtocolError("Aborted.", RemoteDisconnected("It went.")), "It went"),
        (ProtocolError("Broken.", IncompleteRead(0, 7)), "the connection broke off in the middle"),
        (ReadTimeout("read timed out"), "read timed out"),
        (OSError(), "OSError"),
    ],
)
def test_an_engine_that_is_gone_is_told_in_its_own_words(fault: Exception, said: str) -> None:
    assert words(fault).startswith(said)


@pytest.mark.parametrize(
    "message",
    [
        {"error": "denied: no such login.", "errorDetail": {"message": "other"}},
        {"errorDetail": {"message": "denied: no such login"}},
    ],
)
def test_an_error_inside_the_stream_fails(tmp_path: Path, message: Mapping[str, Any]) -> None:
    messages: Messages = [message, {"aux": {"Digest": "sha256:77ab"}}]
    with pytest.raises(StreamError, match=r"^denied: no such login$"):
        follow(iter(messages), Here(tmp_path), _never)


def test_an_engine_that_dies_breaks_the_stream(tmp_path: Path) -> None:
    def dying() -> Iterator[Mapping[str, Any]]:
        yield {"stream": "begun"}
        raise ProtocolError("Connection broken")

    with pytest.raises(StreamBroken, match="Connection broken"):
        follow(dying(), Here(tmp_path), _never)


def test_a_silent_engine_is_asked_whether_it_lives(tmp_path: Path) -> None:
    held = threading.Event()
    asked: list[bool] = []

    def silent() -> Iterator[Mapping[str, Any]]:
        held.wait()
        yield {}

    def answers() -> bool:
        asked.append(True)
        return len(asked) < 3

    with pytest.raises(StreamBroken, match="does not answer any more"):
        follow(silent(), Here(tmp_path), answers, quiet=0.5)
    assert len(asked) == 3
    here = Here(tmp_path)
    here.stop()
    with pytest.raises(Stopped):
        follow(silent(), here, answers)
    held.set()
