"""Scripts: values travel in variables, so that none of them is ever shell text."""

from __future__ import annotations

import os
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runbook_tui.definition import references
from runbook_tui.definition.script import bind
from runbook_tui.definition.substitute import MissingValueError

_HOSTILE = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=40)
_CASES = st.lists(
    _HOSTILE | st.sampled_from(["'; rm -rf ~ #", "$(id)", "`id`", '"', "-n", "*", "\\"]),
    min_size=1,
    max_size=12,
)


@settings(max_examples=25, deadline=None)
@given(_CASES)
def test_any_value_arrives_as_it_is(given_values: list[str]) -> None:
    """Through a real bash, quoted, assigned, in here-documents and substitutions."""
    script = "set -euo pipefail\n"
    for index in range(len(given_values)):
        ref = f"${{{{ v{index} }}}}"
        script += f"""v={ref}
printf '%s\\0' "{ref}" "$v" "x{ref}$(printf '%s' "{ref}x")"
cat <<END
{ref}
END
printf '\\0'
"""
    lookup = {f"v{index}": value for index, value in enumerate(given_values)}
    bound = bind(script, lambda ref: lookup[ref.path])
    assert references.find(bound.text) == []
    done = subprocess.run(
        ["bash", "-c", bound.text],
        env={"PATH": os.environ["PATH"], **bound.variables},
        capture_output=True,
        check=True,
    )
    expected = [part for v in given_values for part in (v, v, f"x{v}{v}x", f"{v}\n")]
    assert done.stdout == "".join(f"{part}\0" for part in expected).encode()


def test_equal_references_share_a_variable_and_literals_stay() -> None:
    bound = bind(
        'a "${{ x }}" "${{x}}" $${{ x }} "${{ y | "d" }}"',
        lambda ref: "1" if ref.path == "x" else None,
        3,
    )
    assert bound.text == 'a "${RUNBOOK_V_3}" "${RUNBOOK_V_3}" ${{ x }} "${RUNBOOK_V_4}"'
    assert bound.variables == {"RUNBOOK_V_3": "1", "RUNBOOK_V_4": "d"}


@pytest.mark.parametrize("value", [None, ""])
def test_an_empty_value_never_reaches_a_script(value: str | None) -> None:
    with pytest.raises(MissingValueError):
        bind('rm -rf "${{ directory }}/"', lambda ref: value)
