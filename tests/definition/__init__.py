"""Tests of reading, checking and planning runbooks."""
