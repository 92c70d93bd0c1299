"""The unit's own panel: what the gallery shows there, and what its keys do."""
