from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest
from django.utils import timezone

from office.accounts.models import Account, Scheme
from office.exclusions.models import Case
from office.exclusions.rules.period import day_of
from office.people.intake_process import Picture
from office.people.models import Individual, Photograph, RightsRequest
from office.people.photographs import Taken, add_photograph
from tests.office.conftest import HART, PUB_WATCH
from tests.office.exclusions.conftest import Town
from tests.office.people.pictures import drawn, saved

MakePhotograph = Callable[..., Photograph]
ORIGINAL = saved(drawn(600, 800), comment=b"as handed in")
WHOLE = saved(drawn(600, 800))


@pytest.fixture
def town(schemes: dict[int, Scheme]) -> Town:
    return Town(schemes)


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


def taken(original: bytes = ORIGINAL) -> Taken:
    """As the caged child would have read it."""
    return Taken(original, Picture(600, 800, WHOLE))


@pytest.fixture
def individual(schemes: dict[int, Scheme]) -> Individual:
    """Somebody in HART's register."""
    return Individual.objects.create(scheme=schemes[HART], number=42, name="Nobody Atall")


@pytest.fixture
def elsewhere(schemes: dict[int, Scheme]) -> Individual:
    """Somebody in Pub Watch's register."""
    return Individual.objects.create(scheme=schemes[PUB_WATCH], number=7, name="Somebody Else")


@pytest.fixture
def make_photograph(co_ordinator: Account) -> MakePhotograph:
    """``make_photograph(individual)``: one that was added, and is not cropped yet."""

    def make(individual: Individual) -> Photograph:
        return add_photograph(
            co_ordinator, individual, taken(), source="camera 4 of the shop", taken_on=date(2026, 1, 5)
        )

    return make
