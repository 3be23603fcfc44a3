"""The practice production: real systems on loopback, in one directory, for demo and tests."""
