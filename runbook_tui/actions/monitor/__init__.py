"""The action `monitor`: watch numbers for a time."""
