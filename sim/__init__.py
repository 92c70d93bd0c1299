"""A deterministic town: the same cores in virtual time, with injected faults, replayed from a seed."""
