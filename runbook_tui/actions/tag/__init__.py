"""Puts a tag on the commit of the run, at the remote."""
