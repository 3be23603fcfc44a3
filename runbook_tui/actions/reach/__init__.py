"""Whether what a step needs outside can be reached: for `doctor`, no action of a runbook."""
