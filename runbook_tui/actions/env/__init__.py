"""The action `env`: a review of variables."""
