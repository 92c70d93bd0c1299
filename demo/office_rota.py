"""Plans the demo's rota and confirms its policies, by the office's own acts. Imported once Django is set up.

Somebody may start the demo at any hour, so its day begins with the hour that has just begun. The PCSO's shift is on,
the duty sergeant's still to come. On two days of the week somebody should be there for four hours after the PCSO, and
nobody is: gaps.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from msgspec import Struct

from office.accounts.models import Account, Scheme
from office.escalation import policies, rules
from office.rota.acts import save_hours
from office.rota.models import RotaCover, RotaPattern, WithHours
from office.rota.rules.wall_time import london
from wire.snapshots import AnsweringRole

_EVERY_DAY: Final = "0123456"
_COVERED: Final = "45"
"""Friday and Saturday; 0 = Monday."""
_WHOLE_DAY_H: Final = 24
_PAST: Final = timedelta(days=7)
"""The rota holds since then."""


class Daily(Struct, frozen=True):
    """Shifts of a post, one a day.

    Attributes:
        from_now_h: when it begins, from the hour that has just begun.
        people: usernames; several change each Monday, the last one is on this week. None = somebody should be there.
    """

    scheme: str
    role: AnsweringRole
    from_now_h: int
    hours: int
    people: tuple[str, ...] = ()


DAYS: Final = (
    Daily("hart", "pcso", 0, 8, ("patel",)),
    Daily("hart", "pcso", 0, 12),
    Daily("hart", "duty-sergeant", 8, 10, ("webb",)),
    Daily("hart", "cctv", 0, _WHOLE_DAY_H, ("shah",)),
    Daily("hart", "co-ordinator", 0, _WHOLE_DAY_H, ("grant",)),
    Daily("pub-watch", "duty-officer", 4, 8, ("okoro",)),
    Daily("pub-watch", "cctv", 0, _WHOLE_DAY_H, ("shah",)),
    Daily("pub-watch", "co-ordinator", 0, _WHOLE_DAY_H, ("brandt", "grant")),
)


def plan(now: datetime) -> None:
    """Plan the rota as of ``now``, and confirm for each scheme the policy that the office proposes."""
    people = {account.username: account for account in Account.objects.all()}
    schemes = {scheme.slug: scheme for scheme in Scheme.objects.all()}
    co_ordinator = people["grant"]
    for daily in DAYS:
        save_hours(co_ordinator, _row(daily, schemes[daily.scheme], people, now))
    for scheme in schemes.values():
        policies.make_policy(co_ordinator, scheme, rules.proposal(scheme.slug, policies.roles_in(scheme)))


def _row(daily: Daily, scheme: Scheme, people: dict[str, Account], now: datetime) -> WithHours:
    begins = london(now).replace(minute=0, second=0, microsecond=0) + timedelta(hours=daily.from_now_h)
    row: WithHours = RotaCover(weekdays=_COVERED)
    if daily.people:
        row = RotaPattern(weekdays=_EVERY_DAY, people=[people[one].pk for one in daily.people], turn="week")
    row.scheme, row.role = scheme, daily.role
    row.begins, row.length_min = begins.time(), daily.hours * 60
    row.first = begins.date() - _PAST
    return row
