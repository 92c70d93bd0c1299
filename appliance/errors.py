"""What the card refuses."""

from __future__ import annotations


class CardError(Exception):
    """The card cannot be read or written; the message is one sentence for people without a full stop."""
