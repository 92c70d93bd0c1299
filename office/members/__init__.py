"""Members, their premises and their contacts."""
