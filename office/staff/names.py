"""Names of shops' staff, by the numbers that view logs and reports have."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Q

from office.members.scope import premises_of
from office.staff.models import StaffMember


def staff_names(numbers: Iterable[int], own_schemes: frozenset[int]) -> dict[int, str]:
    """Of staff of premises that are or were in these schemes, also of who was taken off; others have no name here."""
    own = Q(premises__in=premises_of(own_schemes).values("pk")) | Q(schemes__in=own_schemes)
    return dict(StaffMember.objects.filter(own, number__in=list(numbers)).values_list("number", "name"))
