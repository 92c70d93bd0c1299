"""Exclusions: nominated, decided by the members, served, appealed, ended (G1, G2, G3, G11)."""
