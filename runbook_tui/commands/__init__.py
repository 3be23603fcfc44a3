"""The commands: thin, one a module; what they call is elsewhere."""
