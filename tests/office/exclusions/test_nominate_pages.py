"""How a person is nominated, and how a nomination is checked."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from office.accounts.models import RoleGrant, Scheme
from office.app import UPLOAD_PATHS
from office.audit.models import AuditRow
from office.exclusions.models import Case
from office.exclusions.rules.period import day_of
from office.members.models import Membership, Spokesperson
from office.people.models import Individual, Photograph, RightsRequest
from tests.office.conftest import HART, PUB_WATCH, SignedIn
from tests.office.exclusions.conftest import Town
from tests.office.people.pictures import drawn, saved

TYPED = {
    "name": "Jo Reed",
    "category": "theft",
    "conduct": "Took three bottles and left.",
    "happened_on": "2026-01-05",
    "happened_at": "High Street",
    "evidence": "Film of camera 4.",
}


def nominate(browser: Client, **typed: str) -> str:
    answer = browser.post("/cases/nominate/", {**TYPED, **typed}, follow=True)
    return answer.content.decode()


@pytest.fixture
def contact(town: Town, signed_in: SignedIn) -> Client:
    return signed_in(town.contacts[0])


@pytest.fixture
def cora(town: Town, signed_in: SignedIn) -> Client:
    return signed_in(town.cora)


def behalf(town: Town) -> str:
    return f"{HART}-{town.members[0].pk}"


def test_members_contact_nominates_for_their_member(town: Town, contact: Client) -> None:
    assert "HART case 1 is nominated." in nominate(contact, behalf=behalf(town))
    case = Case.objects.get()

    assert (case.nominating_member, case.nominated_by) == (town.members[0], town.contacts[0])
    assert (case.individual.name, case.conduct) == ("Jo Reed", "Took three bottles and left.")
    row = AuditRow.objects.get(action="case.nominate")
    assert "Reed" not in row.details + row.subject_name


def test_form_has_no_field_for_what_nobody_may_ask_and_says_what_texts_must_not_hold(contact: Client) -> None:
    page = contact.get("/cases/nominate/").content.decode()

    for word in ("ethnic", "religion", "orientation"):
        assert f'name="{word}' not in page.lower()
        assert word in page.lower()
    assert 'name="address"' not in page
    assert 'name="reference"' not in page


def test_nobody_nominates_for_a_member_that_is_not_theirs(
    town: Town, contact: Client, schemes: dict[int, Scheme]
) -> None:
    Membership.objects.create(member=town.members[0], scheme=schemes[PUB_WATCH], joined_on="2025-01-01")
    for wrong in (f"{HART}-{town.members[1].pk}", f"{HART}-0", f"{PUB_WATCH}-{town.members[0].pk}"):
        assert contact.post("/cases/nominate/", {**TYPED, "behalf": wrong}).status_code == 400
    Spokesperson.objects.all().delete()

    assert "You do not speak for a member yet" in contact.get("/cases/nominate/").content.decode()
    assert not Case.objects.exists()


def test_every_error_stands_on_top_and_beside_and_nothing_is_lost(town: Town, contact: Client) -> None:
    tomorrow = day_of(timezone.now()) + timedelta(days=1)
    answer = contact.post(
        "/cases/nominate/",
        {
            "behalf": behalf(town),
            "conduct": "typed at length",
            "happened_on": tomorrow.isoformat(),
            "born_on": "0199-01-01",
        },
    )
    page = answer.content.decode()

    assert answer.status_code == 400
    for sentence in (
        "Say who it is: give a name, a description or a photograph.",
        "Choose what it was.",
        "The day is in the future.",
        "Say where it happened.",
        "Say what evidence there is, and who holds it.",
        "Enter a year from 1900 on.",
    ):
        assert page.count(sentence) == 2, sentence
    assert "typed at length" in page
    assert not Individual.objects.exists()


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("\u202eevil", "cannot be shown"),
        ("zero\u200bwidth", "cannot be shown"),
        ("n" * 300, "Too long: 300 characters; use 120 at most."),
        ("n" * 200_000, "Too long: use 120 characters at most."),
        ("nul\0l", "Null characters are not allowed."),
        ("   ", "Say who it is"),
    ],
)
def test_name_that_no_screen_could_show_is_refused(town: Town, contact: Client, name: str, error: str) -> None:
    assert error in nominate(contact, behalf=behalf(town), name=name)
    assert not Case.objects.exists()


@pytest.mark.parametrize("name", ["X", "محمد علي", "José  Núñez", "O’Brien-Ng", "李"])
def test_name_as_people_have_them_is_kept(town: Town, contact: Client, name: str) -> None:
    page = nominate(contact, behalf=behalf(town), name=name)

    assert Individual.objects.get().name == " ".join(name.split())
    assert f"<bdi>{Individual.objects.get().name}</bdi>" in page


def test_person_without_a_name_is_nominated_by_a_description(town: Town, contact: Client) -> None:
    nominate(contact, behalf=behalf(town), name="", description="Tall, red coat", is_believed_minor="on")

    one = Individual.objects.get()
    assert (one.name, one.description, one.is_believed_minor) == ("", "Tall, red coat", True)


def test_name_in_what_members_read_is_pointed_out_and_may_stay(town: Town, contact: Client) -> None:
    """The vote is blind."""
    page = nominate(contact, behalf=behalf(town), conduct="Reed took a broom of reed.")
    assert "This seems to name the person (“Reed”)" in page
    assert "leave the text as it is" in page
    assert not Case.objects.exists()
    nominate(contact, behalf=behalf(town), conduct="Took a broom of reed.", keeps_name="on")

    assert Case.objects.get().conduct == "Took a broom of reed."


def test_co_ordinator_is_asked_whether_it_is_somebody_of_the_register(town: Town, cora: Client) -> None:
    known = town.individual("Joe Reed")
    page = nominate(cora, behalf=f"{HART}-0")
    assert "HART-0001, Joe Reed, born 1 May 1990: a similar name." in page
    assert not Case.objects.exists()
    nominate(cora, behalf=f"{HART}-0", same_as=str(known.pk))
    nominate(cora, behalf=f"{HART}-0", same_as="somebody-else", address="1 High St")

    assert [one.individual.pk == known.pk for one in Case.objects.order_by("pk")] == [True, False]
    assert Individual.objects.get(number=2).address == "1 High St"
    assert nominate(cora, behalf=f"{HART}-0", same_as="9999").count("Is it one of these?") >= 2


def test_nobody_of_another_scheme_or_erased_is_suggested(town: Town, cora: Client, schemes: dict[int, Scheme]) -> None:
    Individual.objects.create(scheme=schemes[PUB_WATCH], number=7, name="Jo Reed")
    Individual.objects.create(scheme=schemes[HART], number=8, name="Jo Reed", erased_at=timezone.now())
    page = nominate(cora, behalf=f"{HART}-0")

    assert "is nominated." in page
    assert (
        "Jo Reed" not in cora.get(f"/cases/{Case.objects.get().pk}/check/").content.decode().split('<h2 id="about">')[0]
    )


def test_co_ordinator_nominates_by_reference(town: Town, cora: Client, schemes: dict[int, Scheme]) -> None:
    known = town.individual()
    Individual.objects.create(scheme=schemes[PUB_WATCH], number=7, name="Of the other scheme")
    nominate(cora, behalf=f"{HART}-0", reference="hart-0001", name="")
    assert Case.objects.get().individual == known
    for wrong in ("HART-7", "PUBWATCH-0007", "HART-", "HART-999999999999999999", "7"):
        assert "Nobody in HART has this reference." in nominate(cora, behalf=f"{HART}-0", reference=wrong, name="")
    assert "Give either the reference or a name" in nominate(cora, behalf=f"{HART}-0", reference="HART-1")
    assert Case.objects.count() == 1


def test_co_ordinator_of_one_scheme_finds_nobody_of_another_where_they_are_a_contact(
    town: Town, cora: Client, schemes: dict[int, Scheme]
) -> None:
    there = Individual.objects.create(scheme=schemes[PUB_WATCH], number=7, name="Somebody There")
    Membership.objects.create(member=town.members[0], scheme=schemes[PUB_WATCH], joined_on=day_of(timezone.now()))
    Spokesperson.objects.create(member=town.members[0], scheme=schemes[PUB_WATCH], account=town.cora)
    RoleGrant.objects.create(account=town.cora, role="members-contact", scheme=schemes[PUB_WATCH])
    page = nominate(cora, behalf=f"{PUB_WATCH}-{town.members[0].pk}", name="", reference=there.reference)

    assert "Only a co-ordinator of" in page
    assert "Somebody There" not in page
    assert not there.cases.exists()


def test_members_contact_is_told_nothing_of_the_register(town: Town, contact: Client) -> None:
    town.individual("Jo Reed")
    page = nominate(contact, behalf=behalf(town), reference="HART-0001")

    assert "is nominated." in page
    assert "HART-0001" not in page
    assert Case.objects.get().individual.number == 2


def with_photograph(data: bytes, **typed: str) -> dict[str, object]:
    return {**TYPED, "photograph": SimpleUploadedFile("face.jpg", data), "photograph_source": "camera 4", **typed}


@pytest.mark.integration
def test_photograph_comes_with_the_nomination(town: Town, contact: Client) -> None:
    """As the caged child reads it."""
    sent = with_photograph(saved(drawn(600, 800)), behalf=behalf(town), name="")
    page = contact.post("/cases/nominate/", sent, follow=True).content.decode()

    assert "is nominated." in page
    photograph = Photograph.objects.get()
    assert photograph.individual == Case.objects.get().individual
    assert (photograph.source, photograph.is_shown, photograph.added_by) == ("camera 4", False, town.contacts[0])


@pytest.mark.integration
def test_what_is_no_photograph_is_refused_and_nobody_nominated(town: Town, contact: Client) -> None:
    answer = contact.post("/cases/nominate/", with_photograph(b"GIF89a", behalf=behalf(town)))

    assert answer.status_code == 400
    assert answer.content.decode().count("This is not a photograph that we can read.") == 2
    assert not Case.objects.exists()
    assert not Individual.objects.exists()


def test_photograph_that_a_browser_forgets_is_asked_for_again(town: Town, contact: Client) -> None:
    answer = contact.post(
        "/cases/nominate/", with_photograph(b"x", behalf=behalf(town), photograph_source="", evidence="")
    )
    page = answer.content.decode()

    assert "Say where the photograph comes from." in page
    assert "Choose the photograph again: browsers do not keep it." in page


def test_file_as_large_as_a_photograph_may_be_reaches_the_form() -> None:
    assert "/cases/nominate/" in UPLOAD_PATHS


CHECK = {
    "conduct": "Took three bottles and left.",
    "happened_on": "2026-01-05",
    "happened_at": "High Street",
    "evidence": "Film of camera 4.",
    "category": "theft",
    "months": "6",
    "source": "local",
    "scope": "all",
    "necessity": "Goes from shop to shop.",
    "note": "Film seen.",
}


def check(browser: Client, case: Case, **typed: Any) -> tuple[int, str]:  # noqa: ANN401 - as forms send it
    answer = browser.post(f"/cases/{case.pk}/check/", {"version": case.version, **CHECK, **typed})
    return answer.status_code, answer.content.decode()


@pytest.mark.parametrize(("category", "months"), [("theft", 6), ("violence", 12), ("drugs", 12)])
def test_check_has_the_tariff_filled_in(town: Town, cora: Client, category: str, months: int) -> None:
    case = town.case("nominated")
    Case.objects.update(category=category)

    assert f'name="months" value="{months}"' in cora.get(f"/cases/{case.pk}/check/").content.decode()
    assert check(cora, case, category=category, months="")[0] == 302
    case.refresh_from_db()
    assert (case.state, case.months, case.checked_by) == ("checked", months, town.cora)


def test_check_wants_a_reason_for_another_length(town: Town, cora: Client) -> None:
    case = town.case("nominated")
    status, page = check(cora, case, category="violence", months="9")
    assert status == 400
    assert "The tariff for this is 12 months." in page
    assert check(cora, case, category="violence", months="9", months_reason="He is ill")[0] == 302


@pytest.mark.parametrize(
    ("field", "text", "found"),
    [
        ("months_reason", "Atall did it twice.", "Atall"),
        ("happened_at", "Outside Nobody’s flat", "Nobody"),
        ("evidence", "As of hart-0001, film 3.", "HART-0001"),
    ],
)
def test_check_points_out_who_it_is_wherever_members_read(
    town: Town, cora: Client, field: str, text: str, found: str
) -> None:
    """The vote is blind; readers of the register find a person by the reference."""
    case = town.case("nominated")
    sent = {"months": "5", "months_reason": "It was little.", field: text}
    page = check(cora, case, **sent)[1]
    assert f"This seems to name the person (“{found}”)" in page
    assert Case.objects.get().state == "nominated"

    assert check(cora, case, **sent, keeps_name="on")[0] == 302


def test_check_sets_right_when_and_where_it_happened(town: Town, cora: Client) -> None:
    """The person is handed it, and it is what they are told they did."""
    case = town.case("nominated")
    tomorrow = (day_of(timezone.now()) + timedelta(days=1)).isoformat()
    assert "The day is in the future." in check(cora, case, happened_on=tomorrow)[1]
    assert check(cora, case, happened_on="2026-01-04", happened_at="Low Street")[0] == 302
    case.refresh_from_db()

    assert (str(case.happened_on), case.happened_at) == ("2026-01-04", "Low Street")


def test_check_wants_source_and_expiry_of_what_is_regional(town: Town, cora: Client) -> None:
    case = town.case("nominated")
    status, page = check(cora, case, source="regional")
    assert status == 400
    assert "Say from whom it comes." in page
    assert "Enter the day on which they take it back" in page
    assert (
        "That day is over"
        in check(cora, case, source="regional", regional_source="NBCC", source_expires_on="2020-01-01")[1]
    )
    assert check(cora, case, source="regional", regional_source="NBCC", source_expires_on="2031-01-01")[0] == 302
    case.refresh_from_db()
    assert (case.source, case.regional_source, str(case.source_expires_on)) == ("regional", "NBCC", "2031-01-01")


def test_check_wants_premises_of_the_scheme_and_why(town: Town, cora: Client) -> None:
    case = town.case("nominated")
    assert "Choose at least one premises." in check(cora, case, scope="listed")[1]
    assert "Select a valid choice" in check(cora, case, scope="listed", listed=["9999"])[1]
    assert "Say why all these premises are needed" in check(cora, case, necessity=" ")[1]
    wanted = [one.pk for one in town.premises[:2]]
    assert check(cora, case, scope="listed", listed=[str(one) for one in wanted])[0] == 302

    assert sorted(one.pk for one in case.listed.all()) == wanted


def test_check_suggests_who_it_may_be_and_puts_them_together(town: Town, contact: Client, cora: Client) -> None:
    known = town.case("served").individual
    Individual.objects.filter(pk=known.pk).update(name="Joe Reed")
    nominate(contact, behalf=behalf(town), description="Red coat")
    case = Case.objects.latest("pk")
    was = case.individual
    photograph = Photograph.objects.create(
        individual=was, file="0" * 32, wrapped_key=b"", original_sha256="0", source="shop", width=1, height=1,
        added_by=town.cora,
    )  # fmt: skip
    page = cora.get(f"/cases/{case.pk}/check/").content.decode()
    assert "Joe Reed, born 1 May 1990: a similar name. Excluded before." in page
    assert "Say whether it is one of these, or somebody else." in check(cora, case)[1]
    assert "was excluded before. Tick this, too." in check(cora, case, same_as=str(known.pk))[1]
    assert check(cora, case, same_as=str(known.pk), is_repeat="on", months="12")[0] == 302

    case.refresh_from_db()
    photograph.refresh_from_db()
    was.refresh_from_db()
    assert case.individual == known == photograph.individual
    assert case.individual.also_known_as == "Jo Reed"
    assert (was.name, was.description, was.search_text) == ("", "", "")
    assert was.erased_at is not None
    matched = AuditRow.objects.get(action="case.person-matched")
    assert "Reed" not in matched.details + matched.subject_name


def test_putting_two_together_loses_nothing_of_the_new_one(town: Town, contact: Client, cora: Client) -> None:
    known = town.individual("Jo Reed")
    nominate(contact, behalf=behalf(town), also_known_as="Jackdaw")
    case = Case.objects.get()
    Individual.objects.filter(pk=case.individual_id).update(address="2 Low Street")
    asked = RightsRequest.objects.create(
        scheme=town.hart, kind="access", asked_by="Jo", received_on=day_of(timezone.now()),
        due_on=day_of(timezone.now()), individual=case.individual, recorded_by=town.cora,
    )  # fmt: skip
    assert check(cora, case, same_as=str(known.pk))[0] == 302

    known.refresh_from_db()
    asked.refresh_from_db()
    assert (known.also_known_as, known.address, asked.individual) == ("Jackdaw", "2 Low Street", known)


def test_check_keeps_somebody_else_as_a_new_person(town: Town, contact: Client, cora: Client) -> None:
    town.individual("Jo Reed")
    nominate(contact, behalf=behalf(town))
    case = Case.objects.get()
    assert check(cora, case, same_as="somebody-else")[0] == 302

    case.refresh_from_db()
    assert case.individual.number == 2


def test_check_points_out_a_name_in_what_members_read(town: Town, cora: Client) -> None:
    case = town.case("nominated")
    assert "This seems to name the person (“Nobody”)" in check(cora, case, conduct="Nobody took it.")[1]
    assert check(cora, case, conduct="A person took it.", evidence="Film.")[0] == 302

    case.refresh_from_db()
    assert (case.conduct, case.evidence) == ("A person took it.", "Film.")


def test_check_of_what_was_withdrawn_meanwhile_changes_nothing(town: Town, cora: Client, contact: Client) -> None:
    case = town.case("nominated")
    contact.post(f"/cases/{case.pk}/withdraw/", {"version": 1, "reason": "wrong film"})
    status, page = check(cora, case, note="typed at length")

    assert status == 409
    assert "Withdrawn, by Contact1" in page
    assert "wrong film" in page
    assert "typed at length" in page
    assert ">Record the check</button>" not in page
    case.refresh_from_db()
    assert (case.state, case.check_note) == ("withdrawn", "")


def test_number_of_a_person_is_never_given_again(town: Town, cora: Client) -> None:
    """Though nothing is left of the one who had it."""
    town.individual("A")
    Individual.objects.update(erased_at=timezone.now())
    nominate(cora, behalf=f"{HART}-0")

    assert Case.objects.get().individual.number == 2
