"""Puts an image into service, host by host, without losing a request."""
