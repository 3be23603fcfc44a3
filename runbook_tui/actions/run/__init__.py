"""The action `run`: a script or a program on this machine."""
