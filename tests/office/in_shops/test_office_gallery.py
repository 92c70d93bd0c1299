"""The gallery at the office (``/register/``): police, PCSOs and control room see whom shops see, and nobody else."""

from __future__ import annotations

import itertools
from datetime import date, timedelta
from typing import get_args

import pytest
from dateutil.relativedelta import relativedelta
from django.utils import timezone

from office.exclusions.models import Case, SchemeTerms
from office.exclusions.rules.life import State
from office.people.models import Individual
from office.publisher.gallery_content import shown_cases
from tests.office.conftest import HART, MakePerson, SignedIn
from tests.office.exclusions.conftest import NOMINATION, Town

pytestmark = pytest.mark.django_db

ROLES = "police", "pcso", "cctv", "duty-officer", "duty-sergeant"


def born(age_from_today: timedelta) -> date:
    """Eighteen on a day that is so far from today."""
    return timezone.localdate() - relativedelta(years=18) + age_from_today


def fill(town: Town) -> None:
    """A case of each kind that decides whether somebody is shown, and of their mixtures."""
    today = timezone.localdate()
    ages: dict[str, dict[str, object]] = {
        "adult today": {"born_on": born(timedelta())},
        "minor today": {"born_on": born(timedelta(1))},
        "believed minor": {"is_believed_minor": True},
        "nothing known": {},
    }
    numbers = itertools.count(1)
    kinds = itertools.product(get_args(State), ages.values(), (False, True), (False, True), ((-9, 0), (0, 9), (-9, -1)))
    for state, age, is_restricted, is_approved, (first, last) in kinds:
        number = next(numbers)
        individual = Individual.objects.create(scheme=town.hart, number=number, name=f"Nobody {number}", **age)
        Case.objects.create(
            scheme=town.hart,
            number=number,
            individual=individual,
            state=state,
            category="theft",
            conduct=NOMINATION.conduct,
            evidence=NOMINATION.evidence,
            happened_on=NOMINATION.happened_on,
            happened_at="High Street",
            nominated_by=town.cora,
            first_on=today + timedelta(first),
            last_on=today + timedelta(last),
            is_restricted=is_restricted,
            may_show_minor=is_approved,
            minor_approved_by=town.deputy if is_approved else None,
        )


@pytest.mark.parametrize(("policy", "count"), [("no minors", 16), ("minors whom two approve", 24)])
def test_office_shows_whom_shops_are_shown_and_nobody_else(
    policy: str, count: int, town: Town, make_person: MakePerson, signed_in: SignedIn
) -> None:
    SchemeTerms.objects.update(dpia_allows_minors=policy != "no minors")
    fill(town)
    in_shops = {one.text.reference for one in shown_cases(timezone.localdate())[HART]}
    assert count == len(in_shops)

    for role in ROLES:
        reader = signed_in(make_person(role, (role, HART)))
        answer = reader.get("/register/")
        assert in_shops == {row[0].individual.reference for row in answer.context["rows"]}


def test_nobody_is_shown_to_somebody_whose_look_cannot_be_kept(
    town: Town, make_person: MakePerson, signed_in: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = town.case("served")
    reader = signed_in(make_person("pc", ("police", HART)))
    assert case.individual.reference.encode() in reader.get("/register/").content

    monkeypatch.setattr("office.exclusions.register_views.record_many", _refuse)
    with pytest.raises(RuntimeError):
        reader.get("/register/")


def _refuse(*_: object) -> None:
    raise RuntimeError
