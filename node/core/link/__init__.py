"""Central and its network: what it says, what is asked of it, and whether it is there."""
