"""Loading: everything of the format, all problems at once, each at its place."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from runbook_tui.definition.loader import lint_paths, load, load_sources
from runbook_tui.definition.problems import DefinitionError
from tests.definition.builders import codes, loaded, problems, runbook

_HERE = Path(__file__).parent
_BROKEN = sorted((_HERE / "broken").glob("*.yaml"))
_GOOD = sorted((_HERE / "good").glob("*.yaml"))


def expected() -> dict[str, list[str]]:
    """Return the lines of expected.txt by file."""
    found: dict[str, list[str]] = {path.name: [] for path in _BROKEN}
    for line in (_HERE / "broken" / "expected.txt").read_text(encoding="utf-8").splitlines():
        found[line.split()[0]].append(line)
    return found


@pytest.mark.parametrize("path", _BROKEN, ids=lambda path: path.name)
def test_broken_files(path: Path) -> None:
    found = lint_paths([path])
    lines = [
        f"{Path(one.file).name} {one.line} {one.column} {one.code}"
        for one in found
        if Path(one.file).name == path.name
    ]
    assert lines == expected()[path.name]
    for problem in found:
        assert (
            problem.message[:1] != problem.message[:1].upper() or not problem.message[0].isalpha()
        )
        assert problem.message.isprintable()
        assert problem.show().splitlines()[0].startswith(f"{path.parent}/")


def test_there_are_enough_kinds_of_broken_files() -> None:
    assert len(_BROKEN) >= 40
    silent = {name for name, lines in expected().items() if not lines}
    assert silent == {"include-target.yaml"}


@pytest.mark.parametrize("path", _GOOD, ids=lambda path: path.name)
def test_good_files(path: Path) -> None:
    assert [problem.show() for problem in lint_paths([path])] == []


def test_a_folder_is_linted_whole(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "a.yaml").write_text("runbook: A\n")
    (tmp_path / "b.yml").write_text("runbook: B\n")
    (tmp_path / "c.txt").write_text("runbook: C\n")
    assert {Path(one.file).name for one in lint_paths([tmp_path])} == {"a.yaml", "b.yml"}


def test_problems_are_shown_with_a_caret() -> None:
    (problem,) = problems("- run: echo\n  tiemout: 5s")
    assert problem.show().splitlines() == [
        'main.yaml:6:9: error: unknown key "tiemout"',
        "    6 |         tiemout: 5s",
        "      |         ^",
        '        did you mean "timeout"?',
    ]


def test_problems_show_foreign_text_inert() -> None:
    with pytest.raises(DefinitionError) as raised:
        load_sources("f.yaml", {"f.yaml": "x\u202ey\x1b[2J: [@click=quit]".encode()})
    assert str(raised.value).replace("\n", "").isprintable()


def test_what_is_wrong_in_one_part_hides_nothing_in_the_others() -> None:
    steps = """
    - id: a
      run: {script: echo, outputs: [rev], pty: maybe}
      timeout: ten
    - {id: b, run: 'echo "${{ steps.a.rev }}" "${{ steps.a.exit_code }}"', onfailure: ask}
    - {id: c, rnu: echo}
    - {id: d, run: 'echo "${{ steps.c.x }}" "${{ bad }}"', when: {step: c, status: failed}}
    """
    assert codes(steps, "parameters: {bad: {patern: x}}\n") == [
        "unknown-key",
        "type",
        "value",
        "unknown-key",
        "unknown-action",
    ]


def test_files_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(DefinitionError) as raised:
        load(tmp_path / "none.yaml")
    assert "no such file" in raised.value.problems[0].message
    assert [one.code for one in problems("- run: echo", "rollback: none.yaml\n")] == [
        "missing-file"
    ]


def test_stored_bytes_load_like_files(tmp_path: Path) -> None:
    (tmp_path / "main.yaml").write_text(runbook("- run: echo", "environments: sub/e.yaml\n"))
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "e.yaml").write_text("only: {vars: {a: b}}\n")
    first = load(tmp_path / "main.yaml")
    again = load_sources(str(tmp_path / "main.yaml"), first.sources)
    assert set(first.sources) == {"main.yaml", "sub/e.yaml"}
    assert again.sources == first.sources
    assert again.environments["only"].vars == {"a": "b"}


def test_what_was_checked_when_the_run_began_is_not_checked_again() -> None:
    once = {"f.yaml": runbook("- run: echo ${{ nonsense }}").encode()}
    with pytest.raises(DefinitionError, match="nonsense"):
        load_sources("f.yaml", once)
    assert load_sources("f.yaml", once, checked=True).runbook.phases
    with pytest.raises(DefinitionError):
        load_sources("f.yaml", {"f.yaml": b"phases: ["}, checked=True)


def test_references_in_overlays_are_those_of_their_environment() -> None:
    head = """
    environments:
      one: {vars: {a: x}, steps: {s: {run: 'echo "${{ env.a }}"'}}}
      two: {vars: {b: x}, steps: {s: {run: 'echo "${{ env.a }}" ${{ p }}'}}}
    parameters: {p: {}}
    """
    found = problems("- {id: s, run: echo}", head)
    assert [(one.line, one.code) for one in found] == [(5, "undefined"), (5, "script")]


def test_each_include_and_background_are_known() -> None:
    head = "environments: {e: {hosts: {app: [a-1]}}}\n"
    steps = """
    - id: soak
      background: true
      monitor: {for: 5m, http: [{url: "http://127.0.0.1/"}]}
    - id: roll
      each: {host: app, batch: 25%}
      steps:
        - {id: stop, ssh: {hosts: "${{ host }}", script: 'echo "${{ host.address }}"'}}
        - {id: begin, run: 'echo "${{ steps.stop.exit_code }}"'}
    - {id: part, include: {file: part.yaml, with: {ca: both}}}
    - {id: use, run: 'echo "${{ steps.part.made }}" "${{ steps.begin.exit_code }}"'}
    - join: soak
    """
    part = """
    runbook: Part
    parameters: {ca: {}}
    outputs: {made: "${{ ca }}"}
    phases: [{phase: One, steps: [{run: 'echo "${{ ca }}"'}]}]
    """
    assert loaded(steps, head, part=part).problems == ()


@pytest.mark.parametrize(
    ("script", "code"),
    [
        ("echo ${{ safe }}", None),
        ("echo ${{ chosen }}", None),
        ("echo ${{ flag }}", None),
        ("echo ${{ run.id }}", None),
        ("echo ${{ free }}", "script"),
        ('echo ${{ safe | "a b" }}', "script"),
        ('v=${{ free }}; echo "$v"', None),
        ("echo $((${{ safe }} + 1))", None),
        ("echo $((${{ free }} + 1))", "script"),
        ('sh -c "${{ free }}"', "script"),
        ('sh -c \'echo "$1"\' sh "${{ free }}"', None),
        ('curl -H "${{ pin }}"', "secret-argument"),
        ('echo "${{ pin }}" | curl -K -', None),
        ('PIN="${{ pin }}" curl', None),
        ('curl -K - <<< "${{ pin }}"', None),
        ("curl -K - <<END\n${{ pin }}\nEND", None),
    ],
)
def test_references_in_scripts(script: str, code: str | None) -> None:
    head = """
    parameters:
      safe: {pattern: 'v\\d+'}
      chosen: {choices: [a, b]}
      flag: {type: bool}
      free: {}
      pin: {secret: true}
    """
    body = "- run: |\n" + "\n".join(f"    {line}" for line in script.split("\n"))
    found = codes(body, head)
    if code is None:
        assert found == []
    else:
        assert code in found


def test_an_unusable_environments_file_hides_no_other_problem() -> None:
    found = codes(
        "- {run: 'echo \"${{ env.a }}\"', tiemout: 5s}", "environments: e.yaml\n", e="a: ["
    )
    assert found == ["syntax", "unknown-key"]


def test_ten_thousand_steps_in_reasonable_time() -> None:
    """A bound against quadratic growth only: the real figure is in the benchmarks."""
    steps = "\n".join(
        f"- {{id: s{n}, name: Step {n}, run: 'echo \"${{{{ v }}}}\"', timeout: 5m}}"
        for n in range(10_000)
    )
    text = runbook(steps, "parameters: {v: {}}\n").encode()
    begun = time.process_time()
    assert load_sources("f.yaml", {"f.yaml": text}).problems == ()
    assert time.process_time() - begun < 60


def test_reading_needs_no_screen() -> None:
    code = "import sys, runbook_tui.definition.loader; print('textual' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
