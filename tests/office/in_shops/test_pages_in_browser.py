"""The pages of galleries in shops in Chromium: axe finds nothing in both themes and on a phone; nothing is too wide."""

from __future__ import annotations

import time

import pytest
from django.test import Client

from office.exclusions import acts
from office.members.models import Premises
from tests.office.conftest import HART
from tests.office.exclusions.conftest import Town
from tests.office.exclusions.test_pages_in_browser import faults_in_chromium
from tests.office.in_shops.conftest import UNITS
from tests.support.shop_galleries import ShopGalleries
from tests.support.view_log import logged
from wire.gallery_views import ViewHead
from wire.ids import node_text

pytestmark = pytest.mark.integration

NAMES = ("Bartholomew Featherstonehaugh-Cholmondeley & Daughters Ltd", "Corner Shop", "مقهى", "Shop 4")


def test_pages_can_be_used_by_everybody(fitted: ShopGalleries, cora: Client, town: Town) -> None:
    now_s = int(time.time())
    for shop, name in zip(town.premises, NAMES, strict=True):
        Premises.objects.filter(pk=shop.pk).update(name=name)
    case, revoked = town.case("served"), town.case("served")
    first = fitted.publish(HART, {case.number: None, revoked.number: None}, now_s - 7_200)
    acts.revoke(town.turn(revoked), "It was somebody else.")
    newest = fitted.publish(HART, {case.number: None}, now_s - 3_600)
    fitted.say(UNITS[0], HART, first, now_s - 5_400)
    fitted.say(UNITS[1], HART, newest, now_s)
    fitted.say(UNITS[2], HART, newest, now_s)
    views = logged(UNITS[0], *[(HART, case.number), (0, 0)] * 30, at_s=now_s - 4_000, is_proven=False)
    fitted.store.add_views(UNITS[0], views[:20], now_s)
    fitted.store.add_views(UNITS[0], views[22:], now_s)
    fitted.store.is_forked(UNITS[1], ViewHead(n=0, digest="ab" * 32), now_s)
    log = "/galleries/views/"
    answers = {
        "galleries": cora.get("/galleries/"),
        "galleries-none": cora.get("/galleries/?q=nobody"),
        "card-broken": cora.get(card := f"/galleries/{node_text(UNITS[1])}/card-was-broken/"),
        "card-broken-refused": cora.post(card, {}),
        "view-log": cora.get(log),
        "view-log-person": cora.get(log, {"person": case.individual.reference, "since": "2020-01-01"}),
        "view-log-wrong": cora.get(log, {"person": "nobody", "since": "x"}),
        "view-log-empty": cora.get(log, {"until": "2020-01-01"}),
        "case-in-shops": cora.get(f"/cases/{case.pk}/"),
        "case-revoked": cora.get(f"/cases/{revoked.pk}/"),
    }
    fitted.config.unlink()
    answers["galleries-off"] = cora.get("/galleries/")
    answers["view-log-off"] = cora.get(log)

    assert faults_in_chromium(answers) == []
