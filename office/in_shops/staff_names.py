"""Names of members' staff, by the numbers that view logs have."""

from __future__ import annotations

from collections.abc import Iterable

from django.apps import apps

from office.members.scope import premises_of


def staff_names(numbers: Iterable[int], own_schemes: frozenset[int]) -> dict[int, str]:
    """Of staff of premises of these schemes, also of who was taken off; others have no name here."""
    if not apps.is_installed("office.staff"):
        return {}
    members = apps.get_model("staff", "StaffMember").objects
    found = members.filter(number__in=list(numbers), premises__in=premises_of(own_schemes).values("pk"))
    return dict(found.values_list("number", "name"))
