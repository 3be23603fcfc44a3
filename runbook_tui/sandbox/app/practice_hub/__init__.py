"""Practice Hub, much reduced: documents of a practice, behind a sign-in."""
