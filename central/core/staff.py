"""Who may answer alerts now, by the newest people snapshot. Nothing is known of anyone until the first one comes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from msgspec import field
from msgspec.structs import replace

from central.core.rights import NO_RIGHTS, Rights
from central.core.undo import Record, Table
from central.core.view import OnDuty, Person

_NO_SCHEMES: Final[frozenset[int]] = frozenset()


class Staff(Record):
    """Replaced as a whole by each snapshot."""

    _rights: Table[int, Rights] = field(default_factory=Table)
    # By account and role, of those who may answer: looked up for everybody of the rota, once a second.
    _answering: Table[tuple[int, str], frozenset[int]] = field(default_factory=Table)
    _is_known: bool = False

    def take(self, rights: Iterable[tuple[int, Rights]]) -> None:
        """Take a newer snapshot: whoever is not in it has no rights."""
        self._rights = Table(rights)
        self._answering = Table(
            ((account, role), one.answers_as(role))
            for account, one in self._rights.items()
            for role in one.acting_roles
        )
        self._is_known = True

    def still(self, person: Person, schemes: frozenset[int] | None) -> frozenset[int] | None:
        """Of these schemes, those whose alerts ``person`` may answer now, in their role.

        Args:
            person: who acts, and as what.
            schemes: as they were when it was asked for; ``None``: it was before there were accounts, and holds.
        """
        if schemes is None or not self._is_known:
            return schemes
        return schemes & self._schemes_of(person.account, person.role)

    def may_answer(self, account: int, role: str, scheme: int) -> bool:
        """Whether they may answer alerts of a scheme now, in that role; nobody, before the first snapshot."""
        return scheme in self._schemes_of(account, role)

    def speaks_for_members(self, account: int, schemes: Iterable[int]) -> bool:
        """Whether they are a member's contact in one of these schemes now."""
        grants = self._rights.get(account, NO_RIGHTS).grants
        return any(("members-contact", scheme) in grants for scheme in schemes)

    def has_lost(self, person: Person, scheme: int) -> bool:
        """Whether the newest snapshot lets ``person`` answer alerts of a scheme no more; ``False`` before the first."""
        return self._is_known and not self.may_answer(person.account, person.role, scheme)

    def on_duty_now(self, one: OnDuty) -> OnDuty | None:
        """The same person with the schemes for which they are on duty now; ``None``: their role is gone."""
        if not self._is_known:
            return one
        schemes = self._schemes_of(one.account, one.role)
        return replace(one, schemes=tuple(sorted(schemes))) if schemes else None

    def _schemes_of(self, account: int, role: str) -> frozenset[int]:
        return self._answering.get((account, role), _NO_SCHEMES)
