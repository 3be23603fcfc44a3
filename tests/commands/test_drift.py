"""Files that change while a run is not over: told, left alone, and adopted when that is asked."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from runbook_tui import exits
from tests.commands.conftest import Program, newest, write

_HEAD = """\
environments:
  here: {vars: {word: old}}
parameters: {name: {default: ann}}
"""
_STEPS = """
- {id: a, run: 'echo a >> done'}
- id: g
  parallel:
    - {id: gate, run: 'test -e open && echo gate >> done'}
    - {id: beside, run: 'true'}
- {id: part, include: {file: part.yaml, with: {who: "${{ name }}"}}}
- {id: b, run: 'echo "b ${{ env.word }}" >> done'}
- {id: c, run: 'echo c >> done'}
"""
_PART = """\
runbook: Part
parameters: {who: {}}
phases: [{phase: P, steps: [{id: say, run: 'echo "say ${{ who }}" >> done'}]}]
"""


@pytest.fixture
def stuck(program: Program) -> str:
    """A run that stands at its second step."""
    write("main.yaml", _STEPS, _HEAD)
    Path("part.yaml").write_text(_PART)
    assert program("run", "main.yaml", "-e", "here", "--headless").code == exits.FAILED
    Path("open").touch()
    return newest(program)


def _done() -> list[str]:
    return Path("done").read_text().splitlines()


def _change(old: str, new: str, file: str = "main.yaml") -> None:
    text = Path(file).read_text()
    assert old in text
    Path(file).write_text(text.replace(old, new))


_RETRY = ("--headless", "--answer", "gate=retry")


def test_changed_files_are_told_of_and_left_alone(program: Program, stuck: str) -> None:
    _change("echo c", "echo changed")
    _change("say", "shout", "part.yaml")
    _change("word: old", "word: new")
    ran = program("resume", stuck, *_RETRY)
    assert ran.code == exits.DONE
    assert "changed since: part/shout, b, c, part/say. Unless that is adopted" in ran.out
    assert _done() == ["a", "gate", "say ann", "b old", "c"]
    shown = program("show", stuck)
    assert "definition: as at the start" in shown.out


def test_a_change_is_adopted_for_what_has_not_begun(program: Program, stuck: str) -> None:
    _change("echo a >>", "echo again >>")
    _change("echo gate", "echo other")
    _change("test -e open", "test -e closed")
    _change("- {id: c", "- {id: n, run: 'echo n >> done'}\n      - {id: c")
    _change("word: old", "word: new")
    _change("say ${{ who }}", "hi ${{ who }}", "part.yaml")
    ran = program("resume", stuck, *_RETRY, "--adopt-changes")
    assert ran.code == exits.DONE
    # The group has begun: its steps are tried again as they were.
    assert _done() == ["a", "gate", "hi ann", "b new", "n", "c"]
    assert "the change is adopted by" in ran.out
    assert "a, gate had begun and stay as they were" in ran.out
    shown = program("show", stuck, "--json").json()
    assert [one["id"] for one in shown["steps"]] == [
        *("a", "gate", "beside", "part/say", "b", "n", "c")
    ]
    (adopted,) = shown["adopted"]
    assert sorted(adopted["changed"]) == ["a", "b", "gate", "n", "part/say"]
    assert set(adopted["kept"]) == {"a", "g", "gate", "beside"}
    assert "definition: changed on" in program("show", stuck).out
    assert program("audit", stuck).code == 0


def test_every_later_session_goes_by_what_was_adopted(program: Program, stuck: str) -> None:
    """The files are gone, and change again: only what was adopted counts, and each by its time."""
    _change("echo c", "test -e free && echo adopted")
    _change("word: old", "word: second")
    first = program("resume", stuck, *_RETRY, "--adopt-changes")
    assert first.code == exits.FAILED
    assert "c: failed" in first.out
    kept = {name: Path(name).read_text() for name in ("main.yaml", "part.yaml")}
    Path("main.yaml").unlink()
    Path("part.yaml").unlink()
    ran = program("resume", stuck, "--headless")
    assert ran.code == exits.FAILED
    assert "changed since: main.yaml, part.yaml" in ran.out
    for name, text in kept.items():
        Path(name).write_text(text)
    assert "changed since" not in program("resume", stuck, "--headless").out

    _change("echo adopted", "echo twice")
    Path("main.yaml").write_text(
        Path("main.yaml").read_text() + "      - {id: last, run: 'echo last >> done'}\n"
    )
    assert program("resume", stuck, "--headless", "--adopt-changes").code == exits.FAILED
    Path("free").touch()
    assert program("resume", stuck, "--headless", "--answer", "c=retry").code == exits.DONE
    assert _done() == ["a", "gate", "say ann", "b second", "adopted", "last"]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("- {id: a, run: 'echo a >> done'}", "- {id: z, run: echo}", "has begun and is not there"),
        ("- {id: a,", "- {id: z, run: echo}\n      - {id: a,", "z (z) has not begun and stands"),
        ("echo c", "echo '${{ nothing }}'", "main.yaml:"),
        ("{name: {default: ann}}", "{name: {}, more: {}}", 'the parameter "more" is missing'),
        ("here:", "there:", 'There is no environment "here"'),
    ],
)
def test_what_cannot_be_adopted_is_said(
    program: Program, stuck: str, old: str, new: str, said: str
) -> None:
    _change(old, new)
    before = program("events", stuck).out
    ran = program("resume", stuck, *_RETRY, "--adopt-changes")
    assert ran.code == exits.USAGE
    assert "cannot be adopted" in ran.err
    assert said.casefold() in ran.err.casefold()
    assert "Go on with what the run began with" in ran.err
    assert program("events", stuck).out == before
    ran = program("resume", stuck, *_RETRY)
    assert ran.code == exits.DONE
    assert "That cannot be adopted" in ran.out


def test_what_has_begun_cannot_change_places(program: Program, stuck: str) -> None:
    text = Path("main.yaml").read_text()
    first = "      - {id: a, run: 'echo a >> done'}\n"
    Path("main.yaml").write_text(text.replace(first, "") + first)
    ran = program("resume", stuck, *_RETRY, "--adopt-changes")
    assert ran.code == exits.USAGE
    assert "has begun and stands elsewhere now" in ran.err


def test_an_answer_may_be_for_a_step_that_is_adopted(program: Program, stuck: str) -> None:
    _change("- {id: c", "- {id: n, name: New, manual: {text: Look}}\n      - {id: c")
    options = (*_RETRY, "--answer", "n=done:looked")
    assert program("resume", stuck, *options).code == exits.USAGE
    assert program("resume", stuck, *options, "--adopt-changes").code == exits.DONE


def test_nothing_to_adopt_is_no_error(program: Program, stuck: str) -> None:
    ran = program("resume", stuck, *_RETRY, "--adopt-changes")
    assert ran.code == exits.DONE
    kinds = [json.loads(line)["kind"] for line in program("events", stuck).out.splitlines()]
    assert "definition_adopted" not in kinds


def test_a_rollback_goes_by_what_each_step_went_by(program: Program) -> None:
    steps = """
- {id: a, run: 'echo a', undo: {run: 'echo "a ${{ env.word }}" >> undone'}}
- {id: stop, run: 'test -e open'}
- {id: b, run: 'echo b', undo: {run: 'echo "b ${{ env.word }}" >> undone'}}
"""
    write("main.yaml", steps, _HEAD)
    assert program("run", "main.yaml", "-e", "here", "--headless").code == exits.FAILED
    run = newest(program)
    Path("open").touch()
    _change("word: old", "word: new")
    _change('"a ', '"changed ')
    ran = program("resume", run, "--headless", "--answer", "stop=retry", "--adopt-changes")
    assert ran.code == exits.DONE
    assert program("rollback", run, "--headless").code == exits.DONE
    assert Path("undone").read_text().splitlines() == ["b new", "a old"]


def test_a_list_that_is_fixed_stays(program: Program) -> None:
    steps = """
- id: all
  each: {item: [x, y]}
  steps:
    - {id: say, run: 'test -e "open-${{ item }}" && echo "${{ item }}" >> done'}
- {id: last, run: 'echo last >> done'}
"""
    write("main.yaml", steps)
    Path("open-x").touch()
    assert program("run", "main.yaml", "--headless").code == exits.FAILED
    run = newest(program)
    _change("[x, y]", "[x, y, z]")
    _change("echo last", "echo new")
    Path("open-y").touch()
    ran = program("resume", run, "--headless", "--answer", "say@y=retry", "--adopt-changes")
    assert ran.code == exits.DONE
    assert _done() == ["x", "y", "new"]


def test_an_exported_run_brings_what_it_adopted(
    program: Program, stuck: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _change("echo c", "echo adopted")
    assert program("resume", stuck, *_RETRY, "--adopt-changes").code == exits.DONE
    shown = program("show", stuck).out
    assert program("export", stuck, "-o", "run.tar.gz").code == exits.DONE
    monkeypatch.setenv("RUNBOOK_STATE", str(tmp_path / "elsewhere"))
    assert program("import", "run.tar.gz").code == exits.DONE
    there = program("show", stuck).out.splitlines(keepends=True)
    assert "".join(line for line in there if "imported from" not in line) == shown
    assert program("audit", stuck).code == exits.DONE


def test_another_version_of_the_program_is_told_of(
    program: Program, stuck: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runbook_tui.__version__", "9.9.9")
    ran = program("resume", stuck, *_RETRY)
    assert ran.code == exits.DONE
    assert "with version 9.9.9; it began with" in ran.out
    assert "driven last by 9.9.9" in program("show", stuck).out
