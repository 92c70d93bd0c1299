"""Files by which the node and the card's own program (``appliance``) tell one another how the unit is.

Each lies in memory, is written whole by its owner alone, and is read by the other: neither waits for the other, and
either may be absent.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, TypeVar

import msgspec

from wire.errors import DecodeError
from wire.limits import DETAIL_CHARS_MAX
from wire.messages import UpdateReport
from wire.messages.fields import FAULTS_MAX, Count, Message, Moment, Name, NodeText, Slug, Text, settle_moments
from wire.text import display_text

VITALS_FILE: Final = "/run/watchlink-node/vitals.json"
"""The node's."""
SYSTEM_FILE: Final = "/run/watchlink-appliance/system.json"
"""The appliance's."""
CARD_FILE: Final = "/run/watchlink-appliance/card.txt"
"""What is wrong with the card, found before any program ran: a sentence for people; absent = nothing."""
UNIT_FILE_BYTES_MAX: Final = 16_384


class Vitals(Message, frozen=True):
    """How the node is: written within a second of a change, and every ten seconds. Readable by the node and root."""

    node: NodeText
    boot_id: Name
    """Of this run of the program."""
    written_at_ms: Count
    """Since the machine started (``CLOCK_BOOTTIME``): what is older than thirty seconds says nothing."""
    is_armed: bool = False
    """Pins are watched and the store is open."""
    is_linked: bool = False
    """Central itself has answered within the last minutes: not the broker alone."""
    may_restart: bool = False
    """No button is down, no alert of its own is open or waits for a receipt, none of a neighbour's is on the panel, the
    radio is silent, and no settings are on trial."""
    is_on_air: bool = False
    """The radio transmits, or is about to."""
    faulty: Annotated[tuple[Slug, ...], msgspec.Meta(max_length=FAULTS_MAX)] = ()
    """Parts that do not work, as health names them. A button that is held down makes none faulty, and neither does a
    clock that is not proven."""
    stuck: Annotated[tuple[Slug, ...], msgspec.Meta(max_length=FAULTS_MAX)] = ()
    """Buttons that are held down by something."""


class SystemReport(Message, frozen=True):
    """The system that is running."""

    version: Name
    """Of the image that was booted: never one that is only intended."""
    slot: Slug
    """That it was booted from: ``a`` or ``b``."""
    compatible: Slug
    """The sort of hardware that the image is for."""
    support_ends_at: Moment | None = None
    """Of this version, as the release says; absent if none is known."""
    card: Text = ""
    """What is wrong with the card's data partition; empty = nothing."""
    update: UpdateReport | None = None

    def __post_init__(self) -> None:
        settle_moments(self, "support_ends_at")


UnitFile = TypeVar("UnitFile", bound=Message)
# Before there are threads: msgspec 0.22 crashes if two of them are the first to read a type.
_DECODERS: Final[dict[type[Message], msgspec.json.Decoder[Any]]] = {
    kind: msgspec.json.Decoder(kind) for kind in (Vitals, SystemReport)
}


def read_unit_file(data: bytes, kind: type[UnitFile]) -> UnitFile:
    """What one of the two files says: :class:`Vitals` or :class:`SystemReport`.

    Raises:
        DecodeError: it is too large, or no such file.
    """
    if len(data) > UNIT_FILE_BYTES_MAX:
        raise DecodeError("message too large", UNIT_FILE_BYTES_MAX, f"{len(data)} bytes")
    try:
        said: UnitFile = _DECODERS[kind].decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as e:
        raise DecodeError("message field", detail=display_text(str(e), DETAIL_CHARS_MAX)) from e
    return said
