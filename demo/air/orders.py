"""Orders to the air and its state, as JSON lines on its control socket.

At each change, and several times a second while someone is on the air, every client gets ``{"air": …}``. Each order is
answered by ``{"ok": true}``, after the state that includes it, or by ``{"error": "…"}``.
"""

from __future__ import annotations

from typing import Annotated, Final

import msgspec

AIR_SOCKET: Final = "air.sock"
CONTROL_SOCKET: Final = "control.sock"
"""In the air's folder."""
SPEAKER: Final = "somebody"
JAMMER: Final = "jammer"
"""Stations that are not radios."""
SECONDS_MAX: Final = 60
SILENT_DBFS: Final = -90.0
_Name = Annotated[str, msgspec.Meta(max_length=64)]


class Order(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="do"):
    """Base of the orders."""


class Block(Order, frozen=True, tag="block"):
    """Two stations cannot hear each other, or can again."""

    a: _Name
    b: _Name
    is_blocked: bool = True


class SetCnr(Order, frozen=True, tag="cnr"):
    """Set the carrier-to-noise ratio of all links, one station's, or one; ``None`` = the default."""

    db: float | None
    a: _Name = ""
    b: _Name = ""


class Jam(Order, frozen=True, tag="jam"):
    """Noise on the channel, louder than any radio."""

    is_on: bool


class Talk(Order, frozen=True, tag="talk"):
    """Someone talks for ``seconds``."""

    seconds: Annotated[float, msgspec.Meta(gt=0, le=SECONDS_MAX)]


class Stick(Order, frozen=True, tag="stick"):
    """A station's key sticks, whatever its node does, or is released."""

    who: _Name
    is_stuck: bool = True


AnyOrder = Block | SetCnr | Jam | Talk | Stick


class StationState(msgspec.Struct, frozen=True):
    """A radio, or the voice or jammer while present."""

    is_radio: bool = True
    is_keyed: bool = False
    is_stuck: bool = False
    is_welded: bool = False


class Recording(msgspec.Struct, frozen=True):
    """One recording of the air.

    Attributes:
        number: from 1.
        who: stations keyed in it, in order.
        seconds: its length.
        peak_dbfs: its loudest tick.
        wav, png: file names in the recorder's folder.
    """

    number: int
    who: tuple[str, ...]
    seconds: float
    peak_dbfs: float
    wav: str
    png: str


class AirState(msgspec.Struct, frozen=True):
    """The whole air.

    Attributes:
        stations: by name.
        level_dbfs: at a scanner in the middle of the town.
        is_jammed: the jammer is on.
        is_talking: someone talks.
        cnr_db: of links that are not set.
        blocked: pairs that cannot hear each other.
        recordings: newest first.
        slipped_ticks: how often the machine was late.
    """

    stations: dict[str, StationState] = {}
    level_dbfs: float = SILENT_DBFS
    is_jammed: bool = False
    is_talking: bool = False
    cnr_db: float = 0.0
    blocked: tuple[tuple[str, ...], ...] = ()
    recordings: tuple[Recording, ...] = ()
    slipped_ticks: int = 0


class Reply(msgspec.Struct, frozen=True, omit_defaults=True):
    """One line from the air."""

    ok: bool = False
    error: str = ""
    air: AirState | None = None
