"""The error that the invariants raise."""

from __future__ import annotations


class BrokenInvariantError(AssertionError):
    """An invariant does not hold."""
