"""Why the gallery, or a face, is not shown: for somebody who is tired and has a customer waiting.

What is the matter, why, what to do, and whom to call. Each fits on a phone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from gallery.core.readable import Why

CO_ORDINATOR: Final = "your scheme’s co-ordinator"
ENGINEER: Final = "the fleet engineer: the number is on the unit’s label"

_GET_THE_NETWORK_BACK: Final = (
    "Check that the network cable is in and the router is on. Then wait a minute: the gallery comes back by itself."
)


class Words(Struct, frozen=True):
    """What is said.

    Attributes:
        what: the matter, in a line.
        why: the reason.
        to_do: what somebody in the shop can do.
        call: whom to call if that does not help; empty = nobody is needed.
    """

    what: str
    why: str
    to_do: str
    call: str = ""


WORDS: Final[Mapping[Why, Words]] = {
    Why.SCHEME_LEFT: Words(
        "This gallery is no longer shown here.",
        "The office says that this shop is not in the scheme, so everything in its gallery was deleted.",
        "Nothing, if you have left the scheme.",
        CO_ORDINATOR,
    ),
    Why.WITHDRAWN: Words(
        "This person is no longer shown.",
        "The ban was lifted or changed, so what was held of it was deleted.",
        "Look at the list again: if the ban was only changed, they are still on it.",
    ),
    Why.OVER: Words(
        "This person’s ban is over.",
        "Its last day has passed, so the photograph was deleted.",
        "Let them in, unless you have another reason not to.",
    ),
    Why.ELSEWHERE: Words(
        "This person is not shown here.",
        "The ban is for other premises of the scheme.",
        "Nothing.",
    ),
    Why.STARTING: Words(
        "The gallery is starting.",
        "The unit has just been switched on.",
        "Wait a minute. If the gallery stays off, the unit’s memory card may be full or worn out.",
        ENGINEER,
    ),
    Why.CLOCK_BEHIND: Words(
        "The gallery is off: this unit’s clock is wrong.",
        "Its clock shows a day that has already passed, so it cannot tell whose ban is over.",
        _GET_THE_NETWORK_BACK,
        ENGINEER,
    ),
    Why.CLOCK_UNKNOWN: Words(
        "The gallery is off: this unit does not know what day it is.",
        "It was switched off, and has had no network since. It does not show a face whose ban may be over.",
        _GET_THE_NETWORK_BACK,
        ENGINEER,
    ),
    Why.NO_CONTACT: Words(
        "The gallery is off: this unit has not heard from the office for too long.",
        "Somebody’s ban may have been lifted since, and this unit would not know.",
        _GET_THE_NETWORK_BACK,
        CO_ORDINATOR,
    ),
    Why.OVER_UNPROVEN: Words(
        "This person’s ban is over, by this unit’s own clock.",
        "Its last day has passed. The photograph is deleted as soon as the office confirms the day.",
        "Let them in, unless you have another reason not to.",
    ),
    Why.NOT_YET: Words(
        "This person’s ban has not begun.",
        "Its first day is still to come, or the office has not confirmed yet that it is here.",
        "Nothing. They are shown from the first day on, once this unit has had a network on it.",
    ),
    Why.UNOPENED: Words(
        "This person cannot be shown: what the office sent does not open here.",
        "It may have been made for another unit.",
        "Nothing: the unit has asked the office to send it again.",
        ENGINEER,
    ),
    Why.ON_ITS_WAY: Words(
        "This person’s entry is still being fetched.",
        "The office has just issued or changed it.",
        "Wait a minute. Check that the network cable is in if it does not come.",
        CO_ORDINATOR,
    ),
}
"""For every rule."""
THE_BUTTON_WORKS: Final = "The panic button works as always."
"""Stands below the words for a gallery that is off."""
