"""A person's own ways: entered by themselves, seen by nobody else, published, gone with the account (C8)."""

from __future__ import annotations

import html

import pytest
from django.test import Client

from office.accounts import acts
from office.accounts.models import Account, Notice
from office.audit.models import AuditRow
from office.escalation.models import ContactWay
from office.escalation.ways import reached_in, set_ways, ways_of
from office.publisher import content
from tests.office.conftest import HART, PUB_WATCH, MakePerson, SignedIn
from wire.snapshots import WayEntry

pytestmark = pytest.mark.django_db
MOBILE = WayEntry(way="sms", to="+447700900123")
MAIL = WayEntry(way="email", to="jo@example.org")
TYPED = {"way-1": "07700 900123", "way-3": "jo@example.org"}


@pytest.fixture
def jo(make_person: MakePerson) -> Account:
    return make_person("jo", ("pcso", HART), ("police", PUB_WATCH), name="Jo Patel")


@pytest.fixture
def page(jo: Account, signed_in: SignedIn) -> Client:
    """Jo's browser."""
    return signed_in(jo)


def text_of(client: Client, address: str) -> str:
    return html.unescape(client.get(address).content.decode())


def test_ways_are_kept_in_order_shown_as_typed_and_published(jo: Account, page: Client) -> None:
    assert page.post("/account/ways/", TYPED).status_code == 302

    assert ways_of(jo) == (MOBILE, MAIL)
    assert [person.ways for person in content.people()] == [(MOBILE, MAIL)]
    own = text_of(page, "/account/")
    assert own.index("07700 900123") < own.index("jo@example.org")
    assert 'value="07700 900123"' in text_of(page, "/account/ways/")
    assert Notice.objects.filter(account=jo, text__contains="for alerts were changed").count() == 1


def test_ways_are_changed_as_a_whole_and_only_if_they_differ(jo: Account, page: Client) -> None:
    page.post("/account/ways/", TYPED)
    page.post("/account/ways/", {"way-1": "+44 7700 900123", "way-2": "jo@example.org"})
    page.post("/account/ways/", {"way-4": "jo@example.org"})
    page.post("/account/ways/", {})

    assert ways_of(jo) == ()
    assert AuditRow.objects.filter(action="ways.changed").count() == 3
    assert "By open pages only" in text_of(page, "/account/")


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ({"way-1": "07700 900123", "way-2": "+447700900123"}, "twice: leave it out once"),
        ({"way-1": "07700 9001"}, "not a whole British number"),
        ({"way-2": "pigeon"}, "such as 07700 900123"),
    ],
)
def test_ways_that_reach_nobody_are_refused_with_a_sentence(page: Client, typed: dict[str, str], says: str) -> None:
    answer = page.post("/account/ways/", typed)

    assert answer.status_code == 400
    assert says in html.unescape(answer.content.decode())
    assert not ContactWay.objects.exists()


def test_a_number_is_for_its_person_and_for_central_alone(
    jo: Account, page: Client, co_ordinator: Account, signed_in: SignedIn
) -> None:
    """A co-ordinator sees of what kind the ways are; so does the audit."""
    page.post("/account/ways/", TYPED)
    browser = signed_in(co_ordinator)
    person = text_of(browser, f"/people/{jo.pk}/")

    assert "open pages, text message, e-mail" in person
    for address in (f"/people/{jo.pk}/", "/people/", "/audit/", "/escalation/"):
        shown = text_of(browser, address)
        assert "900123" not in shown
        assert "jo@example.org" not in shown
    assert {row.details for row in AuditRow.objects.filter(action="ways.changed")} == {'{"ways":["sms","email"]}'}


def test_ways_go_with_the_account(jo: Account) -> None:
    set_ways(jo, (MOBILE,))

    acts.close_account(None, jo)

    assert not ContactWay.objects.exists()


def test_a_row_that_no_reader_would_accept_is_left_out_and_its_person_is_published(
    jo: Account, caplog: pytest.LogCaptureFixture
) -> None:
    set_ways(jo, (MOBILE, MAIL))
    ContactWay.objects.filter(way="sms").update(way="pigeon")

    assert [person.ways for person in content.people()] == [(MAIL,)]
    assert "+447700900123" not in caplog.text


def test_who_can_be_reached_in_a_scheme_is_counted_by_the_roles_there(jo: Account, co_ordinator: Account) -> None:
    set_ways(jo, (MOBILE, MAIL))

    roles = {grant.scheme_id: reached_in(grant.scheme) for grant in jo.grants.all()}
    assert roles == {
        HART: {("pcso", "sms"), ("pcso", "email")},
        PUB_WATCH: {("police", "sms"), ("police", "email")},
    }
