"""Sessions: what ends them, and what does not."""

from __future__ import annotations

import secrets
from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.utils import timezone

from office.accounts import sessions
from office.accounts.models import Account, OfficeSession
from office.accounts.sessions import SESSION_KEY
from office.accounts.tidying import tidy
from tests.office.conftest import HART, MakePerson, SignedIn
from wire.snapshots import ENDED_SESSIONS_MAX

pytestmark = pytest.mark.django_db


def test_a_session_of_an_earlier_generation_is_signed_out(co_ordinator: Account, signed_in: SignedIn) -> None:
    browser = signed_in(co_ordinator)
    assert browser.get("/").status_code == 200

    sessions.end_all_sessions(co_ordinator)

    key = browser.session.session_key
    assert browser.get("/").headers.get("Location") == "/sign-in/"
    assert not Session.objects.filter(pk=key).exists()
    assert SESSION_KEY not in browser.session


def test_one_ended_session_leaves_the_others(make_person: MakePerson, signed_in: SignedIn) -> None:
    person = make_person("jo", ("pcso", HART))
    first, second = signed_in(person), signed_in(person)

    assert sessions.end_session(person, first.session[SESSION_KEY])

    assert first.get("/").status_code == 302
    assert second.get("/").status_code == 200


def test_nobody_ends_the_session_of_another(make_person: MakePerson, signed_in: SignedIn) -> None:
    person, other = make_person("jo", ("pcso", HART)), make_person("al", ("pcso", HART))
    browser = signed_in(person)

    assert not sessions.end_session(other, browser.session[SESSION_KEY])
    assert browser.get("/").status_code == 200


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_clock_that_is_an_hour_wrong_signs_nobody_out_or_in(
    make_person: MakePerson, signed_in: SignedIn, monkeypatch: pytest.MonkeyPatch, hours: int
) -> None:
    person = make_person("jo", ("pcso", HART))
    browser, ended = signed_in(person), signed_in(person)
    sessions.end_session(person, ended.session[SESSION_KEY])

    key, shift = browser.session.session_key, timedelta(hours=hours)
    real = timezone.now
    monkeypatch.setattr(timezone, "now", lambda: real() + shift)

    assert browser.get("/account/").status_code == 200
    assert browser.session.session_key == key
    assert ended.get("/").status_code == 302


def test_tidying_leaves_what_still_counts(make_person: MakePerson, signed_in: SignedIn) -> None:
    person = make_person("jo", ("pcso", HART))
    browser, old = signed_in(person), signed_in(person)
    OfficeSession.objects.filter(pk=old.session[SESSION_KEY]).update(seen_at=timezone.now() - timedelta(days=31))

    tidy()

    assert browser.get("/").status_code == 200
    assert OfficeSession.objects.count() == 1
    assert old.get("/").status_code == 302


def test_more_ended_sessions_than_a_snapshot_lists_end_them_all(make_person: MakePerson, signed_in: SignedIn) -> None:
    person = make_person("jo", ("pcso", HART))
    _ended(person, ENDED_SESSIONS_MAX)
    last, open_still = signed_in(person), signed_in(person)
    OfficeSession.objects.filter(pk=last.session[SESSION_KEY]).update(had_ticket=True)

    sessions.end_session(person, last.session[SESSION_KEY])

    assert open_still.get("/").status_code == 302
    assert Account.objects.get(pk=person.pk).generation == 2


def test_sessions_that_never_went_into_the_control_room_end_no_other(
    make_person: MakePerson, signed_in: SignedIn
) -> None:
    """Whoever signs out 65 times stays in the control room: central need not hear of what it never knew."""
    person = make_person("jo", ("cctv", HART))
    in_control_room = signed_in(person)
    OfficeSession.objects.update(had_ticket=True)
    _ended(person, ENDED_SESSIONS_MAX + 1, had_ticket=False)
    last = signed_in(person)

    sessions.end_session(person, last.session[SESSION_KEY])

    assert in_control_room.get("/").status_code == 200
    assert Account.objects.get(pk=person.pk).generation == 1


def test_sessions_whose_shift_is_long_over_end_no_other(make_person: MakePerson, signed_in: SignedIn) -> None:
    person = make_person("jo", ("cctv", HART))
    _ended(person, ENDED_SESSIONS_MAX + 1, ago=sessions.TOLD_FOR)
    browser = signed_in(person)
    OfficeSession.objects.filter(pk=browser.session[SESSION_KEY]).update(had_ticket=True)

    sessions.end_session(person, browser.session[SESSION_KEY])

    assert Account.objects.get(pk=person.pk).generation == 1


def test_ended_sessions_from_a_clock_that_ran_ahead_are_counted(make_person: MakePerson, signed_in: SignedIn) -> None:
    """They come first in the list, so the newest would be missing from it."""
    person = make_person("jo", ("cctv", HART))
    _ended(person, ENDED_SESSIONS_MAX, ago=timedelta(days=-300))
    browser = signed_in(person)
    OfficeSession.objects.filter(pk=browser.session[SESSION_KEY]).update(had_ticket=True)

    sessions.end_session(person, browser.session[SESSION_KEY])

    assert Account.objects.get(pk=person.pk).generation == 2


def test_the_sessions_that_central_hears_of_are_the_newest_it_knew(make_person: MakePerson) -> None:
    person = make_person("jo", ("cctv", HART))
    _ended(person, 1, ago=timedelta(hours=2))
    _ended(person, 1, had_ticket=False)
    newest = _ended(person, 1)
    Account.objects.filter(pk=person.pk).update(generation=1)
    OfficeSession.objects.create(public_id="0" * 32, account=person, generation=0, ended_at=timezone.now())

    told = list(sessions.ended_at_central().values_list("public_id", flat=True))

    assert len(told) == 2
    assert told[0] == newest


def _ended(person: Account, count: int, *, had_ticket: bool = True, ago: timedelta = timedelta()) -> str:
    """That many sessions of a person that have ended; returns the last one's number."""
    rows = OfficeSession.objects.bulk_create(
        OfficeSession(
            public_id=secrets.token_hex(16),
            account=person,
            generation=person.generation,
            ended_at=timezone.now() - ago,
            had_ticket=had_ticket,
        )
        for _ in range(count)
    )
    return rows[-1].public_id
