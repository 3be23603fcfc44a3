"""Where a reference stands in a script."""

from __future__ import annotations

import pytest

from runbook_tui.definition import references, shell


@pytest.mark.parametrize(
    ("script", "contexts"),
    [
        ('echo "${{ a }}" ${{ b }}', ["double", "plain"]),
        ("echo '${{ a }}' \"it's ${{ b }}\"", ["single", "double"]),
        ("echo it\\'s ${{ a }}", ["plain"]),
        ("echo $'\\'${{ a }}' ${{ b }}", ["single", "plain"]),
        ('echo $"${{ a }}"', ["double"]),
        ("# ${{ a }}\necho a#${{ b }} # ${{ c }}", ["comment", "plain", "comment"]),
        ("cat <<END\n${{ a }}\nEND\necho ${{ b }}", ["heredoc", "plain"]),
        ("cat <<'END' | tr a b\n${{ a }}\nEND\n: ${{ b }}", ["quoted heredoc", "plain"]),
        ('cat <<-"END"\n\t${{ a }}\n\tEND\n: ${{ b }}', ["quoted heredoc", "plain"]),
        ("cat <<A <<\\B\n${{ a }}\nA\n${{ b }}\nB\n", ["heredoc", "quoted heredoc"]),
        ("cat <<END\n${{ a }}", ["heredoc"]),
        ('cat <<< "${{ a }}"', ["double"]),
        ('echo "$(cat ${{ a }} "${{ b }}") ${{ c }}"', ["plain", "double", "double"]),
        ('echo ${X:-${{ a }}} "${X:-${{ b }}}"', ["plain", "double"]),
        ("echo $((1 + ${{ a }})) ${{ b }}", ["arithmetic", "plain"]),
        ('echo `cat ${{ a }}` "`cat ${{ b }}`" ${{ c }}', ["plain", "plain", "plain"]),
        ('echo "a\\"${{ a }}" \'${{ b }}\'', ["double", "single"]),
        ("'never closed ${{ a }}", ["single"]),
    ],
)
def test_contexts(script: str, contexts: list[str]) -> None:
    placed = shell.place(script, references.find(script))
    assert [one.context for one in placed] == contexts


@pytest.mark.parametrize(
    ("script", "words", "assigns"),
    [
        ('curl -u "${{ a }}"', ("curl", "-u"), False),
        ('V="${{ a }}"', (), True),
        ("V=${{ a }} curl", (), True),
        ('export V="${{ a }}"', ("export",), True),
        ('A=1 curl "${{ a }}"', ("curl",), False),
        ('if test -n "${{ a }}"; then :; fi', ("test", "-n"), False),
        ('true; curl x | psql "${{ a }}"', ("psql",), False),
        ('echo "$(curl "${{ a }}")"', ("curl",), False),
        ("for x in 1; do curl ${{ a }}; done", ("curl",), False),
    ],
)
def test_commands(script: str, words: tuple[str, ...], assigns: bool) -> None:
    (placed,) = shell.place(script, references.find(script))
    assert (placed.words, placed.assigns) == (words, assigns)


def test_here_strings_are_no_arguments() -> None:
    script = 'a <<< "${{ a }}" "${{ b }}"'
    first, second = shell.place(script, references.find(script))
    assert (first.here_string, second.here_string) == (True, False)
