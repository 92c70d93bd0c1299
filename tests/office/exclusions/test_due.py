from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from office.audit.journal import record
from office.exclusions import due
from office.exclusions.models import Case
from tests.office.exclusions.conftest import Town


@pytest.mark.parametrize("has_somebody_acted", [True, False])
def test_clock_far_ahead_ends_nothing_before_people_have_acted_by_it(
    town: Town, monkeypatch: pytest.MonkeyPatch, *, has_somebody_acted: bool
) -> None:
    """What it ended would never come back."""
    case = town.case("served")
    ahead = timezone.now() + timedelta(days=400)
    monkeypatch.setattr(timezone, "now", lambda: ahead)
    if has_somebody_acted:
        record(town.cora, "account.signed-in")

    due.settle()

    assert Case.objects.get(pk=case.pk).state == ("expired" if has_somebody_acted else "served")
