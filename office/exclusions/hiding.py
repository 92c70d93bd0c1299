"""Hides a person from shops. Runs inside :func:`office.accounts.access.acting`, as every move."""

from __future__ import annotations

import msgspec

from office.exclusions import acts
from office.exclusions.acts import HIDDEN_ELSEWHERE, Turn
from office.exclusions.models import Case
from office.exclusions.rules.life import IN_FORCE


def hide_person(turn: Turn, reason: str) -> None:
    """Hide a case, and whatever else of the person is in force: shops must not see the contested face by that."""
    acts.restrict(turn, reason)
    others = Case.objects.filter(individual=turn.case.individual_id, state__in=IN_FORCE, is_restricted=False)
    for other in others.exclude(pk=turn.case.pk).select_related("scheme", "individual").order_by("pk"):
        acts.restrict(msgspec.structs.replace(turn, case=other, version=other.version), HIDDEN_ELSEWHERE)
