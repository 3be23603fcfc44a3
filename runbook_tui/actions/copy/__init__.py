"""Puts files on hosts."""
