"""What the watches raise."""

from __future__ import annotations


class BrokenInvariantError(AssertionError):
    """Something that must hold did not."""
