"""What steps do: one folder an action."""
