"""A step that goes on where its run is no longer driven: its result comes by the shared journal."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from runbook_tui import exits
from runbook_tui.engine import output_sharing
from runbook_tui.engine.workers import Workers
from state.stores.location import Location
from tests.harness.interrupted import Interrupted
from tests.harness.stage import ScriptedOperator

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def workers() -> Iterator[Workers]:
    pool = Workers()
    yield pool
    pool.close()


def test_the_result_of_a_step_on_another_machine_is_adopted_as_it_comes(
    location: Location, tmp_path: Path, workers: Workers
) -> None:
    first = Interrupted(tmp_path, workers, location)
    first.write("""
      - id: a
        run:
          script: |
            echo begun
            until [ -e EFFECTS ]; do sleep 0.05; done
            echo a >> EFFECTS
            echo "x=1" >> "$RUNBOOK_OUTPUT"
          outputs: [x]
    """)
    first.leave_behind("a")
    second = Interrupted(tmp_path, workers, Location(tmp_path / "elsewhere", location.url))
    with location.open() as still_open:
        output_sharing.take_up(still_open, first.recorded())
        operator = ScriptedOperator(person=True)
        operator.when(lambda state: bool(state.questions), first.effects.touch)
        assert second.resume(operator) == exits.DONE
    assert [one.asks for one in operator.asked] == ["elsewhere"]
    assert second.step("a").outputs == {"x": "1"}
    assert second.attempt("a").output.read_text() == "begun\n"
    assert not second.attempt("a").exists()
    assert second.pool.modes == []
    assert first.lines() == ["a"]
