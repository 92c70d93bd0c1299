"""Errors of the store."""

from __future__ import annotations


class StoreError(Exception):
    """The database refuses: full, read-only, locked, broken, away. The message is a sentence for people.

    Nothing was stored.
    """


class StoreConfigError(StoreError, ValueError):
    """The database cannot be used as configured; retrying cannot help."""


class StoreFullError(StoreError):
    """The disk is full."""
