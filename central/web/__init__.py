"""Central's page and its live feed."""
