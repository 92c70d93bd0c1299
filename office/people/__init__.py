"""People who are nominated or excluded: what is held of them, their photographs, their rights (G1, G13, D)."""
