"""Pages of a case of which nothing but number, state and days is left."""

from __future__ import annotations

import re
from http import HTTPStatus

import pytest
from django.test import Client

from office.exclusions import acts
from office.exclusions.models import Case
from office.exclusions.rules.life import MOVES
from office.people.rights import erase_all
from tests.office.conftest import SignedIn
from tests.office.exclusions.conftest import Town

EMPTY_FACT = re.compile(r"<dd>\s*(<br>)?\s*</dd>|, *<br>|, by *<|</dt><dd>[^<]*, *</dd>")
"""A heading with nothing behind it, or half a sentence."""


@pytest.fixture
def erased(town: Town) -> Case:
    case = town.case("served")
    acts.revoke(town.turn(case), "It was somebody else.")
    erase_all(town.cora, case.individual)
    return Case.objects.get(pk=case.pk)


@pytest.mark.parametrize("who", ["co-ordinator", "nominator"])
def test_erased_case_says_so_and_nothing_by_halves(town: Town, erased: Case, signed_in: SignedIn, who: str) -> None:
    browser = signed_in(town.cora if who == "co-ordinator" else town.contacts[0])
    page = browser.get(f"/cases/{erased.pk}/").content.decode()

    assert "every reason were erased" in page
    assert EMPTY_FACT.findall(page) == []
    assert "/papers/" not in page, "there is no notice to print"
    if who == "co-ordinator":
        assert "erased on" in page
        assert "not known" not in page


@pytest.mark.parametrize("move", [move.name for move in MOVES.values() if "co-ordinator" in move.by])
def test_no_move_of_an_erased_case_can_be_made(town: Town, erased: Case, signed_in: SignedIn, move: str) -> None:
    browser: Client = signed_in(town.cora)
    address = f"/cases/{erased.pk}/{move}/"
    page = browser.get(address)

    assert page.status_code == HTTPStatus.OK
    assert '<button class="button is-' not in page.content.decode()
    assert browser.post(address, {"version": erased.version}).status_code in {
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.CONFLICT,
    }
    assert Case.objects.get(pk=erased.pk).version == erased.version
