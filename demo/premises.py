"""The invented town: its schemes, its premises, and which of them a demo has."""

from __future__ import annotations

from itertools import product
from typing import Final

from msgspec import Struct

from demo.ports import LOOPBACK
from node.core.panel.words import where

SCHEMES: Final = {"hart": "HART", "pub-watch": "Pub Watch"}


class Address(Struct, frozen=True):
    """A premises before it has a node.

    Attributes:
        key: its name in scripts.
        premises, place: its names for fleet and screens.
        schemes: slugs.
    """

    key: str
    premises: str
    place: str
    schemes: tuple[str, ...]

    def is_named_in(self, words: str) -> bool:
        """Whether a panel's words name it, if need be cut, as beside a long place, or late."""
        names = (self.premises, *(where(self.premises, self.place, before) for before in ("", "LATE ")))
        return any(name in words for name in names)


ADDRESSES: Final = (
    Address("corner-shop", "Corner Shop", "High St", ("hart",)),
    Address("penny-books", "Penny Books", "Mill Ln", ("hart",)),
    Address("red-lion", "Red Lion", "Church St", ("pub-watch",)),
    Address("night-stop", "Night Stop", "Park St", ("hart", "pub-watch")),
)
MARKET: Final = (
    *ADDRESSES,
    Address("bells", "Bell's Outdoor", "Mill Ln", ("hart",)),
    Address("pharmacy", "Pharmacy", "High St", ("hart",)),
    Address("shoe-tree", "Shoe Tree", "Cank St", ("hart",)),
    Address("gas-co", "Gas & Co", "King St", ("hart",)),
    Address("vine", "The Vine", "Church Gate", ("hart",)),
    Address("toy-box", "Toy Box", "Market Pl", ("hart",)),
    Address("boots-up", "Boots Up", "Silver St", ("hart",)),
    Address("cycle-den", "Cycle Den", "Park St", ("hart",)),
)
"""Twelve, for a storm."""
PREMISES_MIN: Final = len(ADDRESSES)
PREMISES_MAX: Final = 60
"""Each is a program, plus a radio if there is an air."""
_OWNERS: Final = ("Ada", "Ben", "Cora", "Dev", "Ella", "Finn", "Gus", "Hana")
_TRADES: Final = (
    ("Bikes", ("hart",)),
    ("Bar", ("pub-watch",)),
    ("Books", ("hart",)),
    ("Shoes", ("hart",)),
    ("Inn", ("pub-watch",)),
    ("Deli", ("hart", "pub-watch")),
)
_PLACES: Final = ("High St", "Mill Ln", "Cank St", "King St", "Park St")
GATEWAY: Final = Address("gateway", "Control room", "Town Hall", ("hart", "pub-watch"))
"""Central's own radio, a node like any other but for its kind."""


def addresses(count: int) -> tuple[Address, ...]:
    """The town's first ``count`` premises, :data:`PREMISES_MIN` to :data:`PREMISES_MAX`; always the same."""
    invented = (
        Address(f"{owner}-{trade}".lower(), f"{owner}'s {trade}", _PLACES[number % len(_PLACES)], schemes)
        for number, (owner, (trade, schemes)) in enumerate(product(_OWNERS, _TRADES))
    )
    return (*MARKET, *invented)[:count]


class TownPlan(Struct, frozen=True):
    """What a town is made of.

    Attributes:
        addresses: its premises.
        has_radio: each has a radio on one air, and central has a gateway.
        has_office: it has an office; else people sign in to central by tickets that the demo signs.
        has_people: the office has an account of each role from the start, the town's premises, and a year of cases.
        has_galleries: each premises has a gallery, and the office a machine port; it needs an office.
        has_benches: the galleries' machines have clocks that a script can set.
        has_phones: the notifier runs, with a push service and a text gateway that stand in; it needs an office.
        has_papers: the office has the program that makes PDFs.
        host: the address by which nodes reach the town: of a network that ends on this machine.
        is_bare: nothing is installed and nothing runs: that is left to the script (:mod:`demo.live`).
        path_test_first_ms: when each node first tests its radio's path.
        attack_wait_max_ms: how long an attack waits for a clear channel; ``None`` = the node's default.
    """

    addresses: tuple[Address, ...] = ADDRESSES
    has_radio: bool = False
    has_office: bool = False
    has_people: bool = False
    has_phones: bool = False
    has_papers: bool = False
    has_galleries: bool = False
    has_benches: bool = False
    host: str = LOOPBACK
    is_bare: bool = False
    path_test_first_ms: int = 45_000
    attack_wait_max_ms: int | None = None
