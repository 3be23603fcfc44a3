"""The shipped environments file is filled in line by line; what is explained stays explained."""

from __future__ import annotations

import pytest

from runbook_tui.sandbox.environments import fill_in
from runbook_tui.sandbox.errors import SandboxError

TEXT = """\
# head
one:
  vars:
    port: "1"  # replaced
    other: kept  # explained
  secrets:
    KEY: {file: /a}
two:
  vars:
    port: "2"
"""


def test_only_the_named_keys_of_one_environment_change() -> None:
    filled = fill_in(TEXT, "one", {"port": "8080", "KEY": {"file": "/b"}})
    assert filled == TEXT.replace('"1"  # replaced', '"8080"').replace(
        "{file: /a}", '{"file": "/b"}'
    )
    assert fill_in(TEXT, "two", {"port": "3"}).endswith('    port: "3"\n')


def test_a_key_that_is_not_there_is_an_error_and_not_added() -> None:
    with pytest.raises(SandboxError, match="names KEY 0 times in two"):
        fill_in(TEXT, "two", {"KEY": "x"})
