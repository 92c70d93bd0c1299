"""What can go wrong with an image."""

from __future__ import annotations


class RecipeError(ValueError):
    """The base or a layer cannot be used. The text says which line of which file, and what it should be."""


class BuildError(RuntimeError):
    """A step of the build failed. The text says which, and what its program said."""


class CardError(RuntimeError):
    """A card is not what its firmware, or a test, expects."""
