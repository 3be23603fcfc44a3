"""Processes that really die, and what comes after."""
