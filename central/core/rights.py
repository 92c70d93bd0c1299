"""Who may see and do what at central, by role and scheme (ADR 0023). Pure: roles in, rights out.

============== ========================== ====================
role           alerts, duty, details      units and figures
============== ========================== ====================
co-ordinator   sees, answers              sees
cctv           sees, answers              sees
pcso           sees, answers              sees
duty-sergeant  sees, answers              sees
duty-officer   sees, answers              sees
police         sees, answers              sees
fleet-engineer nothing                    sees
members-contact nothing                   nothing
============== ========================== ====================

Each for the schemes in which a person has the role. What belongs to no scheme (central's own radio, input of unknown
senders) is seen by those who see every scheme of the town.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from msgspec import Struct

from wire.snapshots import RoleEntry, RoleSlug


class May(Struct, frozen=True):
    """What a role may do in its schemes."""

    answers: bool
    """Sees alerts, who is on duty and the premises' details, and acts on alerts."""
    sees_units: bool
    """Sees the units' health and figures."""


_CONTROL_ROOM: Final = May(answers=True, sees_units=True)
TABLE: Final[dict[RoleSlug, May]] = {
    "co-ordinator": _CONTROL_ROOM,
    "cctv": _CONTROL_ROOM,
    "pcso": _CONTROL_ROOM,
    "duty-sergeant": _CONTROL_ROOM,
    "duty-officer": _CONTROL_ROOM,
    "police": _CONTROL_ROOM,
    "fleet-engineer": May(answers=False, sees_units=True),
    "members-contact": May(answers=False, sees_units=False),
}


class Scope(Struct, frozen=True):
    """What someone sees: numbers of schemes. People with equal scopes share one feed.

    Attributes:
        alerts: whose alerts, people on duty and premises' details.
        units: whose units, with their figures.
        is_whole: all there is, of every scheme and of none. No role gives it: see :data:`WHOLE_TOWN`.
    """

    alerts: frozenset[int] = frozenset()
    units: frozenset[int] = frozenset()
    is_whole: bool = False

    @property
    def schemes(self) -> tuple[int, ...]:
        """All of which anything is seen, in ascending order."""
        return tuple(sorted(self.alerts | self.units))

    @property
    def is_empty(self) -> bool:
        """Nothing at all is seen: a page would stay blank."""
        return not (self.alerts or self.units or self.is_whole)


WHOLE_TOWN: Final = Scope(is_whole=True)
"""For central itself and its tests. A person's scope always comes from their roles."""


class Rights(Struct, frozen=True):
    """One person's rights: in which schemes they have which role. Made by :func:`rights_of`."""

    grants: frozenset[tuple[RoleSlug, int]] = frozenset()

    @property
    def scope(self) -> Scope:
        """What they see, in all their roles together."""
        return Scope(
            frozenset(scheme for role, scheme in self.grants if TABLE[role].answers),
            frozenset(scheme for role, scheme in self.grants if TABLE[role].sees_units),
        )

    @property
    def acting_roles(self) -> tuple[RoleSlug, ...]:
        """The roles in which they may answer alerts, in the table's order."""
        mine = {role for role, _ in self.grants}
        return tuple(role for role, may in TABLE.items() if may.answers and role in mine)

    def answers_as(self, role: str) -> frozenset[int]:
        """The schemes whose alerts they may answer in this role; empty: none, or no such role."""
        return frozenset(scheme for mine, scheme in self.grants if mine == role and TABLE[mine].answers)


NO_RIGHTS: Final = Rights()


def rights_of(roles: Iterable[RoleEntry]) -> Rights:
    """The rights of a person whom the people snapshot lists with these roles."""
    return Rights(frozenset((entry.role, scheme) for entry in roles for scheme in entry.schemes))
