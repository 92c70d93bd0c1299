"""The view log as co-ordinators search it: what is theirs to see, decoded, with names of shops, staff and persons.

A record is theirs if it is of a case of their schemes; one of no case, as of a list, if its unit stood in their schemes
when it was made.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final

from django.db.models import Q
from msgspec import Struct

from office.exclusions.models import Case
from office.in_shops.port import Report
from office.in_shops.rules.wording import marks, shown_text, staff_text
from office.in_shops.standing import OTHER_SHOP, moment
from office.members.scope import premises_of
from office.nodes.reading import Search, Shown, Stay
from office.people.models import Individual
from office.staff.names import staff_names
from wire.ids import NodeId, node_text

_REFERENCE: Final = re.compile(r"(?P<slug>[a-z][a-z0-9-]{0,31})-0*(?P<number>[1-9][0-9]{0,8})", re.IGNORECASE)
_CASE: Final = re.compile(r"(?P<scheme>.{1,80}) case 0*(?P<number>[1-9][0-9]{0,8})", re.IGNORECASE)


class Whom(Struct, frozen=True):
    """Whose views are looked for.

    Attributes:
        individual: in the register.
        cases: (scheme, number) of theirs, or the one that was named.
    """

    individual: Individual
    cases: tuple[tuple[int, int], ...]


class Look(Struct, frozen=True):
    """A record, as people read it.

    Attributes:
        at: by the unit's clock; ``None`` = a time that nobody could mean.
        received: when it came in.
        case: its row; ``None`` = it is of none, or of one that there is not.
        marks: what else must be known of it.
    """

    at: datetime | None
    is_proven: bool
    received: datetime | None
    shop: str
    unit: str
    n: int
    who: str
    what: str
    case: Case | None
    marks: list[str]


def whom(text: str, own: frozenset[int]) -> Whom | None:
    """Whose views a co-ordinator of these schemes asks for, by reference or case; ``None`` = there is nobody of that.

    ``HART-0042`` is a person: all their cases. ``HART case 17`` is one case.
    """
    said = " ".join(text.split())
    by_case = _CASE.fullmatch(said)
    if by_case is not None:
        case = (
            Case.objects.select_related("individual__scheme")
            .filter(scheme__in=own, scheme__name__iexact=by_case["scheme"], number=int(by_case["number"]))
            .first()
        )
        return None if case is None else Whom(case.individual, ((case.scheme_id, case.number),))
    by_reference = _REFERENCE.fullmatch(said)
    if by_reference is None:
        return None
    number = int(by_reference["number"])
    # Also by the number of a row that turned out to be the same person.
    known = Individual.objects.filter(Q(number=number) | Q(merged__number=number), same_as=None)
    individual = (
        known.filter(scheme__in=own, scheme__slug__iexact=by_reference["slug"]).select_related("scheme").first()
    )
    if individual is None:
        return None
    cases = Case.objects.filter(Q(individual=individual) | Q(individual__same_as=individual))
    return Whom(individual, tuple(cases.values_list("scheme_id", "number")))


class Scope:
    """What a co-ordinator sees of the log.

    Args:
        report: by nodes.
        own: numbers of the schemes that they co-ordinate.
    """

    def __init__(self, report: Report, own: frozenset[int]) -> None:
        self._report = report
        self._own = own
        self._stays: Mapping[int, Stay] = {
            one.stay: one for one in report.reported.stays() if own & frozenset(one.schemes)
        }
        self._premises: Mapping[int, str] = dict(premises_of(own).values_list("pk", "name"))

    def search(self, asked: Whom | None, premises: int = 0, **more: int | None) -> Search:
        """All that is theirs to see, less what is not asked for.

        Args:
            asked: of whom; ``None`` = anybody.
            premises: number of a shop; 0 = any.
            more: ``staff``, ``n``, ``from_s``, ``until_s`` of the search.
        """
        cases = None if asked is None else asked.cases
        return Search(schemes=self._own, cases=cases, premises=premises or None, **more)

    def shops(self) -> list[tuple[int, str]]:
        """Premises where a unit is, or was while they were in these schemes; by name."""
        fitted = {one.premises: self._name(one) for one in self._stays.values() if one.premises}
        return sorted(fitted.items(), key=lambda one: one[1])

    def staff(self) -> list[tuple[int, str]]:
        """Who has looked at all, by name."""
        numbers = self._report.reported.staff(self.search(None))
        names = staff_names(numbers, self._own)
        return sorted(((one, staff_text(one, names.get(one, ""))) for one in numbers), key=lambda one: one[1])

    def troubled(self) -> list[tuple[str, str]]:
        """Units whose log must be read with care: name, and why, in words."""
        found = []
        for alarm in self._report.reported.alarms():
            if alarm.kind == "fork":
                stay = self._stay(alarm.node, alarm.n)
                said = f"two units say that they are this one, from record {alarm.n:,} on"
            else:
                gap = self._report.gap(alarm)
                if gap is None:
                    continue
                stay = self._stay(alarm.node, gap.first, gap.last)
                are = (
                    f"record {gap.first:,} is"
                    if gap.first == gap.last
                    else f"records {gap.first:,} to {gap.last:,} are"
                )
                said = f"{are} missing"
            if stay is not None:
                found.append((self._name(stay), said))
        return found

    def looks(self, shown: Iterable[Shown]) -> list[Look]:
        """Records as people read them; two queries for all of them."""
        rows = list(shown)
        names = staff_names({one.record.staff for one in rows}, self._own)
        numbers = {one.record.case for one in rows if one.record.scheme in self._own}
        cases = {
            (case.scheme_id, case.number): case
            for case in Case.objects.filter(scheme__in=self._own, number__in=numbers).select_related(
                "scheme", "individual__scheme"
            )
        }
        copied = {one.node: one.n for one in reversed(self._report.reported.alarms()) if one.kind == "fork"}
        return [
            Look(
                moment(one.record.at_s),
                one.record.is_proven,
                moment(one.received_s),
                self._shop(one.stay),
                node_text(one.node),
                one.record.n,
                staff_text(one.record.staff, names.get(one.record.staff, "")),
                shown_text(one.record.kind),
                cases.get((one.record.scheme, one.record.case)),
                marks(follows_gap=one.follows_gap, is_copied=copied.get(one.node, one.n + 1) <= one.n),
            )
            for one in rows
        ]

    def _shop(self, stay: int) -> str:
        found = self._stays.get(stay)
        return OTHER_SHOP if found is None else self._name(found)

    def _name(self, stay: Stay) -> str:
        return self._premises.get(stay.premises, stay.name)

    def _stay(self, node: NodeId, first: int, last: int = 2**62) -> Stay | None:
        """Where a unit stood in their schemes while it made one of these records; ``None`` = it did not."""
        of_node = (one for one in self._stays.values() if one.node == node)
        return next((one for one in of_node if one.first <= last and first <= one.last), None)
