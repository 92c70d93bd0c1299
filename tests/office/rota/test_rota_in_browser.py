"""The pages of the rota in Chromium: axe finds nothing in both themes and on a phone; nothing is too wide."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from office.accounts.models import Account, RoleGrant
from office.rota.models import RotaPattern, RotaSwap
from tests.office.conftest import HART, SignedIn
from tests.office.exclusions.test_pages_in_browser import faults_in_chromium
from tests.office.rota.test_rota_pages import OVERRIDE, PATTERN

pytestmark = pytest.mark.integration


def test_pages_can_be_used_by_everybody(
    signed_in: SignedIn, co_ordinator: Account, sam: Account, days: RotaPattern, nights: RotaPattern
) -> None:
    jo = Account.objects.get(pk=days.people[0])
    Account.objects.filter(pk=jo.pk).update(name="Bartholomew Featherstonehaugh-Cholmondeley of Upper Slaughter")
    cora, own, other = signed_in(co_ordinator), signed_in(jo), signed_in(sam)
    nothing = {"nobody": cora.get("/rota/?week=2020-01-01"), "made-of-nothing": cora.get("/rota/pubwatch/")}
    RotaPattern.objects.create(
        scheme_id=HART,
        role="duty-sergeant",
        weekdays="01234",
        begins=nights.begins,
        length_min=480,
        first=nights.first,
        people=[sam.pk, jo.pk],
    )
    RoleGrant.objects.create(account=jo, role="duty-sergeant", scheme_id=HART)
    at = int(datetime(2026, 12, 3, 8, tzinfo=UTC).timestamp())
    night = int(datetime(2026, 12, 5, 20, tzinfo=UTC).timestamp())
    swap = {"given": f"1.pcso.{jo.pk}.{at}", "taken": f"1.pcso.{sam.pk}.{night}"}
    add = "/rota/hart/pcso"
    assert own.post("/rota/swaps/ask/", swap).status_code == 302
    cora.post(f"{add}/overrides/add/", {**OVERRIDE, "what": "nobody"})
    answers = {
        **nothing,
        "week": cora.get("/rota/"),
        "week-to-answer": other.get("/rota/"),
        "week-of-pcso": own.get("/rota/"),
        "made-of": cora.get("/rota/hart/"),
        "pattern": cora.get(f"{add}/patterns/add/"),
        "pattern-wrong": cora.post(f"{add}/patterns/add/", {**PATTERN, "ends": "22:00"}),
        "pattern-edit": cora.get(f"/rota/patterns/{days.pk}/edit/"),
        "pattern-remove": cora.get(f"/rota/patterns/{days.pk}/remove/"),
        "cover": cora.get(f"{add}/covers/add/"),
        "override": cora.get(f"{add}/overrides/add/?from={at}&to={night}&instead={jo.pk}"),
        "override-wrong": cora.post(f"{add}/overrides/add/", {}),
        "swap-ask": own.get("/rota/swaps/ask/"),
        "swap-ask-wrong": own.post("/rota/swaps/ask/", {}),
        "swap": other.get(f"/rota/swaps/{RotaSwap.objects.get().pk}/"),
        "calendars": own.get("/rota/calendars/"),
        "calendar-new": own.get("/rota/calendars/own/new/"),
        "calendar-address": own.post("/rota/calendars/own/new/"),
    }

    assert faults_in_chromium(answers) == []
