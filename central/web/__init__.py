"""Central's pages and their live feed."""
