"""What is new for a node. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from office.gallery.holders import Holders
from wire.gallery_contact import Held

WHOLE: Final = 0
"""From nothing: all lines."""


def change_from(held: Held | None, holders: Holders, *, are_rows_good: bool, was_sent_lately: bool) -> int | None:
    """From which number a node is told what has changed in a scheme; ``None`` = nothing need be told.

    Args:
        held: what it says that it holds; ``None`` = nothing of this scheme.
        holders: of the newest gallery.
        are_rows_good: the rows that it was last seen to have received are for the premises and the key that it has now.
        was_sent_lately: all of this gallery was sent to it a moment ago, and it still asks for that: it cannot keep
            anything, perhaps. It is not sent again at once.
    """
    if held is not None and held.number > holders.number:
        # It has seen a number that this office forgot when it was restored. It would refuse a lower one.
        return None
    if held is None or not held.number or not are_rows_good or holders.gone_after(held.number) is None:
        return None if was_sent_lately else WHOLE
    return None if held.number == holders.number else held.number


def ahead_of(holds: Sequence[Held], newest: Mapping[int, int]) -> tuple[Held, ...]:
    """What a node holds with a number that the office has forgotten: it was restored, and its numbers were not raised.

    Args:
        holds: what it says.
        newest: number of each scheme's newest gallery.
    """
    return tuple(held for held in holds if held.number > newest.get(held.scheme, held.number))


def must_destroy(holds: Sequence[Held], schemes: frozenset[int]) -> bool:
    """Whether a node holds a gallery that it may not hold any more: it is told so at once."""
    return any(held.scheme not in schemes for held in holds)


def is_staff_news(named: str | None, digest: str, *, was_sent_lately: bool) -> bool:
    """Whether a node is told its list of staff.

    Args:
        named: digest of the list that it says is on its disk; ``None`` = it is of a version that takes none.
        digest: of the newest list.
        was_sent_lately: just this list was sent to it a moment ago: it is about to keep it, or cannot.
    """
    return named is not None and named != digest and not was_sent_lately
