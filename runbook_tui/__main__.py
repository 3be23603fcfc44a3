"""`python -m runbook_tui` is `runbook`."""

from runbook_tui.cli import main

main()
