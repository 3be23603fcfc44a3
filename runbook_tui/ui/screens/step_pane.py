"""The right pane of a run: one step, seen through its tabs."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widget import Widget
from textual.widgets import ContentSwitcher

from runbook_tui.ui import failing, host_grid, host_lines, panes
from runbook_tui.ui.answers import recorded_fields
from runbook_tui.ui.instances import FEW
from runbook_tui.ui.samples import last_said, measures
from runbook_tui.ui.scene import Peek, Scene
from runbook_tui.ui.screens.notes import NotesPane
from runbook_tui.ui.step_heads import parts, step_title
from state.status import StepStatus
from state.stores.attempt_dir import AttemptDir
from widgets.evidence_form import EvidenceForm, Recorded
from widgets.failure_panel import FailurePanel
from widgets.host_table import HostPane
from widgets.log_pane import LogPane
from widgets.monitor_chart import MonitorChart
from widgets.pane_title import PaneTitle
from widgets.parallel_panes import ParallelPanes
from widgets.rows import text
from widgets.safe import safe
from widgets.tab_row import Tab, TabRow
from widgets.text_pane import Section, TextPane

if TYPE_CHECKING:
    from pathlib import Path

    from runbook_tui.definition.plan import PlanStep

TABS: tuple[Tab, ...] = (
    ("1", "Log", "Log"),
    ("2", "Plan", "Plan"),
    ("3", "Evidence", "Evid."),
    ("4", "Notes", "Notes"),
    ("5", "Hosts", "Hosts"),
    ("6", "Help", "Help"),
)


class StepPane(Vertical):
    """Title, tabs and what the tab shows."""

    DEFAULT_CSS = """
    StepPane { width: 1fr; height: 1fr; }
    StepPane ContentSwitcher { height: 1fr; }
    StepPane #evidence TextPane { height: auto; max-height: 60%; }
    """
    PANES: ClassVar[dict[str, str]] = {
        "2": "plan",
        "3": "evidence",
        "4": "notes",
        "5": "hosts",
        "6": "help",
    }
    """What each tab shows; all else belongs to the first."""

    def __init__(
        self,
        state_directory: Path,
        describe: Callable[[PlanStep], Sequence[tuple[str, str]]],
    ) -> None:
        super().__init__(id="step-pane")
        self._root = state_directory
        self._describe = describe
        self._step = ""
        self._chosen: str | None = None
        self._raw = False
        self._tab = "1"
        self._resume: tuple[Section, ...] = ()
        self._resume_title = ""
        self._form_key: tuple[str, int] = ("", 0)
        self.title = PaneTitle()
        self.tabs = TabRow(TABS, "1")
        self.log_pane = LogPane(id="log")
        self.form = EvidenceForm()
        self.notes = NotesPane(id="notes")
        self.hosts = HostPane(id="host-table")
        self._evidence = TextPane()

    def compose(self) -> ComposeResult:
        """The title above the tabs above the panes."""
        yield self.title
        yield self.tabs
        with ContentSwitcher(initial="log"):
            yield self.log_pane
            yield TextPane(id="plan")
            with Vertical(id="evidence"):
                yield self._evidence
                yield self.form
            yield self.notes
            yield TextPane(id="hosts")
            yield self.hosts
            yield TextPane(id="help")
            yield FailurePanel(id="failure")
            yield MonitorChart(id="chart")
            yield ParallelPanes(id="parallel")
            yield TextPane(id="resume")

    @property
    def tab(self) -> str:
        """The key of the tab that is shown."""
        return self._tab

    @property
    def shows_hosts(self) -> bool:
        """Whether the table of hosts is shown."""
        return self.switcher.current == self.hosts.id

    @property
    def switcher(self) -> ContentSwitcher:
        """What holds the panes."""
        return self.query_one(ContentSwitcher)

    def content(self) -> Widget:
        """Return the widget of the shown pane that takes the focus."""
        shown = self.switcher.visible_content
        if shown is self.log_pane:
            return self.log_pane.view
        if shown is self.hosts:
            return self.hosts.table
        if shown is self.notes:
            return self.notes.reading
        if shown is None or shown.id == "evidence":
            return self._evidence
        return shown

    def choose_tab(self, key: str) -> None:
        """Show a tab by its key; the log's key again shows the bare log."""
        self._raw = key == "1" and (self._tab == "1" or self.switcher.current == "failure")
        self._chosen = key
        self._resume = ()

    def step_tab(self, places: int) -> None:
        """Show the next or previous tab."""
        keys = [key for key, _, _ in TABS]
        here = keys.index(self._chosen or self._tab)
        self.choose_tab(keys[(here + places) % len(keys)])

    def show_resume(self, title: str, sections: tuple[Section, ...]) -> None:
        """Show what happened while the operator was away, until `leave_resume`."""
        self._resume_title, self._resume = title, sections

    @property
    def greets(self) -> bool:
        """Whether it shows what happened while the operator was away."""
        return bool(self._resume)

    def page_resume(self, key: str) -> bool:
        """Turn a page of what happened meanwhile; False when this key turns none."""
        pages = {"pagedown": 1, "space": 1, "pageup": -1}.get(key)
        if not self._resume or pages is None:
            return False
        self.query_one("#resume", TextPane).action_page(pages)
        return True

    def leave_resume(self) -> bool:
        """Show the step again; False when it was shown."""
        was, self._resume = bool(self._resume), ()
        return was

    async def show(self, scene: Scene, step: str) -> None:
        """Show a step as it stands."""
        if step != self._step:
            self._step, self._chosen, self._raw = step, None, False
        planned = next((each for each in scene.plan.steps() if each.id == step), None)
        stands = scene.state.steps.get(step)
        name, right = step_title(scene, step)
        if (title := host_grid.title(scene, step)) is not None:
            name = safe(title)
        if self._resume:
            self.title.show(text(self._resume_title))
        else:
            self.title.show(name, right)
        pane = self._pane(scene, step, self._chosen or self._own_tab(scene, step))
        self._tab = self._tab_of(pane)
        self.tabs.show(self._tab)
        pane = "resume" if self._resume else pane
        self.tabs.display = pane not in ("failure", "resume", "parallel")
        self.switcher.current = pane
        if stands is not None and stands.last is not None:
            directory = AttemptDir(self._root / stands.last.directory)
            self.log_pane.open_log(directory.output, directory.times)
        else:
            self.log_pane.open_log(None)
        await self._fill(pane, scene, step, planned)

    def _own_tab(self, scene: Scene, step: str) -> str:
        """Return the tab that a step opens with."""
        question = scene.state.question_on(step)
        if question is None:
            return "5" if self._on_many(scene, step) else "1"
        plan = ("confirm", "typed", "approval", "withdrawn")
        return "2" if question.asks in plan else {"manual": "3"}.get(question.asks, "1")

    def _on_many(self, scene: Scene, step: str) -> bool:
        """Whether it went, or goes, over more hosts than one log is legible for."""
        stands = scene.state.steps.get(step)
        ill = stands is not None and stands.status in (StepStatus.FAILED, StepStatus.UNKNOWN)
        return not ill and len(scene.peeks.get(step, Peek()).hosts) > FEW

    def _tab_of(self, pane: str) -> str:
        """Return the tab that a pane belongs to, whichever was asked for."""
        shown = "hosts" if pane == self.hosts.id else pane
        return next((key for key, each in self.PANES.items() if each == shown), "1")

    def _pane(self, scene: Scene, step: str, tab: str) -> str:
        """Return what is shown when a tab is asked for."""
        if tab in ("1", "5") and host_grid.grid(scene, step) is not None:
            return "failure" if scene.state.question_on(step) is not None else "host-table"
        if tab != "1":
            pane = self.PANES[tab]
            return "host-table" if pane == "hosts" and self._has_hosts(scene, step) else pane
        stands = scene.state.steps.get(step)
        if host_grid.group_of(scene.plan, step) is not None:
            return "hosts"
        if stands is None:
            return "plan"
        if stands.is_group:
            return "failure" if scene.state.question_on(step) is not None else "parallel"
        if self._raw:
            return "log"
        if stands.status in (StepStatus.FAILED, StepStatus.UNKNOWN):
            return "failure"
        question = scene.state.question_on(step)
        if question is not None and question.asks in ("failure", "partial", "unknown"):
            return "failure"
        if stands.action == "monitor" and scene.peeks.get(step, Peek()).samples:
            return "chart"
        return "log"

    def _has_hosts(self, scene: Scene, step: str) -> bool:
        """Whether the step told of hosts, and is no line of an `each`."""
        return bool(scene.peeks.get(step, Peek()).hosts) and not host_grid.sections(scene, step)

    def show_host(self, host: str) -> None:
        """Show the log, only the lines of a host."""
        self._chosen, self._raw, self._resume = "1", True, ()
        name = re.sub(r"([^\w-])", r"\\\1", host)
        self.log_pane.show_only(f"^{name} [|~] ")

    async def _fill(self, pane: str, scene: Scene, step: str, planned: PlanStep | None) -> None:
        stands = scene.state.steps.get(step)
        if pane == "plan":
            described = self._describe(planned) if planned else ()
            sections = panes.plan_sections(scene, planned, described) if planned else ()
            self.query_one("#plan", TextPane).show(sections)
        elif pane == "evidence":
            await self._fill_evidence(scene, planned)
        elif pane == "notes":
            self.notes.show_notes(panes.notes_section(scene.state), step, stands)
        elif pane == "hosts":
            shown = host_grid.sections(scene, step) or panes.hosts_sections(scene, step)
            self.query_one("#hosts", TextPane).show(shown)
        elif pane == "host-table":
            if (grid := host_grid.grid(scene, step)) is not None:
                self.hosts.table.show(grid.lines, grid.right, grid.note, noun=grid.noun)
                return
            hosts = host_lines.lines(scene, step)
            said = scene.peeks.get(step, Peek()).progress
            batch = said if said.startswith("batch ") else ""
            self.hosts.table.show(hosts, batch, host_lines.note(scene, planned, hosts))
        elif pane == "help":
            self.query_one("#help", TextPane).show(panes.help_sections(scene, planned))
        elif pane == "failure" and stands is not None:
            found = failing.failure(scene, stands, planned)
            self.query_one(FailurePanel).show_failure(found, scene.glyphs)
        elif pane == "chart":
            peek = scene.peeks.get(step, Peek())
            self.query_one(MonitorChart).show(measures(peek.samples), last_said(peek.last))
        elif pane == "parallel":
            self.query_one(ParallelPanes).show(parts(scene, step))
        elif pane == "resume":
            self.query_one("#resume", TextPane).show(self._resume)

    async def _fill_evidence(self, scene: Scene, planned: PlanStep | None) -> None:
        question = scene.state.question_on(planned.id) if planned else None
        if planned is not None and question is not None and question.asks == "manual":
            self._evidence.show(panes.manual_sections(question))
            asked = [
                Recorded(name, prompt, required, panes.pattern_check(pattern))
                for name, prompt, required, pattern in recorded_fields(question)
            ]
            if self._form_key != (planned.id, len(asked)):
                self._form_key = (planned.id, len(asked))
                await self.form.show(planned.id, asked)
        else:
            stands = scene.state.steps.get(planned.id) if planned else None
            self._evidence.show(panes.evidence_sections(stands))
            if self._form_key != ("", 0):
                self._form_key = ("", 0)
                await self.form.show("", ())
