"""The vocabulary: kinds of alerts, who can answer them, and how.

Numbers travel in frames and are never reused or renumbered; names travel in JSON.
"""

from __future__ import annotations

from enum import IntEnum, StrEnum
from typing import Final, Self


class Numbered(IntEnum):
    """A number in frames, a name in JSON."""

    @property
    def slug(self) -> str:
        """The name in JSON: ``"call-request"``."""
        return self.name.lower().replace("_", "-")

    @classmethod
    def by_slug(cls, slug: str) -> Self | None:
        """The member of that name, or ``None``: a newer peer may know more names."""
        return next((member for member in cls if member.slug == slug), None)


class FrameKind(Numbered):
    """Low four bits of a frame's first byte."""

    ALERT = 1
    """A press."""
    CANCEL = 2
    """The presser takes an incident back."""
    RECEIPT = 3
    """Central has committed a frame; no person need have seen it."""
    ACKNOWLEDGEMENT = 4
    """A named person on duty has acted on an incident."""
    PATH_TEST = 5
    """Proves a path without alarming anyone."""
    RESPONSE = 6
    """Another member pressed *seen* or *responding*."""
    RECEIPT_BATCH = 7
    """Several receipts in one frame, for the radio, where each signature costs half a second."""
    DIGEST_RECEIPT = 8
    """Central has committed a frame with exactly these bytes; valid for no other frame."""
    DIGEST_RECEIPT_BATCH = 9
    """Several digest receipts in one frame, for the radio."""
    REFUSAL = 10
    """Central will never commit a frame with these bytes: its content must be sent again, under a new counter."""
    AUTOMATIC_ACKNOWLEDGEMENT = 11
    """Watchlink itself has answered a test: no name, no role."""
    PRESS_ACKNOWLEDGEMENT = 12
    """A named person on duty has acted on an incident; names the newest press they knew of, and the urgency."""


class Capability(StrEnum):
    """What a node's signed health says it understands; central sends it only then."""

    DIGEST_RECEIPT = "digest-receipt"
    """Receipts with a digest, alone and in batches."""
    REFUSAL = "refusal"
    """Refusals."""
    AUTOMATIC = "automatic"
    """Automatic acknowledgements."""
    SETTINGS = "settings"
    """Settings from the fleet."""
    PRESS = "press"
    """Acknowledgements that name the press."""


class CentralCapability(StrEnum):
    """What central's signed answer to a sync says it understands; a node sends it only then."""

    PERSON = "person"
    """Alerts about a person. Until then a node sends them without the person, to the same one scheme."""


SIGNERS_SPEAK: Final[frozenset[str]] = frozenset({Capability.DIGEST_RECEIPT, Capability.REFUSAL})
"""Understood by every version that signs its JSON, even before its first health arrives."""


class AlertKind(Numbered):
    """What the alert is about (N7)."""

    ATTACK = 1
    """Threat to a person: hold-up, personal attack."""
    ASSIST = 2
    """Come and help, something is going on."""
    THEFT = 3
    """Theft in progress."""
    SIGHTING = 4
    """Suspected shoplifter nearby: short-lived, carries no allegation text."""
    DISORDER = 5
    """A fight, a crowd, drunkenness."""
    BREACH = 6
    """An excluded person refused entry."""
    CALL_REQUEST = 7
    """Please call us (L9)."""
    TEST = 8
    """Weekly proof of life or a drill (N12)."""
    TAMPER = 9
    """Someone is tampering with the unit."""
    POWER = 10
    """Mains lost or back."""
    FAULT = 11
    """A part does not work."""


class LeftWhenAsked(Numbered):
    """Of a breach about a person: whether they left when asked (G9)."""

    NOT_ASKED = 0
    """Nobody asked them; of a sighting always."""
    YES = 1
    """They left."""
    NO = 2
    """They did not."""


ABOUT_PERSONS: Final[frozenset[AlertKind]] = frozenset({AlertKind.SIGHTING, AlertKind.BREACH})
"""Kinds that may name a person of the scheme's gallery, by the number of the reference."""


def reference_text(scheme: str, person: int) -> str:
    """``HART-0042``: how people write a person of the scheme with this slug."""
    return f"{scheme.upper()}-{person:04}"


class Priority(IntEnum):
    """Urgency, most urgent first; badges show it by shape, letter and colour."""

    P1 = 1
    P2 = 2
    P3 = 3
    P4 = 4
    TEST = 5


PRIORITY: Final[dict[AlertKind, Priority]] = {
    AlertKind.ATTACK: Priority.P1,
    AlertKind.ASSIST: Priority.P2,
    AlertKind.DISORDER: Priority.P2,
    AlertKind.THEFT: Priority.P3,
    AlertKind.SIGHTING: Priority.P3,
    AlertKind.BREACH: Priority.P3,
    AlertKind.CALL_REQUEST: Priority.P3,
    AlertKind.TEST: Priority.TEST,
    AlertKind.TAMPER: Priority.P4,
    AlertKind.POWER: Priority.P4,
    AlertKind.FAULT: Priority.P4,
}


def most_urgent(*priorities: Priority | None) -> Priority | None:
    """The most urgent; ``None`` if there is none."""
    return min((priority for priority in priorities if priority is not None), default=None)


MEMBERS_WARNED: Final[frozenset[AlertKind]] = frozenset(
    {AlertKind.ATTACK, AlertKind.ASSIST, AlertKind.DISORDER, AlertKind.THEFT, AlertKind.SIGHTING, AlertKind.BREACH}
)
"""Kinds shown to other premises of the scheme (N5). The rest concern only central."""


class Role(Numbered):
    """Who can answer (C2)."""

    CO_ORDINATOR = 1
    CCTV = 2
    PCSO = 3
    DUTY_SERGEANT = 4
    DUTY_OFFICER = 5
    POLICE = 6

    @property
    def title(self) -> str:
        """As written on pages."""
        return _ROLE_TITLES[self]

    @property
    def short(self) -> str:
        """As written on a 21-character OLED line: at most six characters."""
        return _ROLE_SHORT[self]


_ROLE_TITLES: Final = {
    Role.CO_ORDINATOR: "Co-ordinator",
    Role.CCTV: "CCTV control room",
    Role.PCSO: "PCSO on duty",
    Role.DUTY_SERGEANT: "Duty sergeant",
    Role.DUTY_OFFICER: "Duty officer",
    Role.POLICE: "Police",
}
_ROLE_SHORT: Final = {
    Role.CO_ORDINATOR: "CO-ORD",
    Role.CCTV: "CCTV",
    Role.PCSO: "PCSO",
    Role.DUTY_SERGEANT: "SGT",
    Role.DUTY_OFFICER: "DUTY",
    Role.POLICE: "POLICE",
}


WATCHLINK_ROLE: Final = "watchlink"
"""In JSON, the role in Watchlink's own answers: not a :class:`Role`, because no person has it."""
AUTOMATIC_NAME: Final = "automatic"
"""The name in central's own answer to a test (N12)."""


class CancelReason(Numbered):
    """Why the presser took it back (N6). It never deletes the alert; central still closes it."""

    MISTAKE = 1
    """It should not have been pressed."""
    STAND_DOWN = 2
    """It was right, but help is no longer needed."""


class MemberResponse(Numbered):
    """What another member pressed on a neighbour's alert (N5)."""

    SEEN = 1
    """We have seen it."""
    RESPONDING = 2
    """We are coming."""


class RefusalReason(Numbered):
    """Why central will never commit a frame."""

    ID_CONFLICT = 1
    """Another frame of this sender with the same counter is already committed."""
    FOREIGN_INCIDENT = 2
    """A response to the sender's own incident, or to one of a scheme that it does not name."""


class AnswerState(Numbered):
    """What a named person on duty has said about an alert."""

    ANSWERED = 1
    """They have taken it."""
    ON_THE_WAY = 2
    """Someone is coming."""
    CLOSED = 3
    """It is over; only a person says so."""
    UNANSWERED = 4
    """The acknowledgement was taken back within ten seconds."""


class Path(StrEnum):
    """How a frame came."""

    NETWORK = "network"
    RADIO = "radio"
