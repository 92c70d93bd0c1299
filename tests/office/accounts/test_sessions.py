"""Sessions: what ends them, and what does not."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from office.accounts import sessions
from office.accounts.models import Account, OfficeSession
from office.accounts.tidying import tidy
from tests.office.conftest import HART, MakePerson, SignedIn
from wire.snapshots import ENDED_SESSIONS_MAX

pytestmark = pytest.mark.django_db


def test_a_session_of_an_earlier_generation_is_signed_out(co_ordinator: Account, signed_in: SignedIn) -> None:
    browser = signed_in(co_ordinator)
    assert browser.get("/").status_code == 200

    sessions.end_all_sessions(co_ordinator)

    assert browser.get("/")["Location"] == "/sign-in/"
    assert "sessionid" not in browser.session


def test_one_ended_session_leaves_the_others(make_person: MakePerson, signed_in: SignedIn) -> None:
    person = make_person("jo", ("pcso", HART))
    first, second = signed_in(person), signed_in(person)

    assert sessions.end_session(person, first.session[sessions.SESSION_KEY])

    assert first.get("/").status_code == 302
    assert second.get("/").status_code == 200


def test_nobody_ends_the_session_of_another(make_person: MakePerson, signed_in: SignedIn) -> None:
    person, other = make_person("jo", ("pcso", HART)), make_person("al", ("pcso", HART))
    browser = signed_in(person)

    assert not sessions.end_session(other, browser.session[sessions.SESSION_KEY])
    assert browser.get("/").status_code == 200


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_clock_that_is_an_hour_wrong_signs_nobody_out_or_in(
    make_person: MakePerson, signed_in: SignedIn, hours: int
) -> None:
    person = make_person("jo", ("pcso", HART))
    browser, ended = signed_in(person), signed_in(person)
    sessions.end_session(person, ended.session[sessions.SESSION_KEY])

    shift = timedelta(hours=hours)
    for row in OfficeSession.objects.all():
        moved = {"began_at": row.began_at + shift, "seen_at": row.seen_at + shift}
        moved_end = row.ended_at + shift if row.ended_at else None
        OfficeSession.objects.filter(pk=row.pk).update(**moved, ended_at=moved_end)

    assert browser.get("/account/").status_code == 200
    assert ended.get("/").status_code == 302


def test_tidying_leaves_what_still_counts(make_person: MakePerson, signed_in: SignedIn) -> None:
    person = make_person("jo", ("pcso", HART))
    browser, old = signed_in(person), signed_in(person)
    OfficeSession.objects.filter(pk=old.session[sessions.SESSION_KEY]).update(
        seen_at=timezone.now() - timedelta(days=31)
    )

    tidy()

    assert browser.get("/").status_code == 200
    assert OfficeSession.objects.count() == 1
    assert old.get("/").status_code == 302


def test_more_ended_sessions_than_a_snapshot_lists_end_them_all(make_person: MakePerson, signed_in: SignedIn) -> None:
    person = make_person("jo", ("pcso", HART))
    OfficeSession.objects.bulk_create(
        OfficeSession(public_id=f"{n:032x}", account=person, generation=1, ended_at=timezone.now())
        for n in range(ENDED_SESSIONS_MAX)
    )
    last, open_still = signed_in(person), signed_in(person)

    sessions.end_session(person, last.session[sessions.SESSION_KEY])

    assert open_still.get("/").status_code == 302
    assert Account.objects.get(pk=person.pk).generation == 2
