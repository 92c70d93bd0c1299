"""The page of phones: what has come to each, and what a tap opens.

===== ============ ===================================================================
GET   /phones      the phones of this run; 404 in a town without
GET   /phones.json what they show now
POST  /phones/N    the Nth phone's push service: ``{"push": "refuses"}``, or ``works``
===== ============ ===================================================================
"""

from __future__ import annotations

import re
from typing import Final, Literal

import msgspec
from starlette.exceptions import HTTPException

from demo.phones import Handset, TownPhones
from demo.town import Town
from notifier.texts import SENTENCES
from office.exclusions.rules.period import TOWN_ZONE

_ADDRESS: Final = re.compile(r"\s*(https?://\S+)$")
_SHOWN_MAX: Final = 10
_TAKEN: Final = 201
_REFUSED: Final = 403


class PushSet(msgspec.Struct, forbid_unknown_fields=True):
    """What its push service does."""

    push: Literal["works", "refuses"]


class Came(msgspec.Struct, frozen=True):
    """A message.

    Attributes:
        key: of this phone's messages.
        opens: central's page that a tap opens.
        at: by the clock on the wall; empty of a text message.
    """

    key: str
    words: str
    opens: str
    at: str = ""


class PhoneState(msgspec.Struct, frozen=True):
    """One phone; both lists newest first."""

    owner: str
    number: str
    is_refused: bool
    notices: tuple[Came, ...]
    texts: tuple[Came, ...]


def phones_of(town: Town) -> tuple[PhoneState, ...]:
    """All, as of now.

    Raises:
        HTTPException: there are none.
    """
    return tuple(_state(one, town.watch_room.url) for one in _phones(town).handsets)


def set_push(town: Town, number: int, order: PushSet) -> None:
    """Let a phone's push service work, or refuse.

    Raises:
        HTTPException: there is no such phone.
    """
    handsets = _phones(town).handsets
    if number >= len(handsets):
        raise HTTPException(404, "No such phone.")
    handsets[number].browser.answer = _TAKEN if order.push == "works" else _REFUSED


def _phones(town: Town) -> TownPhones:
    if town.phones is None:
        raise HTTPException(404, "This town has no phones.")
    return town.phones


def _state(handset: Handset, central_url: str) -> PhoneState:
    notices = [
        Came(
            f"notice {number}",
            SENTENCES[one.told["occasion"]],
            f"{central_url}wake/{one.told['reference']}",
            f"{one.at.astimezone(TOWN_ZONE):%H:%M:%S}",
        )
        for number, one in enumerate(handset.browser.shown)
        if one.told["reference"] not in handset.tapped
    ]
    texts = [Came(f"text {number}", *_read(words, central_url)) for number, words in enumerate(handset.texts)]
    return PhoneState(
        handset.owner,
        handset.number,
        handset.browser.answer == _REFUSED,
        tuple(reversed(notices[-_SHOWN_MAX:])),
        tuple(reversed(texts[-_SHOWN_MAX:])),
    )


def _read(words: str, central_url: str) -> tuple[str, str]:
    """Its words and its address, which a phone makes a link."""
    address = _ADDRESS.search(words)
    return _ADDRESS.sub("", words), address[1] if address else central_url
