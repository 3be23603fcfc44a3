"""Drives a run: decides, acts, records, recovers."""
