"""Which container serves, which is wanted, which is left: sorted from what an engine shows."""

from __future__ import annotations

import pytest

from runbook_tui.actions.deploy.containers import Container, standing
from runbook_tui.actions.deploy.wanted import CONFIG, IMAGE, PORT, Wanted

TARGET = Wanted({"image": "hub@sha256:new", "service": "hub", "ports": "1-9"}, "app-1", "10.0.0.1")


def _one(port: int, *, fits: bool = False, running: bool = True) -> Container:
    marks = {PORT: str(port), IMAGE: "hub@sha256:new" if fits else "hub@sha256:old"}
    marks |= {CONFIG: TARGET.config()} if fits else {CONFIG: "other"}
    return Container(f"id{port}", f"hub-{port}", "", "sha256:i", running, 0, None, marks)


OLD, NEW, NEWER = _one(1), _one(2, fits=True), _one(3, fits=True)
DEAD = _one(4, fits=True, running=False)


@pytest.mark.parametrize(
    ("found", "live_port", "chosen", "live", "switched"),
    [
        ([], None, None, None, False),
        ([OLD], 1, None, OLD, False),
        ([OLD, NEW], 1, NEW, OLD, False),
        ([OLD, NEW], 2, NEW, NEW, True),
        ([NEW], 2, NEW, NEW, True),
        ([NEW, NEWER], 2, NEW, NEW, True),
        ([OLD, NEW, NEWER], 1, NEWER, OLD, False),
        ([OLD, DEAD], 1, None, OLD, False),
        ([DEAD], 4, None, DEAD, False),
        ([OLD], 7, None, None, False),
    ],
)
def test_behind_a_proxy_its_file_says_who_serves(
    found: list[Container],
    live_port: int | None,
    chosen: Container | None,
    live: Container | None,
    switched: bool,
) -> None:
    stands = standing(found, TARGET, live_port, proxied=True)
    assert (stands.chosen, stands.live, stands.switched) == (chosen, live, switched)
    assert [*stands.others] == [one for one in found if one is not chosen]


@pytest.mark.parametrize(
    ("found", "chosen", "live", "switched"),
    [
        ([], None, None, False),
        ([OLD], None, OLD, False),
        ([OLD, NEW], NEW, OLD, False),
        ([NEW], NEW, NEW, True),
        ([DEAD], None, None, False),
    ],
)
def test_without_a_proxy_the_newest_that_runs_serves(
    found: list[Container],
    chosen: Container | None,
    live: Container | None,
    switched: bool,
) -> None:
    stands = standing(found, TARGET, None, proxied=False)
    assert (stands.chosen, stands.live, stands.switched) == (chosen, live, switched)


def test_a_container_is_told_in_a_few_words() -> None:
    assert DEAD.told() == "hub-4, sha256:new, ended (0)"
    assert NEW.told() == "hub-2, sha256:new, running"
    assert OLD.previous is None
