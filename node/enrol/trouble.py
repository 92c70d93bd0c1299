"""What can go wrong, in words for whoever stands before the unit: what it is, and whom to call."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

NETWORK_AGAIN_S: Final = 5.0
"""Trying costs nothing, and the cable may be put in at any moment."""
SERVICE_AGAIN_S: Final = 20.0
LATER_AGAIN_S: Final = 300.0
"""Waiting does not help, but somebody may bring another seed."""


class Trouble(Exception):  # noqa: N818 - it is what people are told
    """Why this unit is not armed yet.

    Attributes:
        sentence: in full.
        short: for the panel, two lines of 21 characters at most.
        again_s: when to try again.
        is_final: waiting alone does not help.
    """

    def __init__(self, sentence: str, short: tuple[str, str], again_s: float, *, is_final: bool = False) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.short = short
        self.again_s = again_s
        self.is_final = is_final


class _Refusal(Struct, frozen=True):
    sentence: str
    short: str


_CALL: Final = "Call the engineer"
_REFUSALS: Final = {
    "malformed": _Refusal("The town did not understand this unit. Its program may be too old", "Update this unit"),
    "unknown claim": _Refusal("The town does not know the claim code on this card", "Code unknown"),
    "other node": _Refusal("The claim code on this card is another unit's", "Code of another unit"),
    "expired": _Refusal("The claim code on this card is older than fourteen days", "Code too old"),
    "used": _Refusal(
        "Another unit has used the claim code on this card already: one of two cards is a copy", "Code used already"
    ),
    "taken": _Refusal(
        "Another unit is this premises' already, with the code of an earlier card. Do not use this card again",
        "Shop has a unit",
    ),
    "replaced": _Refusal(
        "The claim code on this card is of a unit that was replaced or struck off. This unit needs a new card",
        "Needs a new card",
    ),
    "struck": _Refusal("This unit was struck from the town's list", "Unit was struck off"),
}


def waiting_for_network(detail: str) -> Trouble:
    """No network, no name, no route."""
    return Trouble(f"Waiting for the network: {detail}.", ("for the network", "Is the cable in?"), NETWORK_AGAIN_S)


def no_service(detail: str) -> Trouble:
    """There is a network, and nobody who answers as the service does."""
    return Trouble(
        f"The network works, but the town's enrolment service does not: {detail}. This unit goes on trying.",
        ("Town doesn't answer", "Trying again"),
        SERVICE_AGAIN_S,
    )


def another_town(detail: str) -> Trouble:
    """Whoever answers cannot be of the town in the seed."""
    return Trouble(
        f"Whoever answers is not the town that this card is for: {detail}. Call the fleet's engineer.",
        ("Wrong town answers", _CALL),
        LATER_AGAIN_S,
        is_final=True,
    )


def refused(problem: str, retry_s: int) -> Trouble:
    """The service has said no."""
    if problem in {"closed", "slow down"}:
        return Trouble(
            "The town cannot enrol this unit at the moment. It tries again by itself.",
            ("Town is busy", "Trying again"),
            max(SERVICE_AGAIN_S, float(retry_s)),
        )
    known = _REFUSALS.get(problem, _Refusal(f"The town refuses this unit ({problem[:40]})", "The town refuses"))
    return Trouble(f"{known.sentence}. Call the fleet's engineer.", (known.short, _CALL), LATER_AGAIN_S, is_final=True)


def unknown_hardware(profile: str) -> Trouble:
    """The town is of a newer version than this unit's program, which could not start with that."""
    return Trouble(
        f"This unit's program does not know the hardware profile {profile!r} that it is to have: update it. Call the"
        " fleet's engineer.",
        ("Update this unit", _CALL),
        LATER_AGAIN_S,
        is_final=True,
    )


def bad_seed(sentence: str) -> Trouble:
    """The card's seed cannot be used."""
    return Trouble(f"{sentence} Call the fleet's engineer.", ("The seed is wrong", _CALL), LATER_AGAIN_S, is_final=True)


def bad_disk(detail: str) -> Trouble:
    """The card refuses."""
    return Trouble(
        f"This unit's card cannot be written or read: {detail}. Call the fleet's engineer.",
        ("Card out of order", _CALL),
        SERVICE_AGAIN_S,
    )


def bad_card(sentence: str) -> Trouble:
    """What was found wrong with the card before any program ran."""
    return Trouble(f"{sentence} Call the fleet's engineer.", ("Card out of order", _CALL), SERVICE_AGAIN_S)


def has_identity(node: str) -> Trouble:
    """A seed for a unit that is another node already."""
    return Trouble(
        f"This unit is node {node} already, and the seed is for another. Call the fleet's engineer.",
        ("Other seed found", _CALL),
        LATER_AGAIN_S,
        is_final=True,
    )
