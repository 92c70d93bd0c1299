from __future__ import annotations

from datetime import date

import pytest
from django.utils import timezone

from office.accounts.models import Scheme
from office.exclusions.models import Case
from office.exclusions.rules.period import day_of
from office.people.models import Individual, Photograph, RightsRequest
from tests.office.conftest import HART, MakePerson
from tests.office.exclusions.conftest import Town


@pytest.fixture
def town(make_person: MakePerson, schemes: dict[int, Scheme]) -> Town:
    return Town(make_person, schemes)


def today() -> date:
    return day_of(timezone.now())


def photograph(town: Town, individual: Individual) -> Photograph:
    """A row of one; there are no files."""
    return Photograph.objects.create(
        individual=individual,
        file=f"{individual.pk:032x}",
        wrapped_key=b"key",
        original_sha256="0" * 64,
        source="Camera of Shop 2",
        width=480,
        height=640,
        added_by=town.cora,
    )


def request_of(town: Town, case: Case | None = None, *, kind: str = "access") -> RightsRequest:
    """A request that arrived today; about the person of a case."""
    return RightsRequest.objects.create(
        scheme_id=HART,
        kind=kind,
        asked_by="Nobody Atall, 2 Low Street",
        received_on=today(),
        due_on=today(),
        individual=None if case is None else case.individual,
        recorded_by=town.cora,
    )
