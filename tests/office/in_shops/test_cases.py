"""What the page of a case says of shops: in which it is shown, and in which it is gone."""

from __future__ import annotations

import time

import pytest
from django.test import Client

from office.exclusions import acts
from office.exclusions.models import Case
from tests.office.conftest import HART, PUB_WATCH, MakePerson, SignedIn
from tests.office.exclusions.conftest import Town
from tests.office.in_shops.conftest import PUBS_UNIT, UNITS
from tests.support.shop_galleries import ShopGalleries

pytestmark = pytest.mark.django_db


@pytest.fixture
def case(town: Town) -> Case:
    """In force."""
    return town.case("served")


def said(client: Client, case: Case) -> str:
    """The panel."""
    text = " ".join(client.get(f"/cases/{case.pk}/").content.decode().split())
    return text.partition("In shops</h2>")[2].partition("</section>")[0].replace("<bdi>", "").replace("</bdi>", "")


def test_shops_are_counted_as_their_units_tell(fitted: ShopGalleries, cora: Client, case: Case, town: Town) -> None:
    now_s = int(time.time())
    fitted.publish(HART, {99: None}, now_s)
    number = fitted.publish(HART, {case.number: None, 99: None}, now_s)
    fitted.say(UNITS[0], HART, number, now_s)
    fitted.say(UNITS[1], HART, number, now_s, is_complete=False)
    fitted.say(UNITS[2], HART, number - 1, now_s)

    text = said(cora, case)
    assert "Shown in 1 of 4 shops." in text
    assert "Missing: Shop 2 (photographs missing), Shop 3 (on its way), Shop 4 (never asked)." in text

    # It was published before: who holds a later gallery has it too.
    later = fitted.publish(HART, {case.number: None}, now_s)
    for node in UNITS:
        fitted.say(node, HART, later, now_s)
    assert "Shown in 4 of 4 shops." in said(cora, case)
    fitted.fit(UNITS[3], 0)
    assert "Shown in 3 of 4 shops.</strong> Missing: Shop 4 (no unit)." in said(cora, case)


def test_case_of_some_shops_waits_for_no_other(fitted: ShopGalleries, cora: Client, case: Case, town: Town) -> None:
    number = fitted.publish(HART, {case.number: (town.premises[0].pk, town.premises[1].pk)})
    for node in (UNITS[0], UNITS[3]):
        fitted.say(node, HART, number)

    assert "Shown in 1 of 2 shops.</strong> Missing: Shop 2 (never asked)." in said(cora, case)


def test_deletion_is_a_receipt_of_each_shop(fitted: ShopGalleries, cora: Client, case: Case, town: Town) -> None:
    now_s = int(time.time())
    number = fitted.publish(HART, {case.number: None}, now_s - 60)
    for node in UNITS:
        fitted.say(node, HART, number, now_s - 60)
    acts.revoke(town.turn(case), "It was somebody else.")
    assert "Still in the gallery" in said(cora, case)

    gone = fitted.publish(HART, {}, now_s)
    fitted.say(UNITS[0], HART, gone, now_s)
    fitted.say(UNITS[1], HART, None, now_s + 60)
    # Another exclusion, issued meanwhile, is not waited for.
    fitted.publish(HART, {99: None}, now_s)
    text = said(cora, case)
    assert "Deleted in 2 of 4 shops." in text
    assert "Waiting for: Shop 3 (not deleted yet), Shop 4 (not deleted yet)." in text

    for node in UNITS[2:]:
        fitted.say(node, HART, gone + 1, now_s)
    assert "Deleted in 4 of 4 shops." in said(cora, case)


def test_unit_that_has_left_or_is_struck_still_owes_its_receipt(
    fitted: ShopGalleries, cora: Client, case: Case, town: Town
) -> None:
    now_s = int(time.time())
    number = fitted.publish(HART, {case.number: None}, now_s)
    for node in (*UNITS, PUBS_UNIT):
        fitted.say(node, HART, number, now_s)
    acts.revoke(town.turn(case), "It was somebody else.")
    gone = fitted.publish(HART, {}, now_s)
    for node in UNITS[1:]:
        fitted.say(node, HART, gone, now_s)
    fitted.fit(UNITS[0], town.premises[0].pk, HART, is_struck=True)
    fitted.fit(PUBS_UNIT, 999, PUB_WATCH, name="Pub of the other")

    text = said(cora, case)

    assert "Deleted in 3 of 5 shops." in text
    assert "Shop 1 (taken out of use: not deleted as far as we know)" in text
    assert "a unit that is not in the scheme any more (not deleted yet)" in text
    assert "Pub of the other" not in text


def test_what_a_unit_said_before_the_revocation_is_no_receipt(
    fitted: ShopGalleries, cora: Client, case: Case, town: Town
) -> None:
    """Somebody who held nothing an hour ago may have fetched it since."""
    now_s = int(time.time())
    fitted.publish(HART, {case.number: None}, now_s - 3_600)
    fitted.say(UNITS[0], HART, None, now_s - 3_600)
    acts.revoke(town.turn(case), "It was somebody else.")
    fitted.publish(HART, {}, now_s)

    text = said(cora, case)

    assert "Deleted in 0 of 4 shops." in text
    assert "Shop 1 (not deleted yet), Shop 2 (never asked)" in text


def test_case_that_is_hidden_or_in_no_gallery_says_so(fitted: ShopGalleries, cora: Client, case: Case) -> None:
    assert "" == said(cora, case)
    fitted.publish(HART, {99: None})

    assert "Shops are not shown this" in said(cora, case)


def test_page_of_the_person_says_the_same_and_others_are_told_nothing(
    fitted: ShopGalleries, cora: Client, case: Case, make_person: MakePerson, signed_in: SignedIn
) -> None:
    fitted.publish(HART, {case.number: None})
    address = f"/register/{case.individual_id}/"

    assert b"Shown in 0 of 4 shops" in cora.get(address).content
    police = signed_in(make_person("pc", ("police", HART), ("co-ordinator", PUB_WATCH)))
    assert b"of 4 shops" not in police.get(address).content
