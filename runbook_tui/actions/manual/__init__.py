"""The action `manual`: something that a person does and records."""
