"""`run`: scripts and programs, what they get and what they hand on."""

from __future__ import annotations

import stat
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import ValidationError

from runbook_tui.actions import registry
from runbook_tui.actions.api import Outcome
from state.status import Verdict
from tests.harness.actions import Bench, act, context, look, refused

HOSTILE = "'; touch hacked #`touch hacked`$(touch hacked)\n*"


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def text(bench: Bench, options: object, **more: dict[str, str]) -> tuple[Outcome, str]:
    job = bench.job("run", options, **more)  # type: ignore[arg-type]  # names of Bench.job
    recorder = context(job)
    return act(job, recorder), recorder.text()


def test_a_script_runs_strictly_and_its_values_are_inert(bench: Bench) -> None:
    script = 'printf "%s" "${RUNBOOK_V_1}"; set -o | grep -E "^(errexit|nounset|pipefail)"'
    outcome, log = text(bench, script, variables={"RUNBOOK_V_1": HOSTILE})
    assert log.startswith(HOSTILE)
    assert [line.split()[1] for line in log.removeprefix(HOSTILE).splitlines()] == ["on"] * 3
    assert not (bench.cwd / "hacked").exists()
    assert (outcome.exit_code, outcome.evidence[0].data["code"]) == (0, 0)
    assert outcome.evidence[0].summary == "exit code 0"


@pytest.mark.parametrize(
    ("options", "log"),
    [
        ({"script": "echo $0 $-", "shell": "sh"}, " ue\n"),
        ({"script": "print(1 + 1)", "shell": "python3"}, "2\n"),
        ({"script": "false; echo on", "shell": "bash -x"}, "+ false\n+ echo on\non\n"),
        ({"argv": ["printf", "%s-%s", "$HOME", 7]}, "$HOME-7"),
        ({"script": "cat; echo $GREETING", "stdin": "in\n", "env": {"GREETING": 5}}, "in\n5\n"),
        ({"script": "pwd", "cwd": "sub"}, "/sub\n"),
        ({"script": "test -t 1 && echo terminal", "pty": True}, "terminal\r\n"),
        ("cat; echo end", "end\n"),
    ],
)
def test_ways_to_run(bench: Bench, options: object, log: str) -> None:
    (bench.cwd / "sub").mkdir()
    assert text(bench, options)[1].endswith(log)


def test_outputs_are_handed_on_and_their_file_is_gone(bench: Bench) -> None:
    script = 'echo rev=a1 >> "$RUNBOOK_OUTPUT"; echo "$RUNBOOK_RUN/$RUNBOOK_STEP"'
    outcome, log = text(bench, {"script": script, "outputs": {"rev": {"pattern": r"\w+"}}})
    assert outcome.outputs == {"rev": "a1"}
    assert log == f"{bench.run}/{bench.step}\n"
    assert not (bench.attempt(1) / "outputs").exists()
    assert stat.S_IMODE((bench.attempt(1) / "script").stat().st_mode) == 0o600


def test_a_removed_file_of_outputs_hands_nothing_on(bench: Bench) -> None:
    script = 'rm "$RUNBOOK_OUTPUT"'
    assert text(bench, {"script": script})[0].outputs == {}
    failure = refused(bench.job("run", {"script": script, "outputs": ["rev"]}))
    assert failure.sentence.startswith("The script ran, but: The output rev is missing")


@pytest.mark.parametrize(
    ("script", "sentence"),
    [
        ("echo a=1 > $RUNBOOK_OUTPUT", "The script ran, but: The output a is not declared."),
        ("true", "The script ran, but: The output rev is missing"),
        (
            "echo rev=${RUNBOOK_V_1} > $RUNBOOK_OUTPUT",
            "The script ran, but: The output rev contains",
        ),
        ("exit 3", "exit 3 ended with exit code 3."),
        ('[ "${RUNBOOK_V_1}" = no ]', "The script ended with exit code 1."),
        ("kill -9 $$", "kill -9 $$ was ended by SIGKILL."),
        ("# why\nfalse | true\necho no", "false | true ended with exit code 1."),
    ],
)
def test_failures(bench: Bench, script: str, sentence: str) -> None:
    options = {"script": script, "outputs": ["rev"]}
    job = bench.job("run", options, variables={"RUNBOOK_V_1": "swordfish"}, secrets=["swordfish"])
    failure = refused(job)
    assert failure.sentence.startswith(sentence)
    assert failure.effect == "unknown"
    assert not (bench.attempt(1) / "outputs").exists()


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"argv": ["nowhere-to-be-found"]}, "nowhere-to-be-found could not be started: No such"),
        ({"script": "true", "cwd": "nowhere"}, "The directory "),
        ({"argv": ["echo", "key=swordfish"]}, "Argument 1 of the command contains a secret"),
    ],
)
def test_what_cannot_begin_has_no_effect(
    bench: Bench, options: dict[str, object], sentence: str
) -> None:
    failure = refused(bench.job("run", options, secrets=["swordfish"]))
    assert failure.sentence.startswith(sentence)
    assert failure.effect == "none"
    assert "swordfish" not in failure.sentence


def test_secrets_come_in_private_files_that_do_not_stay(bench: Bench) -> None:
    script = (
        'stat -c %a "$KEY_FILE"; stat -f -c %T "$KEY_FILE"; wc -c < "$KEY_FILE"; echo $KEY_FILE'
    )
    job = replace(bench.job("run", script), secret_files={"KEY": "swordfish"})
    recorder = context(job)
    act(job, recorder)
    mode, system, size, path = recorder.text().split()
    assert (mode, system, size) == ("600", "tmpfs", "9")
    assert not Path(path).parent.exists()


def test_only_verify_can_prove_a_script(bench: Bench) -> None:
    assert look(bench.job("run", "true")).verdict is Verdict.UNKNOWN


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({}, "give either script or argv"),
        ({"script": "a", "argv": ["a"]}, "give either script or argv"),
        ({"script": " \n"}, "the script is empty"),
        ({"script": "a", "pty": True, "stdin": ""}, "a step with a pty cannot have stdin"),
        ({"script": "a", "outputs": ["a-b"]}, "should match pattern"),
        ({"script": "a", "outputs": {"a": {"pattern": "("}}}, "is no regular expression"),
    ],
)
def test_options_that_are_refused(options: dict[str, object], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        registry.spec("run").options.model_validate(options)
