from __future__ import annotations

import re
from datetime import timedelta

import msgspec
import pytest
from django.test import Client

from office.accounts.models import Account
from office.audit.models import AuditRow
from office.exclusions.models import Case
from office.people.merging import put_together
from office.people.models import Individual, RightsRequest
from tests.office.conftest import HART, SignedIn
from tests.office.exclusions.conftest import Town
from tests.office.people.conftest import request_of, today


@pytest.fixture
def browser(signed_in: SignedIn, town: Town) -> Client:
    """Of HART's co-ordinator."""
    return signed_in(town.cora)


def found(browser: Client, request: RightsRequest, **typed: object) -> str:
    """What the page says; the answer to "who is it" is in the database."""
    answer = browser.post(f"/rights/{request.pk}/find/", {"proof": "passport seen", **typed}, follow=True)
    request.refresh_from_db()
    return answer.content.decode()


def about(request: RightsRequest) -> dict[str, object]:
    """What the pages send along: whom they showed, and in which version."""
    assert request.individual is not None
    return {"individual": request.individual.pk, "version": Individual.objects.get(pk=request.individual.pk).version}


def hidden(page: str) -> dict[str, str]:
    """The hidden fields of a form."""
    return dict(re.findall(r'<input type="hidden" name="(individual|version)" value="(\d+)"', page))


def last_action() -> str:
    return AuditRow.objects.latest("sequence").action


def test_request_goes_from_its_arrival_to_its_answer(browser: Client) -> None:
    typed = {"scheme": HART, "kind": "complaint", "received_on": today(), "asked_by": "Nobody, 2 Low Street"}
    browser.post("/rights/add/", typed)
    request = RightsRequest.objects.get()
    assert request.due_on == today() + timedelta(days=30)
    assert "To be answered: 1" in browser.get("/rights/").content.decode()
    browser.post(f"/rights/{request.pk}/acknowledge/")
    assert "without delay" in browser.get("/rights/").content.decode()
    assert browser.post(f"/rights/{request.pk}/settle/", {"outcome": ""}).status_code == 400
    browser.post(f"/rights/{request.pk}/settle/", {"outcome": "Told by letter."})

    assert "Answered, the newest 1" in browser.get("/rights/").content.decode()
    assert "Told by letter." in browser.get(f"/rights/{request.pk}/").content.decode()
    assert browser.post(f"/rights/{request.pk}/settle/", {"outcome": "again"}).status_code == 400
    rows = AuditRow.objects.filter(action__startswith="request.").order_by("sequence")
    assert [row.action for row in rows] == ["request.received", "request.acknowledged", "request.settled"]
    assert "Nobody" not in "".join(row.details + row.subject_name for row in rows)


def test_late_request_is_red(browser: Client, town: Town) -> None:
    request = request_of(town)
    assert "LATE" not in browser.get("/rights/").content.decode()
    RightsRequest.objects.update(due_on=today() - timedelta(days=1))

    assert "LATE" in browser.get("/rights/").content.decode()
    assert "LATE" in browser.get(f"/rights/{request.pk}/").content.decode()


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ({"received_on": "2999-01-01"}, "in the future"),
        ({"asked_by": ""}, "Say who asks, and how to reach them."),
        ({"asked_by": "a\u202eb"}, "cannot be shown"),
        ({"scheme": 2}, "Select a valid choice"),
        ({"kind": "wish"}, "Select a valid choice"),
    ],
)
def test_request_is_refused_with_a_sentence(browser: Client, typed: dict[str, object], says: str) -> None:
    good = {"scheme": HART, "kind": "access", "received_on": today(), "asked_by": "Nobody"}
    answer = browser.post("/rights/add/", good | typed)

    assert answer.status_code == 400
    assert says in answer.content.decode()
    assert not RightsRequest.objects.exists()


@pytest.mark.parametrize("reference", ["HART-0001", "hart-1 ", "1", "0001"])
def test_person_is_found_by_reference(browser: Client, town: Town, reference: str) -> None:
    case, request = town.case("served"), request_of(town)
    found(browser, request, way="reference", reference=reference)

    assert request.individual == case.individual


@pytest.mark.parametrize("reference", ["PUBWATCH-0001", "HART-0002", "HART", "", "-1", "9" * 30, "HART-1x"])
def test_reference_of_nobody_here_finds_nobody(browser: Client, town: Town, reference: str) -> None:
    town.case("served")
    request = request_of(town)

    assert "Nobody in the register matches" in found(browser, request, way="reference", reference=reference)
    assert request.individual is None


def test_person_is_found_by_name_and_date_of_birth(browser: Client, town: Town) -> None:
    case, request = town.case("served"), request_of(town)
    assert "Nobody in the register matches" in found(browser, request, way="name", name="Nobody Atall", born_on="")
    assert "matches" in found(browser, request, way="name", name="Nobody Atall", born_on="1990-05-02")
    assert request.individual is None
    assert last_action() == "request.not-found"
    found(browser, request, way="name", name="nobody  ATALL", born_on="1990-05-01")

    assert request.individual == case.individual


def test_two_of_one_name_and_birthday_are_told_apart_by_reference(browser: Client, town: Town) -> None:
    request = request_of(town)
    for _ in range(2):
        town.individual()

    said = found(browser, request, way="name", name="Nobody Atall", born_on="1990-05-01")
    assert "2 people match: HART-0001, HART-0002" in said
    assert request.individual is None


def test_face_without_a_name_is_found_by_a_person_who_is_named(browser: Client, town: Town) -> None:
    """G13: nobody is told that nothing is held because the register has no name."""
    nameless, request = town.individual(""), request_of(town)
    typed = {"way": "photograph", "reference": nameless.reference}
    assert "Say who compared the photographs." in found(browser, request, **typed)
    found(browser, request, **typed, compared_by="Cora and Dan, the person beside the picture")

    assert request.individual == nameless
    assert (request.found_by, request.proof) == ("photograph", "passport seen")
    row = AuditRow.objects.latest("sequence")
    assert (row.action, row.details) == ("request.found", '{"individual":"HART-0001","way":"photograph"}')


def test_request_of_another_scheme_is_not_there_and_who_asked_is_known(
    town: Town, other_co_ordinator: Account, signed_in: SignedIn
) -> None:
    request, other = request_of(town, town.case("served")), signed_in(other_co_ordinator)
    for page in ("", "find/", "export/", "export.json", "export.pdf", "correct/", "restrict/", "erase/"):
        assert other.get(f"/rights/{request.pk}/{page}").status_code == 404, page
    for page in ("acknowledge/", "settle/"):
        assert other.post(f"/rights/{request.pk}/{page}", {"outcome": "x"}).status_code == 404, page

    told = AuditRow.objects.filter(action="rights-request.not-found", actor_name=other_co_ordinator.name)
    assert [row.details for row in told] == [f'{{"number":{request.pk}}}'] * 10


def test_nothing_of_a_person_is_shown_before_they_are_found(browser: Client, town: Town) -> None:
    town.case("served")
    request = request_of(town)

    for page in ("export/", "export.json", "export.pdf", "correct/", "restrict/", "erase/"):
        assert browser.get(f"/rights/{request.pk}/{page}").status_code == 404


def test_export_is_given_on_paper_and_as_a_file_and_both_are_recorded(browser: Client, town: Town) -> None:
    request = request_of(town, town.case("served"))
    page = browser.get(f"/rights/{request.pk}/export/").content.decode()
    file = browser.get(f"/rights/{request.pk}/export.json")

    assert "What HART holds about you" in page
    assert "Took three bottles" in page
    assert msgspec.json.decode(file.content)["reference"] == "HART-0001"
    assert file["Content-Disposition"] == 'attachment; filename="HART-0001.json"'
    rows = AuditRow.objects.filter(action="individual.exported").order_by("sequence")
    assert ['"form":"page"' in row.details for row in rows] == [True, False]


def test_person_is_corrected_and_the_second_editor_reads_what_holds_now(browser: Client, town: Town) -> None:
    request = request_of(town, town.case("served"))
    typed = {**about(request), "name": "First Right", "reason": "Passport seen."}
    browser.post(f"/rights/{request.pk}/correct/", typed)
    answer = browser.post(f"/rights/{request.pk}/correct/", typed | {"name": "Second Right"})
    page = answer.content.decode()

    assert answer.status_code == 400
    assert "Held now: First Right" in page
    assert Individual.objects.get().name == "First Right"
    # They have read it: what they send now is about that.
    again = hidden(page) | {"name": "Second Right", "reason": "Passport seen."}
    assert browser.post(f"/rights/{request.pk}/correct/", again).status_code == 302
    assert Individual.objects.get().name == "Second Right"
    assert "corrected name" in browser.get(f"/rights/{request.pk}/").content.decode()


def test_person_is_hidden_from_shops_for_a_reason(browser: Client, town: Town) -> None:
    case = town.case("served")
    request = request_of(town, case)
    address, sent = f"/rights/{request.pk}/restrict/", about(request)
    assert browser.post(address, {**sent, "reason": ""}).status_code == 400
    assert browser.post(address, {**sent, "reason": "They say it was somebody else."}).status_code == 302

    assert Case.objects.get().is_restricted


def test_person_is_erased_after_asking(browser: Client, town: Town) -> None:
    case = town.case("served")
    request = request_of(town, case)
    address, sent = f"/rights/{request.pk}/erase/", about(request)
    assert "would end with it: HART case 1, Served until" in browser.get(address).content.decode()
    refused = browser.post(address, {**sent, "reason": ""})
    assert refused.status_code == 400
    assert browser.post(address, {**sent, "version": 7, "reason": "r"}).status_code == 400
    assert Individual.objects.get().name == "Nobody Atall"
    assert browser.post(address, {**sent, "reason": "It was somebody else."}).status_code == 302

    assert Individual.objects.get().name == ""
    assert Case.objects.get().state == "revoked"


def test_pages_of_cases_bear_an_erased_one(browser: Client, town: Town) -> None:
    case = town.case("served")
    request = request_of(town, case)
    browser.post(f"/rights/{request.pk}/erase/", {**about(request), "reason": "r"})

    asked = ("/cases/", f"/cases/{case.pk}/", "/votes/", f"/votes/{case.ballots.get().pk}/")
    assert [browser.get(address).status_code for address in asked] == [200, 200, 200, 404]


@pytest.mark.parametrize("what", ["correct", "restrict", "erase"])
def test_page_about_somebody_else_than_the_request_is_now_changes_nobody(
    browser: Client, town: Town, what: str
) -> None:
    """Another co-ordinator found out meanwhile that the request is about another person."""
    first, second = town.case("served"), town.case("served")
    request = request_of(town, first)
    sent = hidden(browser.get(f"/rights/{request.pk}/{what}/").content.decode())
    assert set(sent) == {"individual", "version"}
    request.individual = second.individual
    request.save()
    answer = browser.post(f"/rights/{request.pk}/{what}/", {**sent, "name": "X", "reason": "r"}, follow=True)

    assert "found to be about somebody else. Nothing was done." in answer.content.decode()
    assert [one.name for one in Individual.objects.all()] == ["Nobody Atall"] * 2
    assert not Case.objects.filter(is_restricted=True).exists()


def test_page_about_a_row_that_was_put_together_with_another_changes_nobody(browser: Client, town: Town) -> None:
    """Their versions could be the same."""
    case, known = town.case("nominated"), town.individual("Jo Reed")
    Individual.objects.filter(pk=case.individual_id).update(version=2)
    request = request_of(town, case)
    sent = about(request)
    put_together(known, Individual.objects.get(pk=case.individual_id))
    browser.post(f"/rights/{request.pk}/erase/", {**sent, "individual": known.pk, "reason": "r"})

    assert Individual.objects.get(pk=known.pk).name == "Jo Reed"
