"""The screens: what the operator sees of a run, and the one place where keys become commands."""
