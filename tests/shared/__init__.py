"""Tests of the shared journal, on a real PostgreSQL."""
