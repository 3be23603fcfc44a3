"""The short way to see that references stand in double quotes agrees with the long one."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from runbook_tui.definition import references, shell
from runbook_tui.definition.lint_scripts import _DIFFICULT

_PIECES = st.sampled_from(
    ["${{ a }}", '"', " ", "\n", "echo", "x=", ";", "|", "(", ")", "&", "[", "{", "$x", "*"]
)


@given(st.lists(_PIECES, max_size=14).map("".join))
def test_counting_quotes_is_enough_for_easy_scripts(script: str) -> None:
    refs, faults = references.scan(script)
    if faults or _DIFFICULT.search(script):
        return
    placed = shell.place(script, refs)
    assert [one.context for one in placed] == [
        "double" if script.count('"', 0, ref.start) % 2 else "plain" for ref in refs
    ]


def test_whatever_quotes_or_nests_is_difficult() -> None:
    hard = [
        "'",
        "# x",
        "\\",
        "`x`",
        "<<E",
        "<x",
        "$(x)",
        "${x}",
        "eval x",
        "sh -c x",
        "ssh h",
        "zsh",
    ]
    assert [text for text in hard if not _DIFFICULT.search(text)] == []
    assert not _DIFFICULT.search('echo "${{ a }}" $x | sort')
