"""Runbooks as written: reading, checking and planning them."""
