"""The program with little patience for a worker that never begins: half a minute less to wait."""

from runbook_tui import cli
from runbook_tui.engine import looks

if __name__ == "__main__":
    looks.PATIENCE = 3.0
    cli.main()
