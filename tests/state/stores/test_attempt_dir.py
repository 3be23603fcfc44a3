"""The attempt's directory: one claim, liveness by the kernel, a result whole or not there."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import pytest

from state.stores import attempt_dir
from state.stores.attempt_dir import AttemptDir, Liveness, LockTakenError
from state.stores.machine import process_mark
from state.stores.paths import attempt_directory
from state.stores.result import Corrupt, Result, dump_result

DEAD = Liveness(lock_held=False, main_alive=False)
CHECKOUT = Path(__file__).parents[3]
RESULT = Result(
    "succeeded",
    exit_code=0,
    outputs={"digest": "sha256:9c1e"},
    by_host={"app-1": {"digest": "sha256:9c1e"}},
    evidence=({"kind": "image", "summary": "läuft", "data": {"n": 1}},),
    reason="all there",
    effect="done",
    verdict="present",
    detail={"rows": [1, None]},
)


@pytest.fixture
def attempt(tmp_path: Path) -> AttemptDir:
    directory = AttemptDir(tmp_path / attempt_directory("1123-k7f3", "migrate", 2))
    directory.create()
    return directory


_RACER = """
import sys
from pathlib import Path
from state.stores.attempt_dir import AttemptDir
attempt = AttemptDir(Path(sys.argv[1]))
sys.stdin.readline()
for number in range(40):
    one = AttemptDir(attempt.path / str(number))
    print(int(one.claim_void() if sys.argv[2] == "void" else one.claim_worker()))
"""


def test_of_two_processes_that_claim_exactly_one_wins(attempt: AttemptDir) -> None:
    for number in range(40):
        (attempt.path / str(number)).mkdir()
    pipe = subprocess.PIPE
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", _RACER, str(attempt.path), side],
            stdin=pipe,
            stdout=pipe,
            cwd=CHECKOUT,
            text=True,
        )
        for side in ("worker", "void")
    ]
    for racer in racers:
        assert racer.stdin is not None
        racer.stdin.write("go\n")
        racer.stdin.flush()
    worker, void = [racer.communicate()[0].split() for racer in racers]
    assert len(worker) == len(void) == 40
    for number, (one, other) in enumerate(zip(worker, void, strict=True)):
        assert {one, other} == {"0", "1"}
        won = "worker" if one == "1" else "void"
        assert AttemptDir(attempt.path / str(number)).claimed() == won


def test_a_claim_that_cannot_be_read_counts_as_the_workers(attempt: AttemptDir) -> None:
    assert attempt.claimed() is None
    (attempt.path / "claim").write_bytes(b"")
    assert attempt.claimed() == "worker", "it may have acted"
    assert attempt.worker() is None
    assert not attempt.claim_void()


def test_a_claim_says_which_process_it_is(attempt: AttemptDir) -> None:
    assert attempt.worker() is None
    assert attempt.claim_worker()
    assert attempt.worker() == process_mark(os.getpid())


def test_the_lock_is_held_while_the_worker_or_any_process_of_its_command_lives(
    attempt: AttemptDir,
) -> None:
    assert attempt.live() == DEAD
    handle = attempt.hold()
    assert attempt.live() == Liveness(lock_held=True, main_alive=False)
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE, pass_fds=[handle]) as command:
        attempt.write_main(command.pid)
        os.close(handle)
        assert attempt.live() == Liveness(lock_held=True, main_alive=True)
        command.kill()
        command.wait()
    assert attempt.live() == DEAD
    assert not attempt.live().alive


def test_a_command_that_closes_its_descriptors_is_known_by_its_process(
    attempt: AttemptDir,
) -> None:
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as command:
        attempt.write_main(command.pid)
        assert attempt.live() == Liveness(lock_held=False, main_alive=True)
        assert attempt.live().alive
        assert attempt.main() == process_mark(command.pid)
        command.kill()
        os.waitid(os.P_PID, command.pid, os.WEXITED | os.WNOWAIT)
        assert attempt.live() == DEAD, "a zombie does not live"
    attempt.write_main(command.pid)
    assert attempt.main() is not None, "a process that is gone leaves the record as it was"


def test_looking_at_the_lock_does_not_keep_the_worker_from_taking_it(attempt: AttemptDir) -> None:
    looks = [sys.executable, "-c", _LOOKER, str(attempt.path)]
    with subprocess.Popen(looks, stdout=subprocess.PIPE, cwd=CHECKOUT) as looker:
        assert looker.stdout is not None
        assert looker.stdout.readline() == b"looking\n"
        for _ in range(50):
            os.close(attempt.hold())
        looker.kill()


_LOOKER = """
import sys
from pathlib import Path
from state.stores.attempt_dir import AttemptDir
attempt = AttemptDir(Path(sys.argv[1]))
print("looking", flush=True)
while True:
    attempt.locked()
"""


def test_a_lock_that_stays_taken_or_was_replaced_is_refused(
    attempt: AttemptDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attempt_dir, "_HOLD_SECONDS", 0.05)
    handle = attempt.hold()
    with pytest.raises(LockTakenError, match="held by another process"):
        attempt.hold()
    os.close(handle)
    lock = attempt.path / "lock"
    real = os.open

    def replaced(path: Path, flags: int) -> int:
        opened = real(path, flags)
        lock.rename(attempt.path / "former")
        os.close(real(lock, os.O_CREAT))
        return opened

    monkeypatch.setattr(os, "open", replaced)
    with pytest.raises(LockTakenError, match="was replaced"):
        attempt.hold()


def test_a_result_is_read_as_it_was_written(attempt: AttemptDir) -> None:
    assert attempt.read_result() is None
    attempt.write_result(RESULT)
    assert attempt.read_result() == RESULT
    assert not [file for file in attempt.path.iterdir() if file.name.endswith(".new")]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "is not JSON"),
        (dump_result(RESULT)[:50], "is not JSON"),
        (b"\xff\xfe", "is not JSON"),
        (b"[" * 100_000, "is not JSON"),
        (b"[]", "does not have a result's fields"),
        (b'{"status": "succeeded"}', "does not have a result's fields"),
        (dump_result(Result("won")), "a status or an effect that is none"),
        (dump_result(Result("failed", effect="huge")), "a status or an effect that is none"),
        (dump_result(Result("failed", exit_code=True)), "a wrong value at exit_code"),
        (dump_result(Result("failed", outputs={"a": 1})), "a wrong value at outputs"),  # type: ignore[dict-item]  # what the test is about
    ],
)
def test_a_file_that_no_worker_wrote_is_corrupt_and_says_why(
    attempt: AttemptDir, content: bytes, why: str
) -> None:
    (attempt.path / "result.json").write_bytes(content)
    found = attempt.read_result()
    assert isinstance(found, Corrupt)
    assert why in found.reason


def test_a_result_that_cannot_be_written_leaves_nothing_half(
    attempt: AttemptDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        attempt.write_result(RESULT)
    assert attempt.read_result() is None
    assert not [file for file in attempt.path.iterdir() if file.name.endswith(".new")]


def test_the_first_reason_to_stop_stays(attempt: AttemptDir) -> None:
    assert attempt.stop_asked() is None
    attempt.ask_stop("took too long")
    attempt.ask_stop("aborted")
    assert attempt.stop_asked() == "took too long"


def test_everything_is_the_owners_alone(attempt: AttemptDir, tmp_path: Path) -> None:
    os.close(attempt.hold())
    attempt.claim_worker()
    attempt.write_main(os.getpid())
    attempt.ask_stop("enough")
    attempt.write_result(RESULT)
    for path in tmp_path.rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path
    with pytest.raises(FileExistsError):
        attempt.create()
    assert attempt.exists()
    assert not AttemptDir(tmp_path / "gone").exists()
    assert AttemptDir(tmp_path / "gone").live() == DEAD
    assert asdict(DEAD) == {"lock_held": False, "main_alive": False}
