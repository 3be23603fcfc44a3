"""Runs a script on hosts."""
