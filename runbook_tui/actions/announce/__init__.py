"""The action `announce`: one message to people."""
