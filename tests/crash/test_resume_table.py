"""The resume table, a row a test: real workers, a real journal, a driver that died.

The rows are those of `docs/resume.md`, word for word; two tests hold both together. The tests named
are in `test_resume_idle`, `test_resume_alive` and `test_resume_dead`.

| row | test |
|---|---|
| the step was never begun | test_a_step_never_begun_goes_on_normally |
| children of a group, a step's undo | test_children_of_a_group_are_judged_each_for_itself |
|  | test_an_undo_is_judged_by_what_it_left |
| a failed step whose question nobody answered | test_a_failure_asks_again |
| an open confirmation, or an item for a person | test_a_confirmation_and_a_manual_item_ask_again |
| a `wait`, or the delay before a retry | test_a_wait_keeps_its_deadline |
|  | test_a_retry_keeps_its_deadline |
| an attempt that another machine began | test_another_machine_is_awaited |
|  | test_a_machine_declared_dead_is_looked_after |
| a stop had been asked for | test_a_stop_that_was_asked_for_is_finished |
| a result file, whole | test_a_result_is_adopted |
|  | test_a_result_is_adopted_though_the_lock_is_held |
| the worker, or a process of its command, is alive | test_a_living_worker_is_taken_up |
|  | test_a_living_worker_may_be_stopped |
|  | test_it_is_alive_though_its_directory_was_removed |
|  | test_it_may_be_stopped_though_its_directory_was_removed |
| the worker never took its claim | test_what_was_never_claimed_is_run |
| a read-only step without a result | test_what_only_reads_is_run_again |
|  | test_a_monitor_keeps_the_time_it_served |
| the worker is dead, and a probe says that it still goes on | test_what_still_goes_on_is_awaited |
|  | test_nothing_is_run_beside_what_still_goes_on |
| … that the effect is there | test_an_effect_that_is_there_is_adopted |
|  | test_a_changed_boot_makes_a_worker_dead |
|  | test_what_was_there_before_proves_nothing |
| … that it is not there | test_an_absent_effect_is_made_after_its_confirmation |
| … that a part of it is there | test_a_part_is_shown_and_gone_on_with |
| … nothing can tell | test_without_a_look_nobody_knows |
|  | test_a_corrupt_result_is_no_result |
|  | test_a_directory_that_is_gone_says_nothing |
|  | test_a_directory_that_is_gone_is_no_proof_that_nobody_acts |
"""

from __future__ import annotations

import re
from pathlib import Path

from tests.crash import test_resume_alive, test_resume_dead, test_resume_idle

DOCS = Path(__file__).parents[2] / "docs" / "resume.md"


def table() -> dict[str, list[str]]:
    """Return the rows of this module's table with their tests."""
    rows: dict[str, list[str]] = {}
    last = ""
    for row, test in re.findall(r"^\| (.*?) *\| (test_\w+) \|$", __doc__ or "", re.MULTILINE):
        last = row.strip() or last
        rows.setdefault(last, []).append(test)
    return rows


def test_every_row_names_tests_and_every_test_is_named() -> None:
    named = {test for tests in table().values() for test in tests}
    modules = (test_resume_idle, test_resume_alive, test_resume_dead)
    assert named == {name for one in modules for name in vars(one) if name.startswith("test_")}


def test_the_rows_are_the_page_s() -> None:
    page = DOCS.read_text(encoding="utf-8")
    rows = page.partition("| what it finds |")[2].partition("\n\n")[0].splitlines()[2:]
    assert [row.split("|")[1].strip() for row in rows] == list(table())
