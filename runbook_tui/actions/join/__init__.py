"""Waits for a step that runs in the background."""
