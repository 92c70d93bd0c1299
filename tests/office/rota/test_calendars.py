"""Calendars by a secret address, read with another parser than by sight: icalendar's own, and by lines."""

from __future__ import annotations

import logging
import re
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from django.test import Client
from icalendar import Calendar

from office.accounts.models import Account, RoleGrant
from office.audit.models import AuditRow
from office.log_privacy import HideTokens
from office.rota.models import RotaFeed, RotaPattern
from tests.office.conftest import PUB_WATCH, MakePerson, SignedIn
from tests.office.rota.conftest import NOW, pattern

ADDRESS = re.compile(r"http://localhost(/rota/calendar/[\w-]{32}\.ics)")


@pytest.fixture
def browser(signed_in: SignedIn, jo: Account) -> Client:
    return signed_in(jo)


def address(browser: Client, what: str = "own") -> str:
    page = browser.post(f"/rota/calendars/{what}/new/").content.decode()
    found = ADDRESS.search(page)
    assert found is not None, page
    return found[1]


def read(path: str) -> list[tuple[datetime, datetime, str]]:
    answer = Client().get(path)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/calendar; charset=utf-8"
    assert answer.headers["Cache-Control"] == "private, no-store"
    calendar: Any = Calendar.from_ical(answer.content)
    return [(one["DTSTART"].dt, one["DTEND"].dt, str(one["SUMMARY"])) for one in calendar.walk("VEVENT")]


def test_own_shifts_fourteen_days_back_and_sixty_ahead(browser: Client, days: RotaPattern, nights: RotaPattern) -> None:
    events = read(address(browser))

    assert {"PCSO in HART"} == {what for _, _, what in events}
    assert events[0][0] == NOW - timedelta(days=14, hours=4)  # it ends within
    assert events[-1][0] == NOW + timedelta(days=60, hours=-4)
    assert len(events) == 75


def test_a_posts_calendar_names_who_is_on(browser: Client, days: RotaPattern, nights: RotaPattern) -> None:
    assert {"PCSO in HART", "Sam Reed, PCSO in HART"} == {what for _, _, what in read(address(browser, "1-pcso"))}


def test_a_night_in_october_is_nine_hours_in_the_calendar_too(
    browser: Client, jo: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = address(browser)
    monkeypatch.setattr("django.utils.timezone.now", lambda: datetime(2027, 10, 20, tzinfo=UTC))
    pattern(jo, begins=time(22), length_min=480, first=date(2027, 10, 30), last=date(2027, 10, 30))

    night = datetime(2027, 10, 30, 21, tzinfo=UTC), datetime(2027, 10, 31, 6, tzinfo=UTC)
    assert [(*night, "PCSO in HART")] == read(path)


def test_new_address_ends_the_old_one_and_an_end_both(browser: Client, days: RotaPattern) -> None:
    old = address(browser)
    new = address(browser)
    assert Client().get(old).status_code == 404
    assert read(new)
    assert new.split("/")[-1].removesuffix(".ics") not in browser.get("/rota/calendars/").content.decode()
    assert browser.post("/rota/calendars/own/end/").status_code == 302

    assert Client().get(new).status_code == 404
    assert not RotaFeed.objects.exists()
    rows = list(AuditRow.objects.order_by("sequence").values_list("action", "details"))
    assert [action for action, _ in rows] == ["rota-calendar.address-made"] * 2 + ["rota-calendar.ended"]
    assert not [details for _, details in rows if new.split("/")[-1].removesuffix(".ics") in details]


def test_who_has_lost_role_or_account_reads_nothing(browser: Client, days: RotaPattern, jo: Account) -> None:
    of_role, own = address(browser, "1-pcso"), address(browser)
    RoleGrant.objects.filter(account=jo).update(scheme=PUB_WATCH)
    assert Client().get(of_role).status_code == 404
    assert read(own) == []
    Account.objects.filter(pk=jo.pk).update(is_active=False)

    assert Client().get(own).status_code == 404


def test_address_on_a_phone_that_is_lost_answers_no_more(
    browser: Client, days: RotaPattern, jo: Account, cora: Client
) -> None:
    path = address(browser)
    assert read(path)
    assert "/recover/" in cora.post(f"/people/{jo.pk}/lost-phone/", {}).content.decode()

    assert Client().get(path).status_code == 404


def test_another_schemes_calendar_does_not_exist(browser: Client) -> None:
    for what in ("2-pcso", "1-fleet-engineer", "1-nobody", "x"):
        assert browser.post(f"/rota/calendars/{what}/new/").status_code == 404
    assert not RotaFeed.objects.exists()


def test_nobody_ends_anothers(browser: Client, days: RotaPattern, signed_in: SignedIn, sam: Account) -> None:
    path = address(browser)

    assert signed_in(sam).post("/rota/calendars/own/end/").status_code == 404
    assert read(path)


def test_a_second_factor_is_asked_for(signed_in: SignedIn, jo: Account) -> None:
    answer = signed_in(jo, second_factor_age_s=400).post("/rota/calendars/own/new/")

    assert answer.headers["Location"].startswith("/again/")
    assert not RotaFeed.objects.exists()


def test_log_does_not_keep_the_address() -> None:
    record = logging.LogRecord("django.request", logging.ERROR, "", 0, "%s", ("/rota/calendar/SECRET.ics",), None)
    HideTokens().filter(record)

    assert "SECRET" not in record.getMessage()


def test_address_is_open_to_who_has_it_and_answers_no_other_method(browser: Client, make_person: MakePerson) -> None:
    assert Client().post(address(browser)).status_code == 405
    assert Client().get("/rota/calendar/nothing.ics").status_code == 404
