"""Pushes an image and proves that the registry holds it."""
