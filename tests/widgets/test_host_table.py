"""The host table: legible with 200 hosts, trouble first, folded, filtered, opened."""

from __future__ import annotations

from typing import Any

from textual.message import Message

from tests.harness.screen import Stage, frame, shows, until
from widgets.host_table import Fold, HostLine, HostPane, HostTable, arranged

HOSTS = (
    *(HostLine(f"web-{number:03}", "done", "", 52.0) for number in range(1, 171)),
    HostLine("web-171", "failed", "exit 100 E: Unable to lock [@click=app.quit]x[/]\x1b[2J", 41.0),
    HostLine("web-172", "unknown", "gone", 39.0),
    HostLine("web-173", "lost", "link lost, reconnecting 3/6", 72.0),
    *(HostLine(f"web-{number}", "running", f"Unpacking {number}", 4.0) for number in (174, 175)),
    *(HostLine(f"web-{number}", "waiting") for number in range(176, 201)),
)


class Hosts(Stage):
    """Keeps which hosts were opened."""

    def __init__(self, pane: HostPane) -> None:
        super().__init__([pane])
        self.opened: list[str] = []

    def on_host_table_opened(self, event: HostTable.Opened) -> None:
        """Note the host."""
        self.opened.append(event.host)


def names(lines: list[Any]) -> list[str]:
    return [line.name if isinstance(line, HostLine) else line.state for line in lines]


def test_trouble_comes_first_and_what_needs_nobody_is_folded() -> None:
    lines = arranged(HOSTS)
    assert names(lines) == [*(f"web-{number}" for number in range(171, 176)), "waiting", "done"]
    assert isinstance(lines[-1], Fold)
    assert len(lines[-1].hosts) == 170
    assert len(arranged(HOSTS, unfolded=["done"])) == 176
    assert names(arranged(HOSTS, "WEB-19")) == [f"web-{number}" for number in range(190, 200)]
    assert names(arranged([HostLine("a", "done"), HostLine("b", "new")])) == ["b", "a"]


async def test_two_hundred_hosts_are_seen_filtered_and_opened() -> None:
    pane = HostPane()
    app = Hosts(pane)
    async with app.run_test(size=(60, 16)) as pilot:
        pane.table.show(HOSTS, "batch 7/10", "2 of at most 3 failures.")
        pane.table.focus()
        await shows(pilot, "200 hosts  ✓ 170  ▸ 2  ✗ 1  ! 2  ◦ 25  batch 7/10")
        shown = frame(app)
        assert "✗ web-171  exit 100 E: Unable to lock [@click=app.q…" in shown
        assert "◦ web-176 … web-200   25 not started" in shown
        assert "✓ web-001 … web-170   170 done   median 0:52" in shown
        assert "2 of at most 3 failures." in shown.splitlines()[15]
        await pilot.press("e", "e", "enter")
        await until(pilot, lambda: app.opened == ["web-173"])
        await pilot.press("e", "enter")
        await until(pilot, lambda: app.opened[1:] == ["web-171"])
        await pilot.press("slash", *"web-19")
        await shows(pilot, "only web-19  · 10 of 200", "web-190", "web-199")
        await pilot.press("enter", "G", "enter")
        await until(pilot, lambda: app.opened[2:] == ["web-199"])
        await pilot.press("slash", "escape", "G", "enter")
        await shows(pilot, "1-11 of 176", "web-001")


async def test_only_the_visible_rows_are_made() -> None:
    pane = HostPane()
    app = Hosts(pane)
    async with app.run_test(size=(60, 16)) as pilot:
        many = [HostLine(f"web-{number}", "failed", "exit 1") for number in range(1000)]
        pane.table.show(many)
        pane.table.focus()
        await shows(pilot, "1000 hosts", "1-13 of 1000")
        assert len(pane.table.rows(60, 16)) == 16
        await pilot.press("G")
        await shows(pilot, "web-999", "988-1000 of 1000")


def test_the_message_names_the_host() -> None:
    message: Message = HostTable.Opened("web-1")
    assert message.handler_name == "on_host_table_opened"
