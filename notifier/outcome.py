"""What became of an attempt to tell somebody."""

from __future__ import annotations

from msgspec import Struct

from wire.limits import DETAIL_CHARS_MAX
from wire.notices import Reason
from wire.text import display_text


class Sent(Struct, frozen=True):
    """The push service or gateway has taken it."""


class NotSent(Struct, frozen=True):
    """It has not.

    Attributes:
        words: for the operator; without an address, without a secret.
        again_s: the other side asks for this pause before the next try; ``None`` = it said nothing.
    """

    reason: Reason
    words: str = ""
    again_s: float | None = None


Outcome = Sent | NotSent


def not_sent(reason: Reason, words: str, again_s: float | None = None) -> NotSent:
    """With words that may be foreign: made fit for a line, in any alphabet, and a screen."""
    return NotSent(reason, display_text(words, DETAIL_CHARS_MAX), again_s)
