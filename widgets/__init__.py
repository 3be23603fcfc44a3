"""What is shown: each module one widget, its messages and its style."""
