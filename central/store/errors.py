"""What the disk can answer."""

from __future__ import annotations


class StoreError(Exception):
    """The database refuses: full, read-only, locked, broken, away. The message is a sentence for people.

    Nothing of what was asked has been stored.
    """


class StoreConfigError(StoreError, ValueError):
    """The database cannot be used as it is configured; trying again cannot help."""


class StoreFullError(StoreError):
    """There is no room left on the disk."""
