"""What the page shows of the premises where a unit stands."""

from __future__ import annotations

import msgspec


class ContactLine(msgspec.Struct, frozen=True, omit_defaults=True):
    """Someone to reach at a premises."""

    name: str
    phone: str = ""
    is_key_holder: bool = False
    note: str = ""


class PremisesLine(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What the office knows of the premises where a unit stands. Shown to people of the premises' schemes only."""

    node: str
    """The unit, by which its cards find it."""
    scheme_numbers: tuple[int, ...]
    """Of the premises at the office, not of the unit."""
    name: str
    address: str = ""
    opening_hours: str = ""
    staff_contact: str = ""
    when_going: str = ""
    """May have several lines."""
    latitude: float | None = None
    """WGS 84."""
    longitude: float | None = None
    contacts: tuple[ContactLine, ...] = ()
