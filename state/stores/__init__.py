"""Where events and attempts are kept."""
