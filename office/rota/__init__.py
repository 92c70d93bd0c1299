"""Who is to be on duty when: patterns in wall time, exceptions to them, and the shifts that they come to (C2)."""
