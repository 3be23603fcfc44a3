"""The action `smoke`: an HTTP scenario."""
