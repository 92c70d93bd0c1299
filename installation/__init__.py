"""What stands on a town's machine: put in place, and looked at (ADR 0027)."""
