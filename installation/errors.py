"""Errors of installing and checking. Every message is a sentence for the engineer."""

from __future__ import annotations


class InstallError(Exception):
    """It cannot go on; what was done stays, and running it again goes on from there."""


class PackError(InstallError, ValueError):
    """What the fleet handed over cannot be used; nothing was changed."""
