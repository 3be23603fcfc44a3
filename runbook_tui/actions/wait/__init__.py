"""The action `wait`: let time pass."""
