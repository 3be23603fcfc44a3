"""What a running attempt says about itself besides its output: progress, samples, hosts.

Each is a small file in the attempt's directory, written by the worker and read by whoever watches.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

from state.json_value import Json
from state.stores.attempt_dir import AttemptDir
from state.stores.files import read_or_none, write_all, write_whole
from state.stores.paths import FILE_MODE

HOST_STATES: Final = ("waiting", "running", "lost", "done", "failed", "unknown")


@dataclass(frozen=True, slots=True)
class Progress:
    """What goes on now; `fraction` of 1 when that is known, `at` Unix seconds."""

    text: str
    fraction: float | None
    at: float


@dataclass(frozen=True, slots=True)
class HostState:
    """How one of several hosts stands: one of HOST_STATES; `at` Unix seconds.

    `began` is when it was first said to run, as far as that is known.
    """

    host: str
    state: str
    text: str
    at: float
    began: float | None = None


def write_progress(directory: AttemptDir, text: str, fraction: float | None) -> None:
    """Replace the attempt's progress."""
    progress = Progress(text, fraction, time.time())
    write_whole(directory.progress, json.dumps(asdict(progress)).encode(), sync=False)


def read_progress(directory: AttemptDir) -> Progress | None:
    """Return the attempt's progress, if it has told any."""
    content = read_or_none(directory.progress)
    if content is None:
        return None
    data = _parsed(content)
    try:
        return Progress(**data)
    except TypeError:
        return None


def append_sample(directory: AttemptDir, data: Mapping[str, Json]) -> None:
    """Keep a measurement: on disk when this returns."""
    _append(directory.samples, data, sync=True)


def read_samples(directory: AttemptDir, offset: int = 0) -> tuple[list[dict[str, Json]], int]:
    """Return the samples from a byte offset on, and the offset to go on from."""
    return _read_lines(directory.samples, offset)


def append_host(directory: AttemptDir, host: str, state: str, text: str) -> None:
    """Note how a host stands now."""
    if state not in HOST_STATES:
        raise ValueError(f"a host is never {state}")
    _append(directory.hosts, asdict(HostState(host, state, text, time.time())), sync=False)


def read_hosts(directory: AttemptDir) -> dict[str, HostState]:
    """Return the latest state of each host, in the order in which they came up."""
    lines, _ = _read_lines(directory.hosts, 0)
    found: dict[str, HostState] = {}
    for line in lines:
        data: Any = line
        try:
            host = HostState(**data)
        except TypeError:
            continue
        before = found.get(host.host)
        began = before.began if before else None
        if began is None and host.state == "running":
            began = host.at
        found[host.host] = replace(host, began=began)
    return found


def _append(path: Path, data: Mapping[str, Json], *, sync: bool) -> None:
    line = json.dumps(dict(data), ensure_ascii=False).encode(errors="replace") + b"\n"
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
    handle = os.open(path, flags, FILE_MODE)
    try:
        write_all(handle, line)
        if sync:
            os.fdatasync(handle)
    finally:
        os.close(handle)


def _read_lines(path: Path, offset: int) -> tuple[list[dict[str, Json]], int]:
    """Return the whole lines from `offset`; a last one without its end is left for later."""
    try:
        with path.open("rb") as file:
            file.seek(offset)
            content = file.read()
    except FileNotFoundError:
        return [], offset
    end = content.rfind(b"\n") + 1
    lines = (_parsed(line) for line in content[:end].splitlines())
    return [line for line in lines if line], offset + end


def _parsed(content: bytes) -> dict[str, Any]:
    """Return a line's data; a torn one (a full disk, a power cut) is empty."""
    try:
        data = json.loads(content)
    except ValueError:
        return {}
    return data if isinstance(data, dict) else {}
