"""What a client may ask for at most."""

MAX_UPLOAD = 1024 * 1024
MAX_LISTED = 100
