"""What a run looks like to those who were not there: JSON, Markdown, HTML."""
