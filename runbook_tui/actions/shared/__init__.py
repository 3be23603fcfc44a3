"""What several actions use."""
