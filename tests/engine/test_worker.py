"""The worker: claim, act, result; what it keeps and what it never writes down."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from runbook_tui import proc
from state.stores.attempt_dir import AttemptDir
from state.stores.output import OutputIndex
from state.stores.result import Result
from state.stores.signals import read_hosts, read_progress, read_samples
from tests.harness.attempts import Attempts, everything, result, said
from tests.harness.processes import until

SECRET = "hunter2-tok/en+9"


def effects(attempts: Attempts) -> int:
    path = attempts.base / "effect"
    return len(path.read_text().splitlines()) if path.exists() else 0


def gone(attempt: AttemptDir) -> None:
    until(lambda: not attempt.live().alive, "the end of the worker")


def test_an_act_leaves_its_result_and_frees_the_lock(attempts: Attempts) -> None:
    found, attempt = attempts.perform({"do": "effect"})

    assert found == Result(
        status="succeeded",
        exit_code=0,
        outputs={"made": "effect"},
        by_host={"h1": {"made": "here"}},
        effect="done",
    )
    assert attempt.claimed() == "worker"
    gone(attempt)
    assert effects(attempts) == 1


def test_the_worker_stands_alone_and_imports_only_what_its_action_needs(
    attempts: Attempts,
) -> None:
    found, attempt = attempts.perform({"do": "tell", "text": SECRET}, secrets=("other-secret",))

    assert found.outputs["leads"] == "True"
    assert found.outputs["told"] == "False"
    loaded = set(found.outputs["modules"].split())
    assert not loaded & {"pydantic", "yaml", "textual", "rich", "docker", "psycopg", "fabric"}
    mark = attempt.worker()
    assert mark is not None
    assert str(mark.pid) == found.outputs["pid"]


@pytest.mark.parametrize("first", ["void", "worker"])
def test_whoever_does_not_get_the_claim_leaves_without_acting(
    attempts: Attempts, first: str
) -> None:
    attempt = attempts.directory()
    assert attempt.claim_void() if first == "void" else attempt.claim_worker()

    attempts.pool.start(attempts.order(attempt, {"do": "effect"}))
    done, _ = attempts.perform({"do": "tell", "text": "behind the first"})

    assert done.status == "succeeded"
    gone(attempt)
    assert attempt.read_result() is None
    assert effects(attempts) == 0


def test_no_secret_reaches_a_file_in_any_place(attempts: Attempts) -> None:
    options = {"do": "say", "text": SECRET}

    found, attempt = attempts.perform(options, secrets=(SECRET,))

    assert found.status == "succeeded"
    whole = everything(attempts.base)
    assert SECRET.encode() not in whole
    assert json.dumps(SECRET).encode() not in whole
    log = attempt.output.read_bytes()
    assert log == b"said: ***\nand ***\ncomplained: ***\n"
    assert read_samples(attempt)[0] == [{"text": "***", "n": 1}]
    progress = read_progress(attempt)
    assert progress is not None
    assert (progress.text, progress.fraction) == ("saying ***", 0.5)
    assert read_hosts(attempt)["h1"].text == "on ***"
    evidence = {"kind": "said", "summary": "said ***", "data": {"***": ["***"]}}
    assert found.evidence == (evidence,)
    index = OutputIndex(attempt)
    assert [index.stream_of(at) for at in (0, log.index(b"comp"))] == ["stdout", "stderr"]
    assert index.time_of(0) is not None
    index.close()


def test_without_the_secret_in_the_order_the_log_is_as_said(attempts: Attempts) -> None:
    _, attempt = attempts.perform({"do": "say", "text": SECRET})

    assert attempt.output.read_bytes().startswith(f"said: {SECRET}\nand {SECRET}\n".encode())


@pytest.mark.parametrize(("unknown", "status"), [(False, "failed"), (True, "unknown")])
def test_a_failure_is_in_the_actions_words_without_the_secret(
    attempts: Attempts, unknown: bool, status: str
) -> None:
    options = {"do": "fail", "text": SECRET, "unknown": unknown}

    found, _ = attempts.perform(options, secrets=(SECRET,))

    assert found == Result(
        status=status,
        exit_code=4,
        reason="It failed at ***.",
        cause="lock_timeout",
        effect="partial",
        detail={"at": "***"},
    )


def test_a_bug_in_an_action_is_told_in_words_and_its_traceback_is_in_the_log(
    attempts: Attempts,
) -> None:
    found, attempt = attempts.perform({"do": "break", "text": SECRET}, secrets=(SECRET,))

    assert (found.status, found.effect) == ("failed", "unknown")
    assert found.reason == (
        "The action acting broke down (ValueError: a bug at ***); "
        "the traceback is at the end of the log."
    )
    log = attempt.output.read_bytes()
    assert log.startswith(b"Traceback")
    assert SECRET.encode() not in log


def test_an_action_that_cannot_be_loaded_had_no_effect(attempts: Attempts) -> None:
    found, _ = attempts.perform({}, perform="tests.engine.no_such_module")

    assert (found.status, found.effect) == ("failed", "none")
    assert "cannot be loaded" in str(found.reason)


def test_a_directory_that_is_not_there_is_told_before_anything_acts(attempts: Attempts) -> None:
    attempt = attempts.directory()
    order = attempts.order(attempt, {"do": "effect"})
    elsewhere = replace(order, job=replace(order.job, cwd=str(attempts.base / "gone")))

    attempts.pool.start(elsewhere)

    found = result(attempt)
    assert (found.status, found.effect) == ("failed", "none")
    assert str(found.reason).endswith("/gone cannot be entered: No such file or directory.")


def test_an_output_that_holds_a_secret_fails_the_step(attempts: Attempts) -> None:
    found, attempt = attempts.perform({"do": "hand on", "text": SECRET}, secrets=(SECRET,))

    assert (found.status, found.outputs, found.effect) == ("failed", {}, "done")
    assert "output token contains a secret" in str(found.reason)
    assert SECRET.encode() not in everything(attempt.path)


@pytest.mark.parametrize("mode", ["probe", "verify"])
def test_a_look_leaves_its_verdict(attempts: Attempts, mode: str) -> None:
    found, attempt = attempts.perform({"text": SECRET}, mode=mode, secrets=(SECRET,))

    assert (found.status, found.verdict, found.effect) == ("succeeded", "absent", "none")
    assert found.reason == "the file is absent"
    assert found.detail == {"found": ["effect"], "missing": []}
    assert found.outputs == {"a": "b"}
    assert found.evidence[0]["summary"] == "effect of ***"
    assert attempt.output.read_bytes() == b"looking with ***\n"


@pytest.mark.parametrize(
    ("point", "claimed", "acted", "finished"),
    [
        ("worker.before-claim", None, 0, False),
        ("worker.before-act", "worker", 0, False),
        ("worker.after-act", "worker", 1, False),
        ("worker.after-result", "worker", 1, True),
    ],
)
def test_a_worker_killed_at_a_fault_point_leaves_exactly_what_it_had_done(
    attempts: Attempts, point: str, claimed: str | None, acted: int, finished: bool
) -> None:
    attempt = attempts.start({"do": "effect"}, fault=f"{point}@step:kill")
    attempts.perform({"do": "tell", "text": "behind the first"})
    if claimed:
        until(lambda: attempt.claimed() == claimed, "the claim")
    gone(attempt)

    assert attempt.claimed() == claimed
    assert effects(attempts) == acted
    assert isinstance(attempt.read_result(), Result) is finished


def test_a_fault_of_another_step_does_nothing_and_an_error_is_a_failure(
    attempts: Attempts,
) -> None:
    other, _ = attempts.perform({"do": "effect"}, fault="worker.before-act@other:kill")
    error, _ = attempts.perform({"do": "effect"}, fault="worker.before-act:error")

    assert other.status == "succeeded"
    assert error.status == "failed"
    assert "was injected at worker.before-act" in str(error.reason)
    assert effects(attempts) == 1


def test_a_full_disk_loses_output_but_not_the_act_and_says_so(attempts: Attempts) -> None:
    attempt = attempts.directory()
    attempt.output.unlink()
    attempt.output.symlink_to("/dev/full")
    argv = ["bash", "-c", "echo 0123456789; echo done > effect"]

    attempts.pool.start(attempts.order(attempt, {"do": "run", "argv": argv}))

    found = result(attempt)
    assert found.status == "succeeded"
    assert found.reason == "11 bytes of output could not be kept: No space left on device."
    assert found.detail == {"output_lost": 11}
    assert effects(attempts) == 1


def test_a_result_that_the_disk_refuses_is_written_when_it_can_be(attempts: Attempts) -> None:
    attempt = attempts.directory()
    obstacle = attempt.path / "result.json"
    obstacle.mkdir()
    (obstacle / "in the way").touch()

    attempts.pool.start(attempts.order(attempt, {"do": "effect"}))
    until(lambda: effects(attempts) == 1, "the effect")
    assert attempt.locked()
    (obstacle / "in the way").unlink()
    obstacle.rmdir()

    assert result(attempt).status == "succeeded"


FLOOD = """
import subprocess, sys
secret = bytes.fromhex(SECRET)
line = b"\\xc3\\xa4" * 499_990 + secret + b" end\\n"
for _ in range(256):
    sys.stdout.buffer.write(line)
sys.stdout.flush()
subprocess.Popen(["sleep", "1000"], close_fds=False)
"""


def test_256_mb_of_long_lines_with_secrets_stay_within_a_small_memory(attempts: Attempts) -> None:
    program = f"SECRET = {SECRET.encode().hex()!r}\n{FLOOD}"
    options = {"do": "flood", "program": program, "ceiling": 64 << 20}

    found, attempt = attempts.perform(options, secrets=(SECRET,))

    assert found.status == "succeeded", found.reason
    assert int(found.outputs["peak_kb"]) < 96 << 10
    assert "sleep (pid" in found.outputs["note"]
    line = b"\xc3\xa4" * 499_990 + b"*** end\n"
    with attempt.output.open("rb") as log:
        for _ in range(256):
            assert log.read(len(line)) == line
        assert log.read() == b""
    until(lambda: len(proc.lock_holders(*attempt.lock_identity())) == 1, "the worker's end")
    (background,) = proc.lock_holders(*attempt.lock_identity())
    assert proc.name(background).startswith("sleep")


def test_a_program_inherits_the_lock_and_the_default_signals(attempts: Attempts) -> None:
    script = "readlink /proc/$$/fd/* | grep lock$; grep SigIgn /proc/$$/status"

    _, attempt = attempts.perform({"do": "run", "argv": ["bash", "-c", script]})

    lock, ignored = attempt.output.read_text().splitlines()
    assert lock == str(attempt.path / "lock")
    assert int(ignored.split()[1], 16) & sum(1 << (number - 1) for number in (1, 2, 13, 15)) == 0


def test_the_times_of_output_are_indexed_while_it_grows(attempts: Attempts) -> None:
    attempt = attempts.start({"do": "wait"})

    said(attempt, "waiting")
    index = OutputIndex(attempt)
    assert index.time_of(0) is not None
    index.close()
    attempts.pool.stop(str(attempt.path), "enough")
    assert result(attempt).status == "stopped"
