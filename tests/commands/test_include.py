"""Included runbooks as the command line has them: one run, ids with the include's before them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from runbook_tui import exits
from runbook_tui.commands.place import reader
from tests.commands.conftest import Program, newest, write
from tests.harness.processes import until

_PART = """\
runbook: Part
parameters: {name: {pattern: '[a-z]+'}, times: {default: "2"}}
outputs: {said: "${{ steps.say.said }}"}
phases:
  - phase: Say
    steps:
      - id: say
        run:
          script: 'echo "said=hello ${{ name }}, ${{ times }} times" >> "$RUNBOOK_OUTPUT"'
          outputs: [said]
        undo: {run: 'echo "unsaid ${{ steps.say.said }}" >> undone'}
      - id: both
        parallel:
          - {id: gate, name: Gate, run: 'test -e "open-${{ name }}"'}
          - {id: beside, run: 'true'}
      - {id: look, name: Look, manual: {text: "Look at ${{ name }}"}}
"""
_STEPS = """
- {id: who, run: {script: 'echo "name=ann" >> "$RUNBOOK_OUTPUT"', outputs: [name]}}
- {id: one, name: The first, include: {file: part.yaml, with: {name: "${{ steps.who.name }}"}}}
- id: two
  when: {value: "${{ more }}", is: "yes"}
  include: {file: part.yaml, with: {name: "bob"}}
- id: use
  run:
    script: |
      echo "both=${{ steps.one.said }}/${{ steps.two.said | "nobody" }}" >> "$RUNBOOK_OUTPUT"
    outputs: [both]
"""
_HEAD = 'parameters: {more: {default: "no"}}\n'


def test_a_run_goes_through_its_includes_and_on_after_a_failure(program: Program) -> None:
    write("main.yaml", _STEPS, _HEAD)
    Path("part.yaml").write_text(_PART)
    ran = program("run", "main.yaml", "--headless", "--answer", "one/look=done")
    assert ran.code == exits.FAILED
    assert "give --answer one/gate=CHOICE" in ran.out
    run = newest(program)
    # What it began with is kept: the files change, the run does not.
    Path("part.yaml").write_text(_PART.replace("hello", "changed"))
    Path("open-ann").touch()
    ran = program("resume", run, "--headless", *_answers("one/gate=retry", "one/look=done:seen"))
    assert ran.code == exits.DONE

    shown = program("show", run, "--json").json()
    stands = {one["id"]: one["status"] for one in shown["steps"]}
    assert stands == {
        "who": "succeeded",
        **{f"one/{id_}": "succeeded" for id_ in ("say", "gate", "beside", "look")},
        **{f"two/{id_}": "skipped" for id_ in ("say", "gate", "beside", "look")},
        "use": "succeeded",
    }
    use = next(one for one in shown["steps"] if one["id"] == "use")
    assert use["outputs"]["both"] == "hello ann, 2 times/nobody"
    gate = next(one for one in shown["steps"] if one["id"] == "one/gate")
    assert [Path(one["log"]).parent.name for one in gate["attempts"]] == [
        "one+gate.1",
        "one+gate.2",
    ]
    assert program("log", run, "one/gate").code == 0
    judged = [json.loads(line) for line in program("events", run).out.splitlines()]
    line = [one["data"] for one in judged if one["data"].get("step") == "one"]
    assert [(one["status"], one["outputs"]) for one in line] == [
        ("succeeded", {"said": "hello ann, 2 times"})
    ]

    assert program("rollback", run, "--headless").code == exits.DONE
    assert Path("undone").read_text() == "unsaid hello ann, 2 times\n"
    assert program("audit", run).code == 0


def _answers(*given: str) -> list[str]:
    return [word for one in given for word in ("--answer", one)]


def test_what_is_handed_must_be_what_the_parameter_allows(program: Program) -> None:
    """The value is known only when the step becomes ready: it stops there, nothing has run."""
    write("main.yaml", _STEPS.replace("name=ann", "name=Not a name"), _HEAD)
    Path("part.yaml").write_text(_PART)
    assert program("run", "main.yaml", "--headless").code == exits.FAILED
    shown = program("show", newest(program), "--json").json()
    say = next(one for one in shown["steps"] if one["id"] == "one/say")
    assert say["attempts"] == []
    assert say["reason"].startswith("say cannot begin: ${{ one/name }} must match [a-z]+")


def test_an_answer_for_what_is_in_no_include_is_refused(program: Program) -> None:
    write("main.yaml", _STEPS, _HEAD)
    Path("part.yaml").write_text(_PART)
    ran = program("run", "main.yaml", "--headless", "--answer", "one/gat=retry")
    assert ran.code == exits.USAGE
    assert "there is no step one/gat" in ran.err
    assert "one/gate" in ran.err
    ran = program("run", "main.yaml", "--headless", "--answer", "gate=retry")
    assert ran.code == exits.USAGE


def test_a_plan_shows_the_steps_of_an_include(program: Program) -> None:
    write("main.yaml", _STEPS, _HEAD)
    Path("part.yaml").write_text(_PART)
    ran = program("plan", "main.yaml", "-p", "more=yes")
    assert ran.code == exits.DONE
    assert "Look" in ran.out
    assert program("doctor", "main.yaml").code == exits.DONE


def test_the_files_are_kept_byte_for_byte(program: Program) -> None:
    write("main.yaml", "- {id: i, include: deep/part.yaml}")
    Path("deep").mkdir()
    part = b"runbook: Part\r\nphases: [{phase: P, steps: [{include: more.yaml}]}]\r\n"
    more = b"runbook: More  \nphases: [{phase: P, steps: [{id: x, run: 'true'}]}]\n"
    Path("deep/part.yaml").write_bytes(part)
    Path("deep/more.yaml").write_bytes(more)
    assert program("run", "main.yaml", "--headless").code == exits.DONE
    run = newest(program)
    with reader() as store:
        kept = store.journal.sources(run)
    assert kept == {
        "main.yaml": Path("main.yaml").read_bytes(),
        "deep/part.yaml": part,
        "deep/more.yaml": more,
    }
    shown = program("show", run, "--json").json()
    assert [one["id"] for one in shown["steps"]] == ["i/include/x"]


def test_choosing_the_end_skips_the_rest_of_an_include(program: Program) -> None:
    part = """\
runbook: Part
phases:
  - phase: Only
    steps:
      - {id: a, run: 'true'}
      - {id: pick, manual: {text: Go on?, choices: {go: Go on, halt: {label: Stop, then: end}}}}
      - {id: b, run: 'true'}
"""
    write("main.yaml", "- {id: p, include: part.yaml}\n- {id: last, run: 'true'}")
    Path("part.yaml").write_text(part)
    assert program("run", "main.yaml", "--headless", "--answer", "p/pick=halt").code == exits.DONE
    shown = program("show", newest(program), "--json").json()
    assert [(one["id"], one["status"]) for one in shown["steps"]] == [
        ("p/a", "succeeded"),
        ("p/pick", "succeeded"),
        ("p/b", "skipped"),
        ("last", "skipped"),
    ]


def test_a_killed_program_and_a_changed_include(program: Program) -> None:
    """The step that runs goes on and is found again; what comes after it is the changed file's."""
    part = """\
runbook: Part
phases:
  - phase: Only
    steps:
      - {id: long, run: 'echo x >> begun; until test -e on; do sleep 0.1; done; echo long >> done'}
      - {id: after, run: 'echo old >> done'}
"""
    write("main.yaml", "- {id: p, include: part.yaml}")
    Path("part.yaml").write_text(part)
    driver = subprocess.Popen(
        [sys.executable, "-m", "runbook_tui", "run", "main.yaml", "--headless"],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        until(Path("begun").exists)
        driver.kill()
        driver.wait(timeout=120)
        Path("part.yaml").write_text(part.replace("echo old", "echo new"))
        Path("on").touch()
        run = newest(program)
        assert program("resume", run, "--headless", "--adopt-changes").code == exits.DONE
    finally:
        Path("on").touch()
        driver.kill()
        driver.wait(timeout=120)
    assert Path("begun").read_text() == "x\n"
    assert Path("done").read_text() == "long\nnew\n"
    shown = program("show", run, "--json").json()
    assert [len(one["attempts"]) for one in shown["steps"]] == [1, 1]
