"""What the gallery's one thread needs of others, as it sees them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final, Protocol

from msgspec import Struct

from gallery.arrivals import Arrivals
from gallery.core.effects import AskOffice
from gallery.core.events import Pin
from gallery.listing import Names
from gallery.store.entries import Entries
from gallery.store.gallery_store import GalleryStore
from runtime.logs import FactLog
from runtime.monotonic import boottime_ms
from wire.gallery_views import ViewHead

IDLE_MAX_MS: Final = 60_000
"""A sleep of the machine is not counted while waiting: so late at most is a deadline noticed after it."""


class Verifier(Protocol):
    """Compares PINs and start codes. Slow on purpose."""

    def make(self, pin: Pin) -> bytes:
        """What is kept of a PIN. On the core's thread."""

    def is_pin(self, pin: Pin, verifier: bytes) -> bool:
        """Whether it is the PIN of which this was kept; empty = none was."""

    def is_code(self, code: Pin, code_check: str) -> bool:
        """Whether it is the start code that the office compares so."""


class Asks(Protocol):
    """Asks the office: :class:`gallery.net.contact.Contact`."""

    def ask(self, question: AskOffice) -> None:
        """In place of what was asked before. Never blocks."""

    def stop(self) -> bool:
        """Ask nothing more."""


class Fetches(Protocol):
    """Fetches photographs: :class:`gallery.net.fetching.Fetching`."""

    def fetch(self, digests: Iterable[str]) -> None:
        """Before what was ordered earlier. Never blocks."""

    def drop(self, digests: Iterable[str]) -> None:
        """None of these is written any more once it returns."""

    def stop(self) -> bool:
        """Fetch nothing more."""


class Card(Struct, frozen=True):
    """What lies on the card, and what opens it.

    Attributes:
        origin: of a view log without records, :func:`wire.gallery_views.no_views`.
    """

    store: GalleryStore
    arrivals: Arrivals
    entries: Entries
    origin: ViewHead


class Surroundings(Struct, frozen=True):
    """What else it needs.

    Attributes:
        verifier: of PINs and start codes.
        facts: the fact log.
        about: stands in each fact.
        boot_id: of the machine's boot.
        battery_s: reads a clock with a battery, Unix seconds; ``None`` = there is none that can be read.
        names: what premises and schemes are called now.
        now_ms: counts the machine's sleep too.
        on_turn: called on the core's thread at each turn, at least every ``wait_max_ms``.
    """

    verifier: Verifier
    facts: FactLog
    about: dict[str, str]
    boot_id: str
    battery_s: Callable[[], int | None] = lambda: None
    names: Callable[[], Names] = Names
    now_ms: Callable[[], int] = boottime_ms
    on_turn: Callable[[], None] = lambda: None
    wait_max_ms: int = IDLE_MAX_MS
