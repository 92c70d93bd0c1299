"""A session at central's page, and the rules of when it is over. Pure.

What a person may do is not in it: that stands in the newest people snapshot alone.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final, Literal

from msgspec import Struct

from central.core.rights import rights_of
from wire.snapshots import PersonEntry

SHIFT: Final = timedelta(hours=12)
"""How long a session lasts."""
HELD_FOR: Final = timedelta(minutes=10)
"""How much longer each time that it would time out under an open attack; and how long after its end one may find so."""
WARNED_BEFORE: Final = timedelta(minutes=30)
SESSIONS_EACH_MAX: Final = 20
"""Of one account; with one more, the oldest ends."""

Way = Literal["office", "passkey", "printed-code"]
"""How a session began. All but the first are for a day without the office, and are marked."""
End = Literal[
    "signed-out", "shift-over", "account-ended", "ended-at-office", "no-role", "too-many", "replaced", "restored"
]


class Session(Struct, frozen=True, kw_only=True):
    """One browser of one person.

    Attributes:
        digest: SHA-256 of the cookie, 64 hexadecimal digits; it opens nothing.
        account: the person.
        name: the person's, as it was when the session began.
        schemes: those in which the person has had a role here since it began; empty = not known.
        generation: of the person's sessions when it began (:class:`wire.snapshots.PersonEntry`).
        way: how it began.
        office_session: the session at the office that it came from; empty = none.
        second_factor_at: when the person last showed a second factor; ``None`` = not known.
        address: of the browser.
        began_at, expires_at: by central's clock.
    """

    digest: str
    account: int
    name: str
    schemes: tuple[int, ...] = ()
    generation: int
    way: Way
    office_session: str = ""
    second_factor_at: datetime | None = None
    address: str = ""
    began_at: datetime
    expires_at: datetime

    @property
    def is_marked(self) -> bool:
        """It began without the office."""
        return self.way != "office"


def is_long_over(session: Session, now_at: datetime) -> bool:
    """Its time was up so long ago that no attack can hold it any more."""
    return now_at >= session.expires_at + HELD_FOR


def why_over(person: PersonEntry | None, generation: int, office_session: str) -> End | None:
    """Why somebody may not have, or keep, a session; ``None`` = they may.

    Args:
        person: as the newest snapshot lists them; ``None`` = it does not.
        generation: of the session.
        office_session: the session at the office; empty = none.
    """
    if person is None:
        return "account-ended"
    if person.generation > generation or (office_session and office_session in person.ended_sessions):
        return "ended-at-office"
    if rights_of(person.roles).scope.is_empty:
        return "no-role"
    return None
