"""Whole runs kept elsewhere or not at all: export, import, prune."""
