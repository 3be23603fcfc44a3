"""The action `migrate`: numbered SQL files, each once."""
