"""A new unit becomes a node: it makes its keys, claims its identity with its seed, and is armed (ADR 0030)."""
