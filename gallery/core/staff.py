"""Who may sign in at the gallery, and what must be remembered of each.

A PIN has six digits or more: a million guesses at most. What makes it hold is that guesses are few. Each is counted on
the disk before it is answered, and after some the person waits, longer each time. A boot begins the wait anew, so a
power switch shortens nothing. Somebody who holds the memory card can guess without this program: that is a limit, and
docs/gallery.md says so.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct

DIGITS_MIN: Final = 6
DIGITS_MAX: Final = 12
FREE_TRIES: Final = 3
"""Wrong ones without a wait: fingers slip."""
FIRST_WAIT_MS: Final = 30_000
LONGEST_WAIT_MS: Final = 3_600_000
"""10,000 guesses then take more than a year."""
_DOUBLINGS_MAX: Final = 16
_COMMON: Final = frozenset({"112233", "121212", "123123", "123321", "159753", "147258", "696969", "456456", "789789"})
_ROW: Final = "01234567890123456789"


class StaffTold(Struct, frozen=True):
    """A person, as the office says.

    Attributes:
        person: their number at the office; never used again for somebody else.
        name: as the sign-in page lists it.
        code: number of the newest start code that they were given; 0 = none.
        code_check: what a start code is compared with. It is the adapter's.
    """

    person: int
    name: str
    code: int = 0
    code_check: str = ""


class StaffRow(Struct, frozen=True):
    """A person, on the disk.

    Attributes:
        told: as the office says.
        spent: number of the start code that was used last.
        failures: guesses since the last right one, those included that nobody answered yet.
        has_pin: there is a verifier.
    """

    told: StaffTold
    spent: int = 0
    failures: int = 0
    has_pin: bool = False

    @property
    def person(self) -> int:
        """Their number."""
        return self.told.person

    @property
    def has_code(self) -> bool:
        """Whether a start code would still be taken."""
        return self.told.code > self.spent

    @property
    def may_use_pin(self) -> bool:
        """Whether the PIN counts: a new start code ends the one before."""
        return self.has_pin and not self.has_code


def wait_ms(failures: int) -> int:
    """How long the next try is refused after this many wrong ones."""
    if failures <= FREE_TRIES:
        return 0
    return min(FIRST_WAIT_MS << min(failures - FREE_TRIES - 1, _DOUBLINGS_MAX), LONGEST_WAIT_MS)


def why_not_pin(pin: str) -> str:
    """Why a PIN is refused, for the person who chose it; empty = it is good."""
    if not (pin.isascii() and pin.isdigit()):
        return "Use digits only."
    if len(pin) < DIGITS_MIN:
        return f"Use at least {DIGITS_MIN} digits."
    if len(pin) > DIGITS_MAX:
        return f"Use at most {DIGITS_MAX} digits."
    if _is_repeated(pin) or pin in _ROW or pin in _ROW[::-1] or pin in _COMMON:
        return "That is one of the first that anybody would try. Choose another."
    return ""


def _is_repeated(pin: str) -> bool:
    """One, two or three digits over and over: 000000, 121212, 123123."""
    return any(pin == (pin[:size] * len(pin))[: len(pin)] for size in (1, 2, 3))
