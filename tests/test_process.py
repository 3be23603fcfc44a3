"""Programs run for real: their output is whole, and the end is the end of the main process."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from runbook_tui import process
from runbook_tui.actions.api import Exit
from tests.harness.processes import DEADLINE, Children


@pytest.fixture
def children() -> Iterator[Children]:
    with Children() as found:
        yield found


def collect(argv: list[str], **options: object) -> tuple[bytes, object]:
    parts: list[bytes] = []
    ended = process.run(argv, parts.append, **options)  # type: ignore[arg-type]  # options vary
    return b"".join(parts), ended


def bash(script: str, **options: object) -> tuple[bytes, object]:
    return collect(["bash", "-c", script], **options)


def test_output_and_exit_code_arrive_with_both_streams_in_order() -> None:
    output, ended = bash("echo one; echo two >&2; echo three; exit 7")

    assert output == b"one\ntwo\nthree\n"
    assert ended == Exit(7)


def test_standard_error_can_be_kept_apart() -> None:
    errors: list[bytes] = []

    output, ended = bash("echo out; echo err >&2", on_error=errors.append)

    assert (output, b"".join(errors), ended) == (b"out\n", b"err\n", Exit(0))


def test_a_signal_is_told_from_an_exit_code() -> None:
    assert bash("kill -KILL $$")[1] == Exit(None, signal.SIGKILL)


def test_environment_directory_and_input_are_as_given(tmp_path: Path) -> None:
    script = "pwd; echo $NAME; wc -c"
    env = {"NAME": "value", "PATH": os.environ["PATH"]}

    output, _ = bash(script, env=env, cwd=str(tmp_path), stdin=b"x" * 3_000_000)

    assert output.decode().split() == [str(tmp_path), "value", "3000000"]


def test_without_input_a_program_reads_nothing_and_signals_are_at_their_defaults() -> None:
    output, _ = bash("cat; kill -HUP $$")

    assert output == b""
    assert bash("kill -HUP $$")[1] == Exit(None, signal.SIGHUP)


def test_a_program_that_does_not_exist_raises_oserror() -> None:
    with pytest.raises(FileNotFoundError):
        process.run(["no-such-program-anywhere"], lambda data: None)


def test_a_pseudo_terminal_is_the_programs_own_terminal() -> None:
    script = "test -t 1 && test -t 2 && stty size < /dev/tty; printf 'no newline'"

    output, ended = bash(script, pty=True)

    assert output == b"24 80\r\nno newline"
    assert ended == Exit(0)


@pytest.mark.parametrize("pty", [False, True], ids=["pipe", "pty"])
def test_a_background_child_that_keeps_the_output_open_does_not_hold_the_step(
    pty: bool, children: Children
) -> None:
    script = f"trap '' HUP; {children.sleeper()} & echo $!; seq 1 20000"

    output, ended = bash(script, pty=pty)

    lines = output.decode().split()
    assert lines[-1] == "20000"
    assert len(lines) == 20_001
    child = children.adopt(int(lines[0]))
    assert child.alive()
    note = f"a background process keeps its output open: sleep (pid {child.pid})"
    assert ended == Exit(0, None, note)


def test_a_background_child_that_floods_does_not_hold_the_step() -> None:
    output, ended = bash("yes flood & echo the last word; exit 3")

    assert b"the last word\n" in output
    assert isinstance(ended, Exit)
    assert ended.code == 3
    assert "yes (pid" in str(ended.note)


def test_what_a_process_substitution_writes_last_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "LINGER", DEADLINE)

    output, ended = bash("exec > >(sed s/^/got:/); echo last")

    assert (output, ended) == (b"got:last\n", Exit(0))


def test_a_hundred_quick_programs_lose_nothing_and_leave_no_note() -> None:
    for number in range(100):
        assert bash(f"echo {number} & wait; echo end") == (
            f"{number}\nend\n".encode(),
            Exit(0),
        )


def test_a_large_output_with_long_lines_arrives_whole() -> None:
    program = (
        "import os; b = b'x' * 1_000_000 + b'\\xc3\\xa4\\n'\nfor _ in range(30): os.write(1, b)"
    )
    sizes: list[int] = []

    process.run([sys.executable, "-c", program], lambda data: sizes.append(len(data)))

    assert sum(sizes) == 30 * 1_000_003
    assert max(sizes) <= process.CHUNK


def test_descriptors_are_closed_in_the_program_except_those_to_keep(tmp_path: Path) -> None:
    with (tmp_path / "lock").open("wb") as kept, (tmp_path / "other").open("wb") as other:
        os.set_inheritable(other.fileno(), True)

        output, _ = bash("ls -l /proc/self/fd", keep=[kept.fileno()])

    assert b"/lock" in output
    assert b"/other" not in output


def test_the_pid_is_told_at_the_start() -> None:
    pids: list[int] = []

    output, _ = bash("echo $$", on_start=pids.append)

    assert int(output) == pids[0]


def test_several_threads_may_run_programs_at_once() -> None:
    found: dict[int, bytes] = {}

    def one(number: int) -> None:
        found[number] = bash(f"seq {number} {number + 500}")[0]

    threads = [threading.Thread(target=one, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    for number in range(8):
        assert found[number].split() == [str(n).encode() for n in range(number, number + 501)]
