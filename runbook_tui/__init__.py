"""Walks an operator through runbooks, executes their steps, and never guesses what happened."""

__version__ = "0.1.0"
