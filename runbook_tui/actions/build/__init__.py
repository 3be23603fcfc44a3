"""Builds an image from the commit of the run."""
