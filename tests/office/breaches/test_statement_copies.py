"""The reporter's copy: for the contact of the shop, for a month, and for nobody else."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from office.accounts.models import Notice
from office.audit.models import AuditRow
from office.breaches.models import Breach, StatementCopy
from office.exclusions.models import Case
from office.members.models import Member, Premises
from office.papers.orders import StatementPaper
from office.people.erasure import erase_case
from office.people.rights import Correction, correct
from tests.office.breaches.conftest import breach_of
from tests.office.breaches.test_breach_pages import text
from tests.office.breaches.test_statements import made
from tests.office.conftest import HART, PUB_WATCH, MakePerson, SignedIn
from tests.office.exclusions.conftest import Town
from tests.office.people.conftest import request_of


@pytest.fixture
def breach(town: Town) -> Breach:
    """In the first shop."""
    return breach_of(town.case("served"), premises=town.premises[0])


@pytest.fixture
def cora(town: Town, signed_in: SignedIn) -> Client:
    return signed_in(town.cora)


@pytest.fixture
def contact(town: Town, signed_in: SignedIn) -> Client:
    """Of the first shop."""
    return signed_in(town.contacts[0])


def address() -> str:
    return f"/statements/{StatementCopy.objects.get().pk}.pdf"


def actions() -> list[str]:
    rows = AuditRow.objects.filter(action__startswith="statement").order_by("sequence")
    return [row.action for row in rows]


def test_contact_of_the_shop_reads_word_for_word_what_was_made(
    *,
    town: Town,
    breach: Breach,
    cora: Client,
    contact: Client,
    ordered: list[StatementPaper],
    drawn: list[StatementPaper],
) -> None:
    assert f"{town.contacts[0].name} can read a copy" in text(cora, f"/breaches/{breach.pk}/statement/")
    assert 200 == made(cora, breach, witness="reporter", name="Alice Alder", copy="on")
    assert "lies on the page of Shop 1" in Notice.objects.get(account=town.contacts[0]).text

    page = text(contact, f"/premises/{town.premises[0].pk}/")
    assert address() in page
    assert "The co-ordinator and the police have your report." in page
    assert b"%PDF-" == contact.get(address()).content
    assert ordered == drawn
    assert ["statement.made", "statement-copy.given", "statement-copy.read"] == actions()
    row = AuditRow.objects.latest("sequence")
    assert (town.contacts[0].name, f" {HART} ") == (row.actor_name, row.schemes)


def test_contact_hears_how_it_ended(
    town: Town, breach: Breach, cora: Client, contact: Client, ordered: list[StatementPaper]
) -> None:
    made(cora, breach, witness="reporter", copy="on")
    cora.post(f"/breaches/{breach.pk}/act/", {"kind": "police-informed", "version": 1, "crime_reference": "26*1"})

    assert "The police were informed." in text(contact, f"/premises/{town.premises[0].pk}/")


def test_statement_of_the_office_and_one_that_is_not_ticked_give_no_copy(
    breach: Breach, cora: Client, ordered: list[StatementPaper]
) -> None:
    made(cora, breach, copy="on")
    assert not StatementCopy.objects.exists()
    made(cora, breach, witness="reporter", copy="on")
    assert StatementCopy.objects.exists()
    made(cora, breach, witness="reporter")

    assert not StatementCopy.objects.exists()
    assert "statement-copy.taken-back" == actions()[-1]


def test_newest_takes_the_place_of_the_one_before(
    breach: Breach, cora: Client, contact: Client, ordered: list[StatementPaper], drawn: list[StatementPaper]
) -> None:
    for name in ("Alice Alder", "Bob Birch"):
        made(cora, breach, witness="reporter", name=name, copy="on")
    contact.get(address())

    assert ["Bob Birch"] == [one.witness for one in drawn]


def test_nobody_else_reads_it(
    *,
    town: Town,
    breach: Breach,
    cora: Client,
    make_person: MakePerson,
    signed_in: SignedIn,
    ordered: list[StatementPaper],
    drawn: list[StatementPaper],
) -> None:
    made(cora, breach, witness="reporter", copy="on")
    others = [signed_in(town.contacts[1]), cora]
    others += [signed_in(make_person(role, (role, HART))) for role in ("police", "pcso", "cctv", "fleet-engineer")]

    assert {404} == {one.get(address()).status_code for one in others}
    assert [] == drawn
    assert "statement-copy.not-found" in actions()
    assert address() not in text(cora, f"/premises/{town.premises[0].pk}/")


def test_contact_of_another_scheme_or_of_who_has_the_shop_now_does_not_read_it(
    *,
    town: Town,
    breach: Breach,
    cora: Client,
    make_person: MakePerson,
    signed_in: SignedIn,
    ordered: list[StatementPaper],
    drawn: list[StatementPaper],
) -> None:
    made(cora, breach, witness="reporter", copy="on")
    pubs = make_person("pubs", ("members-contact", PUB_WATCH))
    town.members[0].spokespeople.create(account=pubs, scheme_id=PUB_WATCH)
    Premises.objects.filter(pk=town.premises[0].pk).update(member=Member.objects.get(pk=town.members[1].pk))

    for account in (pubs, town.contacts[1]):
        assert 404 == signed_in(account).get(address()).status_code
    assert [] == drawn


def test_contact_of_who_has_the_shop_since_gets_no_copy(
    town: Town, breach: Breach, cora: Client, ordered: list[StatementPaper]
) -> None:
    """What happened in it before is not theirs to read, also if its statement is made now."""
    Premises.objects.filter(pk=town.premises[0].pk).update(member=Member.objects.get(pk=town.members[1].pk))

    assert town.contacts[1].name not in text(cora, f"/breaches/{breach.pk}/statement/")
    made(cora, breach, witness="reporter", copy="on")
    assert not StatementCopy.objects.exists()
    assert not Notice.objects.filter(account=town.contacts[1]).exists()


def test_it_lies_there_for_a_month_and_asks_for_the_second_factor(
    *,
    town: Town,
    breach: Breach,
    cora: Client,
    contact: Client,
    signed_in: SignedIn,
    ordered: list[StatementPaper],
    drawn: list[StatementPaper],
) -> None:
    made(cora, breach, witness="reporter", copy="on")
    assert 302 == signed_in(town.contacts[0], second_factor_age_s=400).get(address()).status_code
    StatementCopy.objects.update(made_at=timezone.now() - timedelta(days=30))

    assert 404 == contact.get(address()).status_code
    assert "Statements for the police" not in text(contact, f"/premises/{town.premises[0].pk}/")
    assert [] == drawn


def test_it_is_not_shown_while_the_person_is_not_and_goes_with_the_case(
    *,
    town: Town,
    breach: Breach,
    cora: Client,
    contact: Client,
    ordered: list[StatementPaper],
    drawn: list[StatementPaper],
) -> None:
    made(cora, breach, witness="reporter", copy="on")
    Case.objects.update(is_restricted=True)
    assert 404 == contact.get(address()).status_code
    Case.objects.update(is_restricted=False)
    assert 200 == contact.get(address()).status_code
    erase_case(Case.objects.get())

    assert not StatementCopy.objects.exists()


def test_copy_goes_when_the_name_in_it_turns_out_wrong(
    *, town: Town, breach: Breach, cora: Client, ordered: list[StatementPaper]
) -> None:
    """It says what was recorded, word for word: of a name that is corrected nobody reads on."""
    made(cora, breach, witness="reporter", copy="on")
    right = Correction(
        name="Somebody Right", also_known_as="", born_on=None, is_believed_minor=False, description="", address=""
    )
    correct(town.cora, request_of(town, Case.objects.get()), 1, right, "Passport seen.")

    assert not StatementCopy.objects.exists()
    assert "statement-copy.taken-back" == actions()[-1]


def test_no_copy_is_promised_of_whom_the_contact_may_not_be_shown(
    *, town: Town, breach: Breach, cora: Client, ordered: list[StatementPaper]
) -> None:
    """The co-ordinator still sees who it is, and makes the statement; the contact would find nothing."""
    Case.objects.update(is_restricted=True)

    assert "so the shop gets no copy" in text(cora, f"/breaches/{breach.pk}/statement/")
    assert 200 == made(cora, breach, witness="reporter", copy="on")
    assert not StatementCopy.objects.exists()
    assert not Notice.objects.filter(account=town.contacts[0]).exists()


def test_copy_is_called_ready_while_somebody_can_read_it(
    *, breach: Breach, cora: Client, ordered: list[StatementPaper]
) -> None:
    made(cora, breach, witness="reporter", copy="on")
    before = text(cora, f"/breaches/{breach.pk}/")
    Case.objects.update(is_restricted=True)

    assert "lies ready for the shop" in before
    assert "lies ready for the shop" not in text(cora, f"/breaches/{breach.pk}/")


def test_contact_who_is_police_or_co_ordinator_too_reads_no_more_by_it(
    *, town: Town, breach: Breach, cora: Client, contact: Client, ordered: list[StatementPaper]
) -> None:
    made(cora, breach, witness="reporter", copy="on")
    town.contacts[0].grants.create(role="co-ordinator", scheme_id=HART)
    Case.objects.update(is_restricted=True)

    assert 404 == contact.get(address()).status_code


def test_shop_without_a_contact_gets_none(town: Town, breach: Breach, cora: Client, ordered: list[object]) -> None:
    town.members[0].spokespeople.all().delete()

    assert "print a copy for whoever reported it" in text(cora, f"/breaches/{breach.pk}/statement/")
    made(cora, breach, witness="reporter", copy="on")
    assert not StatementCopy.objects.exists()
