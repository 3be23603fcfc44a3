"""What happened: events, the state they fold to, and the stores that keep them."""
