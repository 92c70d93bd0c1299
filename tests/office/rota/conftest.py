"""A scheme with three people who may answer, and a rota."""

from __future__ import annotations

from datetime import UTC, date, datetime, time

import pytest
from django.test import Client

from office.accounts.models import Account
from office.rota.models import RotaPattern
from tests.office.conftest import HART, MakePerson, SignedIn

NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)
"""A Tuesday."""


@pytest.fixture(autouse=True)
def _now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW)


@pytest.fixture
def jo(make_person: MakePerson) -> Account:
    return make_person("jo", ("pcso", HART), name="Jo Patel")


@pytest.fixture
def sam(make_person: MakePerson) -> Account:
    return make_person("sam", ("pcso", HART), name="Sam Reed")


@pytest.fixture
def days(jo: Account) -> RotaPattern:
    """Jo, every day from 8 to 20."""
    return pattern(jo, begins=time(8))


@pytest.fixture
def nights(sam: Account) -> RotaPattern:
    """Sam, every night from 20 to 8."""
    return pattern(sam, begins=time(20))


@pytest.fixture
def cora(signed_in: SignedIn, co_ordinator: Account) -> Client:
    """The co-ordinator's browser."""
    return signed_in(co_ordinator)


def pattern(*people: Account, begins: time, **fields: object) -> RotaPattern:
    """Every day, twelve hours, as PCSO in HART."""
    given = {
        "scheme_id": HART,
        "role": "pcso",
        "weekdays": "0123456",
        "begins": begins,
        "length_min": 720,
        "first": date(2026, 11, 2),
        "people": [one.pk for one in people],
    }
    return RotaPattern.objects.create(**given | fields)
