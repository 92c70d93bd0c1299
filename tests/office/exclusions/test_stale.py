"""A premises joins or leaves, and a co-ordinator sees whose paper is out of date by it."""

from __future__ import annotations

from importlib import import_module

import pytest
from django.apps import apps
from django.db import connection
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from office.accounts.access import rights_of
from office.accounts.models import Account, Scheme
from office.exclusions import acts
from office.exclusions.case_views import case_context
from office.exclusions.models import Case
from office.exclusions.rules.period import day_of
from office.exclusions.stale import stale_cases
from office.members.models import Premises
from tests.office.conftest import HART, PUB_WATCH, MakePerson, SignedIn
from tests.office.exclusions.conftest import Town


def listed(town: Town, *premises: Premises) -> Case:
    """Served, from these premises alone."""
    case = town.case("decided")
    case.scope = "listed"
    case.save()
    case.listed.set(premises)
    acts.issue(town.turn(case), day_of(timezone.now()))
    return case


def stale(town: Town) -> set[int]:
    """What the list finds, and each case's own page says."""
    found = set(stale_cases({HART}))
    mine = rights_of(town.cora)
    assert found == {one.pk for one in Case.objects.all() if case_context(mine, one)["is_stale"]}
    return found


def test_joiner_puts_the_notices_of_the_whole_scheme_out_of_date_until_issued_anew(town: Town) -> None:
    everywhere, here = town.case("served"), listed(town, *town.premises[:2])
    town.case("decided")
    assert stale(town) == set()
    joined = Premises.objects.create(member=town.members[0], name="Later", place="Mill Ln")
    joined.schemes.add(town.hart)
    assert stale(town) == {everywhere.pk}
    acts.reissue(town.turn(everywhere), "a shop has joined")
    assert stale(town) == set()
    town.premises[0].schemes.clear()
    assert stale(town) == {everywhere.pk, here.pk}
    joined.schemes.clear()
    town.premises[0].schemes.add(town.hart)
    assert stale(town) == {everywhere.pk}


def test_shortened_exclusion_has_a_notice_out_of_date_and_an_ended_one_has_not(town: Town) -> None:
    case = town.case("served")
    acts.shorten(town.turn(case), day_of(timezone.now()), "enough")
    assert stale(town) == {case.pk}
    acts.revoke(town.turn(case), "not needed any more")
    assert stale(town) == set()


def test_listed_premises_that_are_all_gone_put_a_notice_out_of_date(town: Town) -> None:
    case = listed(town, town.premises[0])
    town.premises[0].delete()

    assert stale(town) == {case.pk}


def test_notices_of_another_scheme_are_not_found(town: Town, schemes: dict[int, Scheme]) -> None:
    case = town.case("served")
    Case.objects.update(paper_digest="")

    assert stale_cases({PUB_WATCH}) == []
    assert stale_cases({PUB_WATCH}, among=[case.pk]) == []
    assert stale_cases(schemes) == [case.pk]
    assert stale_cases({HART}, among=[]) == []


def test_first_page_and_list_show_whose_notice_is_out_of_date(town: Town, signed_in: SignedIn) -> None:
    case, other = town.case("served"), town.case("served")
    browser = signed_in(town.cora)
    assert "out of date" not in browser.get("/").content.decode()
    assert "Every person’s notice says what holds now" in browser.get("/cases/?state=stale").content.decode()
    acts.shorten(town.turn(case), day_of(timezone.now()), "enough")

    assert "1 notice is out of date" in browser.get("/").content.decode()
    page = browser.get("/cases/?state=stale").content.decode().split("<main", 1)[1]
    assert ("HART case 1<" in page, "HART case 2<" in page) == (True, False)
    assert "a new version of its notice" in page
    assert browser.get("/cases/").content.decode().count("a new version of its notice") == 1
    assert "a new version of its notice" in browser.get(f"/cases/{case.pk}/").content.decode()
    assert "a new version of its notice" not in browser.get(f"/cases/{other.pk}/").content.decode()


def test_others_have_no_such_list(town: Town, make_person: MakePerson, signed_in: SignedIn) -> None:
    case = town.case("served")
    Case.objects.update(paper_digest="")
    for who in (town.contacts[0], make_person("otto", ("co-ordinator", PUB_WATCH))):
        page = signed_in(who).get("/cases/?state=stale").content.decode()
        assert "a new version of its notice" not in page
        assert (case.reference in page) == (who == town.contacts[0])
        assert "notice is out of date" not in signed_in(who).get("/").content.decode()


@pytest.mark.parametrize("cases", [1, 8])
def test_stale_notices_are_found_by_three_questions(
    town: Town, django_assert_num_queries: DjangoAssertNumQueries, cases: int
) -> None:
    template, who = town.case("served"), Account.objects.get(pk=town.cora.pk)
    Case.objects.bulk_create(
        Case(
            scheme=town.hart, individual=template.individual, number=number + 10, state="served", category="theft",
            happened_on=template.happened_on, nominated_by=who, scope="listed" if number % 2 else "all",
        )
        for number in range(cases)
    )  # fmt: skip
    with django_assert_num_queries(3):
        assert len(stale_cases({HART})) == cases


def test_migration_keeps_what_is_on_the_papers_that_there_are(town: Town) -> None:
    right, shortened = town.case("served"), town.case("served")
    over = town.case("served")
    acts.shorten(town.turn(shortened), day_of(timezone.now()), "enough")
    acts.revoke(town.turn(over), "not needed any more")
    Case.objects.update(paper_digest="")
    migration = import_module("office.exclusions.migrations.0011_papers_there_are")
    migration.keep_digests(apps, connection.schema_editor())

    assert stale(town) == {shortened.pk}
    assert Case.objects.get(pk=right.pk).paper_digest
