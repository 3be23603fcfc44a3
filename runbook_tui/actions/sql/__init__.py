"""The action `sql`: a query and what is expected of it."""
