"""The page of the galleries in shops: each unit's word, and who needs a person first."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.test import Client
from pytest_django import Settings

from office.members.models import Premises
from tests.office.conftest import HART, PUB_WATCH, MakePerson, SignedIn
from tests.office.exclusions.conftest import Town
from tests.office.in_shops.conftest import PUBS_UNIT, UNITS
from tests.support.asking_town import LEASE_S
from tests.support.shop_galleries import ShopGalleries
from tests.support.view_log import logged
from wire.gallery_contact import Held
from wire.gallery_views import ViewHead

pytestmark = pytest.mark.django_db


def page(client: Client, query: str = "") -> tuple[list[str], list[str], str]:
    """Names of the shops that need somebody, of those in order, and the text."""
    answer = client.get(f"/galleries/{query}")
    assert 200 == answer.status_code
    wrong, well = ([row.name for row in answer.context[which]] for which in ("wrong", "well"))
    return wrong, well, " ".join(answer.content.decode().split())


def test_receipt_is_seen_when_the_page_is_loaded_again(fitted: ShopGalleries, cora: Client) -> None:
    now_s = int(time.time())
    for node in UNITS:
        fitted.say(node, HART, fitted.publish(HART, {1: None}, now_s - 900), now_s - 5)
    newest = fitted.publish(HART, {}, now_s - 300)
    for node in UNITS[:3]:
        fitted.say(node, HART, newest, now_s)

    wrong, well, text = page(cora)
    assert (["Shop 4"], ["Shop 1", "Shop 2", "Shop 3"]) == (wrong, well)
    assert "HAS NOT DELETED YET" in text
    fitted.say(UNITS[3], HART, newest, now_s)

    wrong, well, text = page(cora)
    assert ([], ["Shop 1", "Shop 2", "Shop 3", "Shop 4"]) == (wrong, well)
    assert "0 of 4 units need a person" in text


def test_copied_card_comes_first_and_says_what_to_do(fitted: ShopGalleries, cora: Client) -> None:
    now_s = int(time.time())
    newest = fitted.publish(HART, {1: None}, now_s - 900)
    for node in UNITS[1:]:
        fitted.say(node, HART, newest, now_s)
    fitted.store.is_forked(UNITS[3], ViewHead(n=0, digest="ab" * 32), now_s)
    views = logged(UNITS[2], *[(HART, 1)] * 4)
    fitted.store.add_views(UNITS[2], views[:1], now_s)
    fitted.store.add_views(UNITS[2], views[3:], now_s)

    wrong, _, text = page(cora)

    assert ["Shop 4", "Shop 3", "Shop 1"] == wrong
    assert "TWO UNITS SAY THAT THEY ARE THIS ONE" in text
    assert "revoke the unit now" in text
    assert "2 records of its view log are missing" in text
    assert "It has never asked" in text


def test_gap_is_told_until_views_of_that_time_are_forgotten(fitted: ShopGalleries, cora: Client) -> None:
    """A worn card's gap is never filled: it is not to be there for ever."""
    for node, days in ((UNITS[0], 89), (UNITS[1], 91)):
        views, at_s = logged(node, *[(HART, 1)] * 3), int(time.time()) - days * 86_400
        fitted.store.add_views(node, views[:1], at_s)
        fitted.store.add_views(node, views[2:], at_s)

    rows = {row.name: [one.need.kind for one in row.told] for row in cora.get("/galleries/").context["wrong"]}
    assert (["gap", "never-asked"], ["never-asked"]) == (rows["Shop 1"], rows["Shop 2"])
    assert ["Shop 1"] == [shop for shop, _ in cora.get("/galleries/views/").context["troubled"]]


def test_unit_without_a_key_and_shop_without_a_unit_are_told(fitted: ShopGalleries, cora: Client, town: Town) -> None:
    now_s = int(time.time())
    newest = fitted.publish(HART, {1: None}, now_s - 900)
    for node in UNITS:
        fitted.say(node, HART, newest, now_s)
    fitted.fit(UNITS[0], town.premises[0].pk, HART, has_key=False)
    fitted.say(UNITS[1], HART, None, now_s)
    fitted.fit(UNITS[1], 0)

    wrong, well, text = page(cora)

    assert (["Shop 1"], ["Shop 3", "Shop 4"]) == (wrong, well)
    assert "nothing can be sealed to it" in text
    assert "1 premises has no unit" in text


def test_nobody_sees_units_of_another_scheme(
    fitted: ShopGalleries, cora: Client, otto: Client, engineer: Client, town: Town
) -> None:
    fitted.fit(PUBS_UNIT, 999, PUB_WATCH, name="Pub of the other")
    fitted.fit(UNITS[0], town.premises[0].pk, HART, PUB_WATCH)
    fitted.publish(HART, {1: None, 2: None, 3: None})
    fitted.publish(PUB_WATCH, {1: None})

    for client in (cora, engineer):
        wrong, well, text = page(client)
        assert [f"Shop {number}" for number in range(1, 5)] == sorted(wrong + well)
        assert "Pub of the other" not in text
        assert "Pub Watch" not in text
    wrong, well, text = page(otto)
    assert ["Pub of the other", f"Shop {town.premises[0].pk}"] == sorted(wrong + well)
    assert "HART" not in text


def test_unit_that_is_struck_or_has_left_is_listed_while_it_may_show_its_gallery(
    fitted: ShopGalleries, cora: Client, otto: Client, town: Town
) -> None:
    now_s = int(time.time())
    newest = fitted.publish(HART, {1: None}, now_s - 900)
    for node in (*UNITS, PUBS_UNIT):
        fitted.say(node, HART, newest, now_s)
    fitted.fit(UNITS[0], town.premises[0].pk, HART, is_struck=True)
    fitted.fit(PUBS_UNIT, 999, PUB_WATCH, name="Pub of the other")

    wrong, well, text = page(cora)

    assert (["Shop 1", "A unit that is not in your schemes"], ["Shop 2", "Shop 3", "Shop 4"]) == (wrong, well)
    assert "It was taken out of use, and holds gallery 1 of HART" in text
    assert "It is not in the scheme any more, and has not deleted gallery 1 of HART" in text
    assert "Pub of the other" not in text
    assert ([], ["Pub of the other"]) == page(otto)[:2]
    fitted.say(UNITS[0], HART, newest, now_s - LEASE_S)
    fitted.say(PUBS_UNIT, HART, None, now_s)
    fitted.store.note_holds(UNITS[0], [], 1)
    fitted.store.note_holds(UNITS[0], [Held(scheme=HART, number=newest)], now_s - LEASE_S)
    assert ([], ["Shop 2", "Shop 3", "Shop 4"]) == page(cora)[:2]


def test_gallery_that_cannot_be_read_hides_nothing(fitted: ShopGalleries, cora: Client) -> None:
    fitted.publish(HART, {1: None})
    (fitted.snapshots / "gallery-1-1.holders").write_bytes(b"{")
    assert "what was published cannot be read" in page(cora)[2]
    (fitted.snapshots / "gallery-1-1.holders").unlink()
    assert "what was published cannot be read" in page(cora)[2]


def test_page_is_the_co_ordinators_and_the_engineers(
    fitted: ShopGalleries, make_person: MakePerson, signed_in: SignedIn
) -> None:
    for role in ("police", "pcso", "cctv", "duty-officer", "duty-sergeant", "members-contact"):
        assert 404 == signed_in(make_person(role, (role, HART))).get("/galleries/").status_code


def test_machine_port_that_does_not_run_or_has_an_alarm_is_told(fitted: ShopGalleries, cora: Client) -> None:
    assert "machine port" not in page(cora)[2]
    fitted.store.note_alive(int(time.time()), "nobody is answered: no list")
    assert "The machine port says: nobody is answered: no list." in page(cora)[2]
    fitted.store.note_alive(int(time.time()) - 61, "")
    assert "The machine port does not run" in page(cora)[2]


def test_units_are_found_by_name_and_number(fitted: ShopGalleries, cora: Client, town: Town) -> None:
    Premises.objects.filter(pk=town.premises[1].pk).update(name="Café Zola")

    assert ["Café Zola"] == page(cora, "?q=cafe")[0]
    assert ["Shop 3"] == page(cora, "?q=00000012")[0]
    assert "No unit is found" in page(cora, "?q=none%26of")[2]


@pytest.mark.parametrize("fault", ["no file", "not asked", "damaged", "wrong"])
def test_office_that_cannot_tell_says_why(galleries: ShopGalleries, cora: Client, fault: str) -> None:
    galleries.store.close()
    file = galleries.config.parent / "state/nodes.sqlite3"
    says: dict[str, tuple[Callable[[], object], str]] = {
        "no file": (galleries.config.unlink, "answers no units"),
        "not asked": (file.unlink, "No unit has asked"),
        "damaged": (lambda: file.write_bytes(b"no database" * 100), "cannot be read"),
        "wrong": (lambda: galleries.config.write_text("nonsense = 1\n"), "unknown key nonsense"),
    }
    make, said = says[fault]
    make()

    assert said in page(cora)[2]


def test_office_without_a_configuration_says_so(cora: Client, settings: Settings, tmp_path: Path) -> None:
    assert settings.OFFICE is None or isinstance(settings.OFFICE, SimpleNamespace)

    assert "answers no units" in page(cora)[2]
