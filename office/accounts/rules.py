"""Who may do what with accounts and roles. Pure: no database, no requests, no clock."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from wire.snapshots import RoleSlug

TITLES: Final[Mapping[RoleSlug, str]] = {
    "co-ordinator": "Co-ordinator",
    "cctv": "CCTV control room",
    "pcso": "PCSO",
    "duty-sergeant": "Duty sergeant",
    "duty-officer": "Duty officer",
    "police": "Police",
    "fleet-engineer": "Fleet engineer",
    "members-contact": "Member's contact",
}
"""Roles as people read them."""


class Rights(Struct, frozen=True):
    """What a person may do: read from the database for each request, after its body has arrived.

    Attributes:
        account: number; 0 = nobody.
        grants: (role, number of the scheme).
    """

    account: int
    grants: frozenset[tuple[str, int]] = frozenset()

    def schemes(self, *roles: RoleSlug) -> frozenset[int]:
        """Numbers of the schemes in which the person has one of ``roles``; without any: in which they have a role."""
        return frozenset(scheme for role, scheme in self.grants if not roles or role in roles)

    @property
    def co_ordinates(self) -> frozenset[int]:
        """Numbers of the schemes in which the person is co-ordinator."""
        return self.schemes("co-ordinator")


NOBODY: Final = Rights(0)
