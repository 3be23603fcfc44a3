"""The runbooks for newcomers do what they say, run by the real program."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.harness.program import Program, outputs, step


@pytest.fixture
def program(tmp_path: Path) -> Program:
    """The program, called in an empty folder."""
    folder = tmp_path / "here"
    folder.mkdir()
    return Program(tmp_path / "state", folder)


@pytest.fixture
def examples(repository: Path) -> Path:
    """Where the examples lie."""
    return repository / "runbooks" / "examples"


def test_first_waits_for_a_person_and_goes_on(program: Program, examples: Path) -> None:
    program.run("run", str(examples / "first.yaml"), "--headless").expect(3)
    (run,) = program.runs()
    assert run["status"] == "waiting"
    moved = Path(outputs(program.show(run["run"]), "move")["aside"])
    assert (program.cwd / moved).exists()
    program.run("resume", "--headless", "--answer", "well=done").expect(0)
    assert program.show(run["run"])["status"] == "succeeded"


@pytest.mark.parametrize(
    ("limit", "said", "status"),
    [
        ("100", [], "skipped"),
        ("0", ["--answer", "decide=nothing:it can wait"], "succeeded"),
    ],
)
def test_decide_asks_only_when_there_is_something_to_decide(
    program: Program, examples: Path, limit: str, said: list[str], status: str
) -> None:
    words = ["run", str(examples / "decide.yaml"), "-p", f"limit={limit}", "--headless", *said]
    program.run(*words).expect(0)
    shown = program.show(program.runs()[0]["run"])
    assert step(shown, "decide")["status"] == status
    assert step(shown, "caches")["status"] == "skipped"


def test_parallel_packs_in_each_place_after_its_confirmation(
    program: Program, examples: Path
) -> None:
    file = str(examples / "parallel.yaml")
    program.run("run", file, "-e", "trial", "--headless", "--yes").expect(0)
    assert (program.cwd / "build" / "trial" / "release.tar").stat().st_size > 0
    words = ["run", file, "-e", "final", "--headless", "--yes", "--confirm", "start=final"]
    program.run(*words).expect(0)
    assert (program.cwd / "build" / "final" / "release.tar").stat().st_size > 0


def test_certificates_includes_one_part_twice(program: Program, examples: Path) -> None:
    file = str(examples / "certificates.yaml")
    program.run("run", file, "--headless").expect(3)  # the second one wants a confirmation
    program.run("resume", "--headless", "--yes").expect(0)
    shown = program.show(program.runs()[0]["run"])
    made = [outputs(shown, id_)["fingerprint"] for id_ in ("web/read", "api/read")]
    assert made[0] != made[1]
    assert outputs(shown, "bundle")["count"] == "2"
    assert (program.cwd / "certificates" / "www.example.test.crt").exists()
    program.run("rollback", shown["run"], "--headless").expect(0)
    assert list((program.cwd / "certificates").iterdir()) == []
    program.run("run", file, "-p", "api=false", "--headless").expect(0)
    shown = program.show(program.runs()[0]["run"])
    assert step(shown, "api/make")["status"] == "skipped"
    assert outputs(shown, "bundle")["count"] == "1"
