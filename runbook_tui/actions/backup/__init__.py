"""The action `backup`: a dump of a database, kept with its checksum."""
