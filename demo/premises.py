"""The invented town: its schemes and the four premises of the demo."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

SCHEMES: Final = {"hart": "HART", "pub-watch": "Pub Watch"}


@dataclass(frozen=True, slots=True)
class Address:
    """A premises before it has a node.

    Attributes:
        key: what scripts call it.
        premises, place: as the fleet and every screen name it; together they fit an OLED line.
        schemes: slugs.
    """

    key: str
    premises: str
    place: str
    schemes: tuple[str, ...]


ADDRESSES: Final = (
    Address("corner-shop", "Corner Shop", "High St", ("hart",)),
    Address("penny-books", "Penny Books", "Mill Ln", ("hart",)),
    Address("red-lion", "Red Lion", "Church St", ("pub-watch",)),
    Address("night-stop", "Night Stop", "Park St", ("hart", "pub-watch")),
)
