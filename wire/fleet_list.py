"""What central knows of each unit, as a file: central's page writes it, ``watchlink fleet list --from`` reads it.

It is for people's eyes: not signed, and nothing is done for it.
"""

from __future__ import annotations

from typing import Annotated, Final

import msgspec

from wire.errors import DecodeError
from wire.limits import DETAIL_CHARS_MAX, TEXT_CHARS_MAX
from wire.messages import Count, Message, Moment, Name, NodeText, Slug, settle_moments
from wire.text import display_text

FLEET_LIST_BYTES_MAX: Final = 16_777_216
_UNITS_MAX: Final = 20_000
_NEEDS_MAX: Final = 64
_Sentences = Annotated[str, msgspec.Meta(max_length=2 * TEXT_CHARS_MAX)]


class UnitEntry(Message, frozen=True):
    """One unit; what is absent it did not tell."""

    node: NodeText
    premises: Name = ""
    state: Slug = "never-seen"
    """``ok``, ``fault``, ``no-contact``, ``stopped``, ``never-seen``, ``revoked``, or the word of a newer version."""
    last_seen_at: Moment | None = None
    version: Name = ""
    """The program's."""
    certificate_ends_at: Moment | None = None
    profile: Name = ""
    system: Name = ""
    support_ends_at: Moment | None = None
    temperature_c: int | None = None
    free_bytes: Count | None = None
    has_battery_clock: bool | None = None
    clock: Slug | None = None
    radio: Name = ""
    """In words."""
    is_speech_ready: bool | None = None
    settings: Name = ""
    """Which of the fleet's settings count, in words."""
    settings_serial: Count = 0
    """Of the newest that it has judged; 0 = none."""
    image: Name = ""
    """Version of the system image that it has booted; empty = it runs none."""
    slot: Slug | None = None
    update: _Sentences = ""
    """What became of the newest release there, in words."""
    needs: Annotated[tuple[_Sentences, ...], msgspec.Meta(max_length=_NEEDS_MAX)] = ()
    """What a person must see to, worst first, in sentences."""

    def __post_init__(self) -> None:
        settle_moments(self, "last_seen_at", "certificate_ends_at", "support_ends_at")


class FleetList(Message, frozen=True):
    """All units that the person who asked may see."""

    at: Moment
    """When central said it, by its clock."""
    units: Annotated[tuple[UnitEntry, ...], msgspec.Meta(max_length=_UNITS_MAX)]

    def __post_init__(self) -> None:
        settle_moments(self, "at")


_read_fleet_list: Final = msgspec.json.Decoder(FleetList).decode


def decode_fleet_list(data: bytes) -> FleetList:
    """Read a file.

    Raises:
        DecodeError: it is too large, or no such list.
    """
    if len(data) > FLEET_LIST_BYTES_MAX:
        raise DecodeError("message too large", FLEET_LIST_BYTES_MAX, f"{len(data)} bytes")
    try:
        return _read_fleet_list(data)
    except msgspec.ValidationError as e:
        raise DecodeError("message field", detail=display_text(str(e), DETAIL_CHARS_MAX)) from e
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as e:
        raise DecodeError("message json", detail=display_text(str(e), DETAIL_CHARS_MAX)) from e
