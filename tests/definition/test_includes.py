"""Included runbooks in a plan: their names, what they are handed, what holds from outside."""

from __future__ import annotations

from dataclasses import replace

import pytest

from runbook_tui.definition.instances import expand
from runbook_tui.definition.plan import Condition, FixedList, Instance, PlanStep, When
from runbook_tui.definition.problems import Problem
from runbook_tui.definition.rollback import Done, make_rollback_plan, step_ids
from tests.definition.builders import codes, planned, problems

_HEAD = """
environments:
  defaults: {vars: {image: app}}
  staging: {vars: {}}
  production: {protected: true, steps: {part/mint: {run: echo overlaid}}}
parameters: {version: {default: v1}}
"""
_STEPS = """
- {id: first, run: {script: echo, outputs: [made]}}
- id: part
  include: {file: part.yaml, with: {ca: "${{ steps.first.made }}.crt"}}
  when: {value: "${{ version }}", is: v1}
  confirm: ask
  no_return: keys are out
- {id: use, run: 'echo "${{ steps.part.cert }}"'}
"""
_PART = """
runbook: Tokens
parameters: {ca: {}, days: {default: "30"}}
outputs: {cert: "${{ steps.mint.cert }}"}
phases:
  - phase: Inner
    when: {value: "${{ days }}", set: true}
    steps:
      - id: mint
        run: {script: 'echo "${{ ca }}" "${{ env.image }}"', outputs: [cert]}
        undo: {run: 'echo "${{ steps.mint.cert }}"'}
        verify: {run: 'test -n "${{ ca }}"'}
        help: "For ${{ ca }}"
      - id: both
        parallel:
          - {id: a, run: echo}
          - {id: b, run: echo, when: {step: mint, status: succeeded}}
      - {id: soak, check: {run: 'true'}, background: true}
      - {id: rest, wait: {for: 1s, since: mint}}
      - {id: met, join: soak}
"""


def _planned(environment: str = "staging") -> dict[str, PlanStep]:
    plan = planned(_STEPS, _HEAD, environment, part=_PART)
    return {step.id: step for step in (*plan.steps(), *plan.includes())}


def test_its_steps_stand_in_the_run_under_its_id() -> None:
    plan = planned(_STEPS, _HEAD, "staging", part=_PART)
    assert [step.id for step in plan.steps()] == [
        "first",
        "part/mint",
        "part/a",
        "part/b",
        "part/soak",
        "part/rest",
        "part/met",
        "use",
    ]
    assert [group.id for group in plan.groups()] == ["part/both"]
    assert [step.id for step in plan.includes()] == ["part"]
    assert {step.phase for step in plan.steps()} == {"Only"}


def test_names_of_the_file_are_its_own() -> None:
    steps = _planned()
    mint = steps["part/mint"]
    assert mint.options["script"] == 'echo "${{ part/ca }}" "${{ env.image }}"'
    assert mint.undo is not None
    assert mint.verify is not None
    assert mint.undo.options == {"script": 'echo "${{ steps.part/mint.cert }}"'}
    assert mint.verify.options == {"run": 'test -n "${{ part/ca }}"'}
    assert mint.help == "For ${{ part/ca }}"
    assert steps["part/b"].when[-1] == When((Condition(step="part/mint", status="succeeded"),))
    assert steps["part/b"].group == "part/both"
    assert steps["part/rest"].options == {"for": "1s", "since": "part/mint"}
    assert steps["part/met"].options == {"join": "part/soak"}
    assert steps["part"].options == {"outputs": {"cert": "${{ steps.part/mint.cert }}"}}


def test_what_it_is_handed_stays_as_written_outside() -> None:
    plan = planned(_STEPS, _HEAD, "staging", part=_PART)
    handed = {name: (one.text, one.written) for name, one in plan.handed.items()}
    assert handed == {
        "part/ca": ("${{ steps.first.made }}.crt", True),
        "part/days": ("30", False),
    }


def test_what_holds_for_the_include_holds_for_its_steps() -> None:
    steps = _planned()
    outside = When((Condition(value="version", is_="v1"),))
    inside = When((Condition(value="part/days", set_=True),))
    assert steps["part/mint"].when == (outside, inside)
    assert {steps[id_].confirm for id_ in ("part/mint", "part/a", "part/soak")} == {"ask"}
    assert steps["part/mint"].no_return == "keys are out"
    assert (steps["part"].confirm, steps["part"].when) == ("none", ())


def test_an_environment_lays_options_over_a_step_of_an_include() -> None:
    assert _planned("production")["part/mint"].options["script"] == "echo overlaid"
    assert "ca" in str(_planned("staging")["part/mint"].options["script"])


def test_its_environment_is_that_of_the_include() -> None:
    head = "environments: {staging: {vars: {a: x}}, live: {vars: {a: y}}}\n"
    part = """
    runbook: Part
    parameters: {v: {}}
    phases:
      - phase: One
        steps: [{id: x, run: 'echo "${{ v }}"'}, {id: y, run: echo, in: live}]
    """
    steps = '- {id: p, in: staging, include: {file: part.yaml, with: {v: "${{ env.a }}"}}}'
    plan = planned(steps, head, "live", part=part)
    assert [step.environment for step in plan.steps()] == ["staging", "live"]
    assert plan.handed["p/v"].environment == "staging"
    assert set(plan.environments) == {"staging", "live"}


def test_includes_of_includes() -> None:
    outer = """
    runbook: Outer
    parameters: {who: {}}
    outputs: {said: "${{ steps.deep.said }}"}
    phases:
      - phase: One
        steps:
          - {id: deep, include: {file: inner.yaml, with: {name: "Dr ${{ who }}"}}}
          - {id: tell, run: 'echo "${{ steps.deep.said }}"'}
    """
    inner = """
    runbook: Inner
    parameters: {name: {}}
    outputs: {said: "${{ steps.say.said }}"}
    phases:
      - phase: One
        steps: [{id: say, run: {script: 'echo "${{ name }}"', outputs: [said]}}]
    """
    head = "parameters: {version: {default: v1}}\n"
    steps = '- {id: o, include: {file: outer.yaml, with: {who: "${{ version }}"}}}'
    plan = planned(steps, head, outer=outer, inner=inner)
    assert [step.id for step in plan.steps()] == ["o/deep/say", "o/tell"]
    assert [(one.id, one.inside) for one in plan.includes()] == [("o/deep", "o"), ("o", None)]
    assert plan.step("o/deep/say").options["script"] == 'echo "${{ o/deep/name }}"'
    assert plan.step("o/tell").options["script"] == 'echo "${{ steps.o/deep.said }}"'
    assert plan.handed["o/deep/name"].text == "Dr ${{ o/who }}"
    assert plan.handed["o/who"].text == "${{ version }}"
    assert plan.step("o").options == {"outputs": {"said": "${{ steps.o/deep.said }}"}}


def test_a_failure_leads_where_the_include_says_unless_the_step_does() -> None:
    part = """
    runbook: Part
    phases:
      - phase: One
        steps: [{id: x, run: echo}, {id: y, run: echo, on_failure: ask}]
    """
    plan = planned("- {id: p, include: part.yaml, on_failure: continue}", part=part)
    assert [step.on_failure for step in plan.steps()] == ["continue", "ask"]


_SMALL = """
runbook: Part
parameters: {v: {pattern: 'v\\d+'}}
outputs: {out: "${{ steps.x.exit_code }}"}
phases: [{phase: One, steps: [{id: x, run: 'echo "${{ v }}"'}]}]
"""


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ("{v: v1}", []),
        ('{v: "${{ p }}"}', []),
        ("{v: nothing}", ["value"]),
        ("{}", ["missing-parameter"]),
        ("{v: v1, w: v2}", ["unknown-parameter"]),
        ('{v: "${{ secrets.S }}"}', ["secret"]),
        ('{v: "${{ hidden }}"}', ["secret"]),
        ('{v: "${{ gone }}"}', ["unknown-reference"]),
        ('{v: "${{ steps.later.exit_code }}"}', ["unavailable"]),
    ],
)
def test_what_may_be_handed(given: str, found: list[str]) -> None:
    head = """
    environments: {e: {secrets: {S: {env: S}}}}
    parameters: {p: {}, hidden: {secret: true}}
    """
    steps = f"- {{id: i, include: {{file: part.yaml, with: {given}}}}}\n- {{id: later, run: echo}}"
    assert codes(steps, head, part=_SMALL) == found


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ('"${{ secrets.S }}"', []),
        ('"Bearer ${{ hidden }}"', []),
        ("plain", ["secret"]),
    ],
)
def test_a_secret_may_be_handed_to_who_keeps_it(given: str, found: list[str]) -> None:
    head = """
    environments: {e: {secrets: {S: {env: S}}}}
    parameters: {hidden: {secret: true}}
    """
    part = """
    runbook: Part
    parameters: {s: {secret: true}}
    phases: [{phase: One, steps: [{id: x, run: {script: cat, stdin: "${{ s }}"}}]}]
    """
    steps = f"- {{id: i, include: {{file: part.yaml, with: {{s: {given}}}}}}}"
    assert codes(steps, head, part=part) == found


def test_it_sees_nothing_from_outside() -> None:
    part = """
    runbook: Part
    phases:
      - phase: One
        steps: [{id: x, run: 'echo "${{ version }}" "${{ steps.first.exit_code }}"'}]
    """
    head = "parameters: {version: {default: v1}}\n"
    found = problems("- {id: first, run: echo}\n- include: part.yaml", head, part=part)
    assert [(one.file, one.line, one.code) for one in found] == [
        ("part.yaml", 5, "unknown-reference"),
        ("part.yaml", 5, "unknown-reference"),
    ]


def test_outside_only_its_outputs_are_seen() -> None:
    steps = """
    - {id: i, include: {file: part.yaml, with: {v: v1}}}
    - {id: a, run: 'echo "${{ steps.i.out }}"'}
    - {id: b, run: 'echo "${{ steps.i/x.exit_code }}" "${{ i/v }}" "${{ steps.i.more }}"'}
    """
    found = problems(steps, part=_SMALL)
    assert [(one.line, one.code) for one in found] == [(7, "unknown-reference")] * 3


def test_an_output_is_no_secret() -> None:
    head = "parameters: {hidden: {secret: true}}\n"
    part = _SMALL.replace("steps.x.exit_code", "v").replace("pattern: 'v\\d+'", "secret: true")
    steps = "- {id: i, include: {file: part.yaml, with: {v: '${{ hidden }}'}}}"
    found = problems(steps, head, part=part)
    assert [(one.file, one.line, one.code) for one in found] == [("part.yaml", 4, "secret")]


def _chain(length: int) -> dict[str, str]:
    def file(step: str) -> str:
        return f"runbook: F\nphases: [{{phase: P, steps: [{{{step}}}]}}]"

    files = {f"f{number}": file(f"include: f{number + 1}.yaml") for number in range(1, length)}
    return {**files, f"f{length}": file("run: echo")}


def _places(found: list[Problem]) -> list[tuple[str, int, int, str]]:
    return [(one.file, one.line, one.column, one.code) for one in found]


def test_five_deep_and_no_deeper() -> None:
    assert problems("- include: f1.yaml", **_chain(5)) == []
    assert _places(problems("- include: f1.yaml", **_chain(6))) == [
        ("f5.yaml", 2, 39, "include-depth")
    ]


def test_depth_counts_along_the_longest_way() -> None:
    """A file that was read for a short way is followed again on a longer one."""
    files = _chain(6)
    steps = "- {id: short, include: f3.yaml}\n- {id: long, include: f1.yaml}"
    assert [one.code for one in problems(steps, **files)] == ["include-depth"]


def test_no_file_includes_itself() -> None:
    a = "runbook: A\nphases: [{phase: P, steps: [{include: b.yaml}]}]"
    b = "runbook: B\nphases: [{phase: P, steps: [{include: a.yaml}]}]"
    found = problems("- include: a.yaml", a=a, b=b)
    assert _places(found) == [("b.yaml", 2, 39, "include-cycle")]
    assert "main.yaml → a.yaml → b.yaml → a.yaml" in found[0].message


def test_includes_that_grow_without_measure_are_refused() -> None:
    """Five files, each included twelve times: a quarter of a million steps."""
    files = {}
    for number in range(1, 6):
        inner = f"include: f{number + 1}.yaml" if number < 5 else "run: echo"
        steps = "\n".join(f"      - {{id: s{count}, {inner}}}" for count in range(12))
        files[f"f{number}"] = f"runbook: F\nphases:\n  - phase: P\n    steps:\n{steps}"
    found = problems("- include: f1.yaml", **files)
    assert _places(found) == [("main.yaml", 5, 18, "too-many-steps")]


def test_overlays_are_checked_under_the_ids_of_the_run() -> None:
    head = """
    environments:
      live:
        protected: true
        steps:
          part/mint: {run: 'echo "${{ ca }}"'}
          part/mind: {timeout: 1s}
          mint: {timeout: 1s}
      other: {steps: {part/mint: {tag: {name: x}}, part/a: {confirm: ask}}}
    """
    steps = "- {id: part, include: {file: part.yaml, with: {ca: x}}}"
    part = _PART.replace("${{ env.image }}", "image")
    found = problems(steps, head, part=part)
    assert [(one.file, one.line, one.code) for one in found] == [
        ("main.yaml", 8, "unknown-step"),
        ("main.yaml", 9, "unknown-step"),
        ("main.yaml", 10, "overlay"),
        ("part.yaml", 16, "confirm"),
    ]


def test_an_each_inside_an_include() -> None:
    part = """
    runbook: Part
    parameters: {names: {}, at_once: {default: "2"}}
    phases:
      - phase: P
        steps:
          - id: all
            each: {item: "${{ names }}", batch: "${{ at_once }}"}
            steps:
              - {id: say, run: {script: 'echo "${{ item }}"', outputs: [said]}}
              - {id: tell, run: 'echo "${{ steps.say.said }}"'}
    """
    steps = '- {id: p, confirm: ask, include: {file: part.yaml, with: {names: "x,y"}}}'
    plan = planned(steps, part=part)
    (group,) = plan.groups()
    assert group.each is not None
    assert (group.id, group.inside, group.each.names) == ("p/all", "p", "${{ p/names }}")
    assert (group.each.batch, group.each.head.id) == ("${{ p/at_once }}", "p/all")
    assert [one.id for one in group.each.templates] == ["p/say", "p/tell"]
    assert {one.confirm for one in group.each.templates} == {"ask"}
    assert group.each.head.confirm == "none"
    lists = {"p/all": FixedList((Instance("x", "x"), Instance("y", "y")), 2)}
    ids = [step.id for step in expand(plan, lists).steps()]
    assert ids == ["p/say@x", "p/tell@x", "p/say@y", "p/tell@y"]


def test_the_rollback_runbook_may_include_the_same_file_under_the_same_id() -> None:
    """What the run was handed and what its rollback is handed are two things."""
    head = """
    rollback: {file: back.yaml, with: {old: "${{ steps.part.made }}"}}
    """
    part = """
    runbook: Part
    parameters: {word: {}}
    outputs: {made: "${{ steps.x.made }}"}
    phases:
      - phase: P
        steps:
          - id: x
            run: {script: 'echo "${{ word }}"', outputs: [made]}
            undo: {run: 'undo "${{ word }}" "${{ steps.x.made }}"'}
    """
    back = """
    runbook: Back
    parameters: {old: {}}
    phases:
      - phase: P
        steps:
          - {id: part, include: {file: part.yaml, with: {word: "back to ${{ old }}"}}}
    """
    steps = "- {id: part, include: {file: part.yaml, with: {word: there}}}"
    plan = planned(steps, head, part=part, back=back)
    done = [Done("part/x", {"made": "v1"})]
    made = make_rollback_plan(replace(plan, file="main.yaml"), done).plan
    assert [step.id for step in made.steps()] == ["undo-part/x", "part/x"]
    undo, again = made.steps()
    script = undo.options["script"]
    assert script == 'undo "${{ part/word-of-run }}" "${{ steps.part/x.made }}"'
    assert again.options["script"] == 'echo "${{ part/word }}"'
    assert made.handed["part/word-of-run"].text == "there"
    assert made.handed["part/word"].text == "back to ${{ old }}"
    assert "undo-part/x" in step_ids(plan)
