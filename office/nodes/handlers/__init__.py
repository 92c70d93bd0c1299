"""What nodes ask, one module for each question."""
