"""The action `check`: look at something, and wait for it."""
