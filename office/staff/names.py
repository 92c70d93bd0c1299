"""Names of shops' staff, by the numbers that view logs and reports have."""

from __future__ import annotations

from collections.abc import Iterable

from office.members.scope import premises_of
from office.staff.models import StaffMember


def staff_names(numbers: Iterable[int], own_schemes: frozenset[int]) -> dict[int, str]:
    """Of staff of premises of these schemes, also of who was taken off; others have no name here."""
    found = StaffMember.objects.filter(number__in=list(numbers), premises__in=premises_of(own_schemes).values("pk"))
    return dict(found.values_list("number", "name"))
