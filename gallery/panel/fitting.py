"""What whoever fits a tablet reads on the unit's own panel: what to type, and which certificate is the town's.

``/fit`` comes to the tablet without encryption, so that somebody in the shop's network could have changed it. The panel
could not be changed so: it shows both ends of the same fingerprint. Pure.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct

LINE_CHARS_MAX: Final = 21
_HTTP: Final = 80
_PATH: Final = "/fit"
_END_CHARS: Final = 20
"""Seven pairs and what is between them. Both ends are 112 bits: nobody finds another certificate that has them."""
_FIT: Final = ("FIT TABLET",)
Words = tuple[tuple[str, ...], tuple[str, str]]
"""A headline, and two lines."""


class Fitting(Struct, frozen=True):
    """How a tablet is fitted to this unit, now.

    Attributes:
        fingerprint: of the town's web CA, as ``/fit`` shows it; empty = the office has not told it yet.
        address: of the unit in the shop's network; empty = it has none.
        port: at which ``/fit`` is found there; ``None`` = at none, or the page itself is at none.
    """

    fingerprint: str = ""
    address: str = ""
    port: int | None = None

    @property
    def can_begin(self) -> bool:
        """Whether there is something to compare."""
        return bool(self.fingerprint and self.address and self.port)


def place_words(fitting: Fitting) -> Words:
    """What to type into the tablet's browser, or why nothing."""
    if fitting.port is None:  # Before all: then nobody asks for a certificate either.
        return _FIT, ("No port for tablets", "Call the engineer")
    if not fitting.fingerprint:
        return _FIT, ("No certificate yet", "Is there a network?")
    if not fitting.address:
        return _FIT, ("No network address", "Is the cable in?")
    place = fitting.address if fitting.port == _HTTP else f"{fitting.address}:{fitting.port}"
    # Without the path a browser is led to it.
    typed = f"{place}{_PATH}" if len(place + _PATH) <= LINE_CHARS_MAX else place[:LINE_CHARS_MAX]
    return _FIT, (typed, "▲to compare")


def fingerprint_words(fitting: Fitting) -> Words:
    """Both ends of the fingerprint."""
    whole = fitting.fingerprint
    return ("COMPARE",), (f"{whole[:_END_CHARS]}…", f"…{whole[-_END_CHARS:]}")
