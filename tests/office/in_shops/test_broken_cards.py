"""A copied card or a broken one: a co-ordinator of the unit's schemes says which, and the publisher hands it on."""

from __future__ import annotations

import json
import time

import pytest
from django.test import Client
from django.utils import timezone

from office.audit.models import AuditRow
from office.in_shops.broken_cards import HANDED_OVER_FOR, BrokenCards
from tests.office.conftest import HART, PUB_WATCH, SignedIn
from tests.office.exclusions.conftest import Town
from tests.office.in_shops.conftest import UNITS
from tests.support.shop_galleries import ShopGalleries
from wire.gallery_views import ViewHead

pytestmark = pytest.mark.django_db
UNIT = "00000010"
PAGE = f"/galleries/{UNIT}/card-was-broken/"


@pytest.fixture
def since_s(fitted: ShopGalleries) -> int:
    """Since when the log of the first unit contradicts itself."""
    fitted.publish(HART, {1: None})
    at_s = int(time.time()) - 60
    fitted.store.is_forked(UNITS[0], ViewHead(n=0, digest="ab" * 32), at_s)
    fitted.store.is_forked(UNITS[0], ViewHead(n=0, digest="cd" * 32), at_s + 30)
    return at_s


def said() -> list[dict[str, object]]:
    rows = AuditRow.objects.filter(action="unit-card.broken").order_by("sequence")
    return [json.loads(row.details) | {"schemes": row.schemes} for row in rows]


def test_co_ordinator_says_on_the_page_that_it_was_broken(since_s: int, cora: Client) -> None:
    assert f'href="{PAGE}"' in cora.get("/galleries/").content.decode()
    page = " ".join(cora.get(PAGE).content.decode().split())
    assert "stolen copy of the card" in page

    assert 400 == cora.post(PAGE, {}).status_code
    assert [] == said()
    answer = cora.post(PAGE, {"reason": "failed", "since_s": since_s}, follow=True)

    assert "may begin its view log anew, once" in answer.content.decode()
    assert [{"unit": UNIT, "since_s": since_s, "reason": "failed", "schemes": f" {HART} "}] == said()
    assert {UNITS[0]: since_s} == BrokenCards().read()


def test_nobody_else_says_so(since_s: int, otto: Client, engineer: Client, cora: Client) -> None:
    assert PAGE not in engineer.get("/galleries/").content.decode()
    for client in (otto, engineer):
        assert [404, 404] == [client.get(PAGE).status_code, client.post(PAGE, {"reason": "failed"}).status_code]
    assert 404 == cora.post(PAGE.replace("10", "11"), {"reason": "failed"}).status_code, "it has no such alarm"
    assert [] == said()


def test_unit_of_two_schemes_is_settled_by_one_and_told_to_both(
    since_s: int, fitted: ShopGalleries, otto: Client, town: Town
) -> None:
    fitted.fit(UNITS[0], town.premises[0].pk, HART, PUB_WATCH)

    assert 302 == otto.post(PAGE, {"reason": "changed", "since_s": since_s}).status_code
    assert [f" {HART} {PUB_WATCH} "] == [one["schemes"] for one in said()]


def test_page_of_the_alarm_before_does_not_settle_the_next_one(
    since_s: int, fitted: ShopGalleries, cora: Client
) -> None:
    """Somebody has settled the first, and the old card goes on: it was copied. Then the old page is sent again."""
    old = {"reason": "failed", "since_s": since_s}
    fitted.store.begin_chain(UNITS[0], since_s, since_s + 40)
    fitted.store.is_forked(UNITS[0], ViewHead(n=0, digest="ef" * 32), since_s + 50)
    answer = cora.post(PAGE, old)

    assert 409 == answer.status_code
    assert [] == said()
    page = answer.content.decode()
    assert "This is a new alarm" in page
    assert f'name="since_s" value="{since_s + 50}"' in page
    assert 'value="failed" id="id_reason_1" checked' in " ".join(page.split())


def test_second_factor_is_asked_for_again(since_s: int, town: Town, signed_in: SignedIn) -> None:
    stale = signed_in(town.cora, second_factor_age_s=400)

    assert 302 == stale.post(PAGE, {"reason": "failed", "since_s": since_s}).status_code
    assert [] == said()


def test_what_was_said_is_handed_on_for_a_month(since_s: int, cora: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    cards = BrokenCards()
    assert {} == cards.read()
    cora.post(PAGE, {"reason": "failed", "since_s": since_s})
    assert {UNITS[0]: since_s} == cards.read()
    later = timezone.now() + HANDED_OVER_FOR
    monkeypatch.setattr(timezone, "now", lambda: later)

    assert {} == cards.read()
