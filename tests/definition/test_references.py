"""References: a name, never an expression."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from runbook_tui.definition import references
from runbook_tui.definition.references import ReferenceSyntaxError


@pytest.mark.parametrize(
    ("path", "kind", "name", "step", "host"),
    [
        ("version", "parameter", "version", None, None),
        ("env.image", "env", "image", None, None),
        ("secrets.TOKEN", "secret", "TOKEN", None, None),
        ("steps.push.digest", "step", "digest", "push", None),
        ("steps.part/push.digest", "step", "digest", "part/push", None),
        (
            "steps.push.digest.by_host.app-1.example.org",
            "step",
            "digest",
            "push",
            "app-1.example.org",
        ),
        ("steps.push.digest.by_host.127.0.0.2", "step", "digest", "push", "127.0.0.2"),
        ("run.id", "run", "id", None, None),
        ("run.date", "run", "date", None, None),
        ("operator", "operator", "", None, None),
        ("host", "host", "", None, None),
        ("host.address", "host", "address", None, None),
        ("item", "item", "", None, None),
    ],
)
def test_paths(path: str, kind: str, name: str, step: str | None, host: str | None) -> None:
    (ref,) = references.find(f"x ${{{{ {path} }}}} y")
    assert (ref.kind, ref.name, ref.step, ref.host, ref.path) == (kind, name, step, host, path)


@pytest.mark.parametrize("text", ["${{x}}", "${{ x}}", "${{\n  x\n}}", '${{ x|"" }}'])
def test_blanks_do_not_matter(text: str) -> None:
    assert references.find(text)[0].path == "x"


def test_defaults() -> None:
    first, second = references.find('${{ a | "b }} c" }} ${{ d | "" }}')
    assert (first.default, second.default) == ("b }} c", "")


@pytest.mark.parametrize(
    "text",
    [
        "${{ }}",
        "${{ 1 + 2 }}",
        "${{ a.b }}",
        "${{ a b }}",
        "${{ a | b }}",
        "${{ a",
        "${{ env }}",
        "${{ env.a.b }}",
        "${{ steps.a }}",
        "${{ steps.a.b.c }}",
        "${{ steps.A.b }}",
        "${{ run.time }}",
        "${{ host.port }}",
        '${{ secrets.A | "b" }}',
        "${{ ${{ a }} }}",
        "${{ äöü }}",
    ],
)
def test_faults(text: str) -> None:
    with pytest.raises(ReferenceSyntaxError):
        references.find(text)
    assert references.scan(text)[1][0].start == 0


def test_an_escaped_one_is_text() -> None:
    assert references.find("$${{ not one }} $${{") == []


@given(st.text(alphabet='${}| "ab.env\n'))
@example("$${{${{a}}")
def test_any_text_is_read(text: str) -> None:
    refs, faults = references.scan(text)
    for ref in refs:
        assert text[ref.start : ref.end].startswith("${{")
        assert text[ref.start : ref.end].endswith("}}")
    for fault in faults:
        assert text.startswith("${{", fault.start)
    assert [ref.start for ref in refs] == sorted(ref.start for ref in refs)
