"""A process is named by boot, number and start time, whatever its name looks like."""

from __future__ import annotations

import os
import subprocess

import pytest

from runbook_tui.sandbox.identity import Identity, boot_id, parse_stat, read_stat


def test_a_name_with_blanks_and_brackets_does_not_shift_the_fields() -> None:
    tail = " ".join(["S", "7", "8", "9", *["0"] * 15, "4242", "0", "0"])
    stat = parse_stat(f"123 (a) b (c) {tail}")
    assert (stat.pid, stat.state, stat.parent, stat.session, stat.start) == (123, "S", 7, 9, 4242)


@pytest.mark.parametrize("line", ["", "123 (x", "123 (x) S 1 2"])
def test_what_is_no_stat_line_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match="not a line"):
        parse_stat(line)


def test_another_boot_or_start_time_is_another_process() -> None:
    stat = read_stat(os.getpid())
    assert stat is not None
    assert Identity(boot_id(), stat.pid, stat.start).alive()
    assert not Identity("another-boot", stat.pid, stat.start).alive()
    assert not Identity(boot_id(), stat.pid, stat.start + 1).alive()


def test_a_zombie_does_not_live() -> None:
    with subprocess.Popen(["true"]) as child:
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        stat = read_stat(child.pid)
        assert stat is not None
        assert stat.state == "Z"
        assert not Identity(boot_id(), child.pid, stat.start).alive()
