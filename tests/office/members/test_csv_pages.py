from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from office.accounts.models import Account
from office.audit.models import AuditRow
from office.members import importing
from office.members.csv_cells import FILE_BYTES_MAX, read_table
from office.members.csv_views import EXPORTS_PER_HOUR
from office.members.facts import ContactFacts
from office.members.import_rules import plan_import
from office.members.importing import plan_digest
from office.members.models import Contact, Member, Membership, PendingImport, Premises
from office.members.scope import known_of
from tests.office.conftest import HART, PUB_WATCH, SignedIn
from tests.office.members.conftest import MakePremises


@pytest.fixture
def browser(signed_in: SignedIn, co_ordinator: Account) -> Client:
    """Of a co-ordinator of HART only."""
    return signed_in(co_ordinator)


def upload(browser: Client, data: bytes) -> tuple[str, str]:
    """Address and text of the preview of a file."""
    answer = browser.post("/premises/import/", {"file": SimpleUploadedFile("premises.csv", data)})
    assert answer.status_code == 302, answer.content.decode()
    address = answer.headers["Location"]
    return address, browser.get(address).content.decode()


def digest(page: str) -> str:
    found = re.search(r'name="plan" value="([0-9a-f]{64})"', page)
    return found[1] if found else ""


def test_fifty_premises_are_imported_in_one_go(browser: Client) -> None:
    rows = [f"Shop {n};Shops {n % 7} Ltd;{n} High St;Jo Patel;+44 {n}" for n in range(50)]
    data = "\r\n".join(["Name;Member;Address;Contact 1 name;Contact 1 phone", *rows]).encode()
    address, page = upload(browser, data)
    assert "50 new premises" in page
    assert "7 new members" in page
    assert not Premises.objects.exists()
    done = browser.post(address, {"plan": digest(page)}, follow=True)

    assert "Imported: 50 new premises, 0 changed." in done.content.decode()
    assert Premises.objects.filter(schemes=HART).count() == 50
    assert Contact.objects.filter(name="Jo Patel").count() == 50
    assert Membership.objects.filter(scheme=HART, ended_on=None).count() == Member.objects.count() == 7
    assert not PendingImport.objects.exists()
    assert AuditRow.objects.filter(action="premises.added").count() == 50
    assert AuditRow.objects.order_by("sequence").first().action == "premises.imported"  # type: ignore[union-attr]


def test_one_bad_row_keeps_all_out(browser: Client) -> None:
    data = b"Name,Member,Latitude,Longitude\nA,M,52,0\nB,M,99,0\n"
    address, page = upload(browser, data)

    assert "Latitude must be between -90 and 90." in page
    assert digest(page) == ""
    forced = browser.post(address, {"plan": plan_digest(plan_import(read_table(data), known_of(frozenset({HART}))))})
    assert forced.status_code == 409
    assert not Premises.objects.exists()
    assert not AuditRow.objects.exists()


def test_export_imported_again_is_the_identity(browser: Client, make_premises: MakePremises) -> None:
    make_premises(
        "=Corner", HART, PUB_WATCH, address='1 "High" St,\nTown', latitude=52.240512, longitude=-0.9,
        when_going="-dog\n=1+1", contacts=[ContactFacts(name="'@Jo", phone="+44 1604", is_key_holder=True)] * 3,
    )  # fmt: skip
    make_premises("Café", HART)
    make_premises("Red Lion", PUB_WATCH)
    exported = browser.get("/premises/export.csv")
    _, page = upload(browser, exported.content)

    assert exported.headers["Cache-Control"] == "no-store"
    assert "0 new premises, 0 changed, 2 as they are" in page
    assert "pubwatch" not in exported.content.decode()
    assert b"Red Lion" not in exported.content
    assert b"'=Corner" in exported.content
    assert AuditRow.objects.get().action == "premises.exported"


def test_an_import_changes_what_it_names_and_leaves_other_schemes(browser: Client, make_premises: MakePremises) -> None:
    shared = make_premises("Bar", HART, PUB_WATCH, contacts=[ContactFacts(name="Jo")], place="Square")
    address, page = upload(browser, f"Number,Name,Contact 1 name\n{shared.pk},The Bar,Kim\n".encode())
    assert "1 changed" in page
    assert browser.post(address, {"plan": digest(page)}).status_code == 302
    shared.refresh_from_db()

    assert (shared.name, shared.place, shared.version, shared.changed_by) == ("The Bar", "Square", 2, "Cora Hart")
    assert [contact.name for contact in shared.contacts.all()] == ["Kim"]
    assert {scheme.pk for scheme in shared.schemes.all()} == {HART, PUB_WATCH}
    assert list(AuditRow.objects.order_by("sequence").values_list("action", "schemes")) == [
        ("premises.imported", " 1 "),
        ("premises.changed", " 1 2 "),
    ]


def test_a_register_changed_since_the_preview_is_shown_again(browser: Client, make_premises: MakePremises) -> None:
    shop = make_premises("Corner", HART)
    address, page = upload(browser, f"Number,Address\n{shop.pk},New\n".encode())
    Premises.objects.filter(pk=shop.pk).update(address="Meanwhile")
    answer = browser.post(address, {"plan": digest(page)})
    again = answer.content.decode()

    assert answer.status_code == 409
    assert "the register has changed since you saw this page" in again
    assert "Meanwhile" in again
    assert Premises.objects.get().address == "Meanwhile"
    assert browser.post(address, {"plan": digest(again)}).status_code == 302
    assert Premises.objects.get().address == "New"


def test_a_failure_half_way_leaves_nothing_behind(
    browser: Client, monkeypatch: pytest.MonkeyPatch, make_premises: MakePremises
) -> None:
    shop = make_premises("Corner", HART)
    address, page = upload(
        browser, f"Number,Name,Member\n{shop.pk},X,\n,B,New Ltd\n".encode().replace(b"X,", b"X,Corner Ltd")
    )

    def fail(*_: object) -> None:
        raise RuntimeError("power cut")

    monkeypatch.setattr(importing, "record_many", fail)
    with pytest.raises(RuntimeError, match="power cut"):
        browser.post(address, {"plan": digest(page)})

    assert [one.name for one in Premises.objects.all()] == ["Corner"]
    assert Member.objects.count() == 1


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "The file is empty."),
        (b"Name\n" + b"x" * FILE_BYTES_MAX, "10 MB is the most"),
        ("Name\nA\n".encode("utf-16"), "CSV UTF-8"),
        (b'Name,Note\nA,"b\n', "quotation mark"),
    ],
    ids=["empty", "large", "utf-16", "open quote"],
)
def test_an_unreadable_file_is_refused_beside_the_field(browser: Client, data: bytes, says: str) -> None:
    answer = browser.post("/premises/import/", {"file": SimpleUploadedFile("premises.csv", data)})

    assert answer.status_code == 400
    assert says in answer.content.decode()
    assert not PendingImport.objects.exists()


def test_an_upload_is_its_uploaders_alone(browser: Client, signed_in: SignedIn, other_co_ordinator: Account) -> None:
    address, page = upload(browser, b"Name,Member\nA,M\n")
    other = signed_in(other_co_ordinator)

    assert other.get(address).status_code == 404
    assert other.post(address, {"plan": digest(page)}).status_code == 404


def test_an_upload_is_forgotten_after_an_hour(browser: Client) -> None:
    address, page = upload(browser, b"Name,Member\nA,M\n")
    PendingImport.objects.update(uploaded_at=timezone.now() - timedelta(hours=1, seconds=1))
    assert browser.post(address, {"plan": digest(page)}).status_code == 404
    browser.get("/premises/")

    assert not PendingImport.objects.exists()


def test_an_export_wants_a_second_factor_shown_just_now(
    signed_in: SignedIn, co_ordinator: Account, make_premises: MakePremises
) -> None:
    make_premises("Corner", HART)
    stale = signed_in(co_ordinator, second_factor_age_s=400)

    assert stale.get("/premises/export.csv").status_code == 302


def test_exports_are_limited(browser: Client, make_premises: MakePremises) -> None:
    make_premises("Corner", HART)
    answers = [browser.get("/premises/export.csv").status_code for _ in range(EXPORTS_PER_HOUR + 1)]

    assert answers == [200] * EXPORTS_PER_HOUR + [302]


def test_an_export_follows_the_lists_filters(browser: Client, make_premises: MakePremises) -> None:
    make_premises("Corner", HART)
    make_premises("Bar", HART)

    assert [row.cells[4] for row in read_table(browser.get("/premises/export.csv?q=bar").content).rows] == ["Bar"]


def test_an_import_of_a_thousand_rows_asks_the_database_seldom(
    browser: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    rows = [f"Shop {n},Shops {n % 100} Ltd,Jo {n}" for n in range(1_000)]
    data = "\n".join(["Name,Member,Contact 1 name", *rows]).encode()
    address, page = upload(browser, data)
    with django_assert_max_num_queries(300):
        answer = browser.post(address, {"plan": digest(page)})

    assert answer.status_code == 302
    assert Premises.objects.count() == 1_000
