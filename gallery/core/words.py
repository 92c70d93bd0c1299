"""Why the gallery, or a face, is not shown: for somebody who is tired and has a customer waiting.

What is the matter, why, what to do, and whom to call. Each fits on a phone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from gallery.core.effects import NotShown, SignIn
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
NOTHING_YET: Final = Words(
    "There is no gallery on this unit yet.",
    "The office has not answered it since it was fitted.",
    _GET_THE_NETWORK_BACK,
    ENGINEER,
)
NOT_SHOWN: Final[Mapping[NotShown, Words]] = {
    NotShown.SIGNED_OUT: Words(
        "This page is locked.",
        "Nobody has touched it for a while, or somebody pressed the lock.",
        "Sign in with your PIN.",
    ),
    NotShown.NOT_LOGGED: Words(
        "This cannot be shown: the unit cannot write down who looked.",
        "Every look is written down first. The unit’s memory card may be full or worn out.",
        "Wait a minute and try again.",
        ENGINEER,
    ),
    NotShown.LOG_FULL: Words(
        "This cannot be shown: too many looks wait for the office.",
        "Every look is written down and fetched by the office, and it has not fetched any for a long time.",
        _GET_THE_NETWORK_BACK,
        CO_ORDINATOR,
    ),
    NotShown.BUSY: Words(
        "Too much was asked for at once.",
        "The unit writes down each look before it shows a face.",
        "Wait a moment and try again.",
    ),
}
"""Why a picture is not shown, beside the rules."""
SIGN_IN: Final[Mapping[SignIn, Words]] = {
    SignIn.WRONG: Words(
        "That did not let you in.",
        "The PIN was wrong, or you are no longer on the list of this shop’s staff.",
        "Try again. After three wrong tries there is a wait, and it grows.",
        "your manager, who can ask for a new start code",
    ),
    SignIn.LOCKED: Words(
        "You have to wait.",
        "There were too many wrong tries under this name.",
        "Wait until the time is over, then try again. Switching the unit off begins the wait anew.",
        "your manager, who can ask for a new start code",
    ),
    SignIn.BUSY: Words(
        "Somebody is signing in under this name just now.",
        "One try is checked at a time.",
        "Wait a moment and try again.",
    ),
    SignIn.NO_PIN: Words(
        "You have no PIN on this unit.",
        "A PIN is chosen on each unit, with a start code.",
        "Enter the start code that you were given.",
        "your manager, who can ask for a start code",
    ),
    SignIn.CODE_SPENT: Words(
        "This start code has been used.",
        "A start code is good once.",
        "Sign in with your PIN. If it was not you who used the code, tell your manager at once.",
        "your manager, who can ask for a new start code",
    ),
    SignIn.PIN_REFUSED: Words(
        "This PIN is too easy to guess.",
        "Anybody at the counter may try.",
        "Choose another with six digits or more.",
    ),
    SignIn.NOT_STORED: Words(
        "Nobody can sign in just now.",
        "The unit counts tries on its memory card, and the card may be full or worn out.",
        "Wait a minute and try again.",
        ENGINEER,
    ),
}
"""Why somebody is not let in."""
THE_BUTTON_WORKS: Final = "The panic button works as always."
"""Stands below the words for a gallery that is off."""
