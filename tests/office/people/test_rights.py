from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from office.accounts.access import rights_of
from office.accounts.models import RoleGrant
from office.audit.models import AuditRow
from office.exclusions import acts, reading
from office.exclusions.acts import ChangedMeanwhileError
from office.exclusions.models import BallotVote, Case
from office.exclusions.stale import stale_cases
from office.members.models import Contact
from office.people import rights
from office.people.forgetting import forget_deleted_rows
from office.people.models import Individual, Photograph
from office.people.photographs import add_photograph, remove_photograph
from office.people.rights import Correction, RefusedError, Search
from office.people.rights_export import as_json, held
from tests.office.conftest import HART
from tests.office.exclusions.conftest import Town
from tests.office.people.conftest import photograph, request_of, taken

RIGHT = Correction(
    name="Somebody Right", also_known_as="", born_on=None, is_believed_minor=False, description="", address=""
)


def erase(town: Town, case: Case, reason: str = "") -> None:
    request, actor = request_of(town, case, kind="erasure"), town.cora
    rights.erase(actor, rights_of(actor), request, Individual.objects.get(pk=case.individual_id).version, reason)


def everything_about(individual: Individual) -> str:
    """Every text and day of every row that is about a person; numbers and moments, which may hold any digits, apart."""
    rows: list[Mapping[str, object]] = list(Individual.objects.filter(pk=individual.pk).values())
    for case in individual.cases.all():
        for found in (
            Case.objects.filter(pk=case.pk).values(),
            case.steps.values("reason"),
            case.listed.values(),
            case.notices.values(),
            BallotVote.objects.filter(ballot__case=case).values(),
        ):
            rows += found
    rows += Photograph.objects.filter(individual=individual).values()
    return str([str(value) for row in rows for value in row.values() if not isinstance(value, int | datetime | bytes)])


def test_erasure_leaves_number_state_and_dates(town: Town) -> None:
    case = town.case("served")
    photograph(town, case.individual)
    acts.appeal(town.turn(case), "His brother did it.")
    before = everything_about(case.individual)
    assert "brother" in before
    assert "1990" in before
    erase(town, case, "It was not them.")
    left = Case.objects.get(pk=case.pk)

    told = everything_about(case.individual)
    for word in (
        "Nobody",
        "brother",
        "1990",
        "bottles",
        "camera",
        "Film",
        "till",
        "shop to shop",
        "High Street",
        "PC 1234",
        "key",
    ):
        assert word not in told
    assert (left.number, left.state, left.first_on, left.last_on) == (1, "revoked", case.first_on, case.last_on)
    assert left.category == ""
    assert left.nominating_member is None
    assert left.ballots.get().exclude == 3
    person = Individual.objects.get()
    assert (person.number, str(person)) == (1, "HART-0001")
    assert not person.photographs.exists()
    assert person.erased_at is not None
    row = AuditRow.objects.get(action="individual.erased")
    assert (row.subject_name, row.details) == ("HART-0001", '{"cases":[1],"ended":1,"photographs":1}')


def test_erasure_without_a_photograph_empties_the_journal_too(
    town: Town, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    """SQLite’s journal holds the name until then."""
    with django_capture_on_commit_callbacks() as after:
        erase(town, town.case("nominated"), "It was not them.")

    assert forget_deleted_rows in after


def test_correction_empties_the_journal_too(
    town: Town, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    """What was wrong of a person is not kept there."""
    request = request_of(town, town.case("nominated"))
    with django_capture_on_commit_callbacks() as after:
        rights.correct(town.cora, request, 1, RIGHT, "Passport seen.")

    assert forget_deleted_rows in after


def test_erasure_leaves_no_file_of_a_photograph(
    town: Town, settings: Settings, tmp_path: Path, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    settings.PHOTOGRAPHS_FOLDER = tmp_path / "photographs"
    case = town.case("served")
    add_photograph(town.cora, case.individual, taken(), source="camera 4", taken_on=None)
    assert list(settings.PHOTOGRAPHS_FOLDER.iterdir())
    with django_capture_on_commit_callbacks(execute=True):
        erase(town, case, "It was not them.")

    assert list(settings.PHOTOGRAPHS_FOLDER.iterdir()) == []
    assert not Photograph.objects.exists()


@pytest.mark.parametrize("state", ["nominated", "checked", "voting", "decided", "issued", "served"])
def test_erasure_of_what_stands_is_refused_without_a_reason_and_ends_it_with_one(town: Town, state: str) -> None:
    case = town.case(state)  # type: ignore[arg-type]  # as parametrised
    with pytest.raises(RefusedError, match="still stands"):
        erase(town, case)
    assert Individual.objects.get().name
    erase(town, case, "It was not them.")

    assert Case.objects.get(pk=case.pk).state in {"withdrawn", "revoked"}
    assert Individual.objects.get().name == ""


def test_erased_person_is_not_erased_again_nor_corrected(town: Town) -> None:
    case = town.case("checked")
    erase(town, case, "a reason")

    with pytest.raises(RefusedError):
        erase(town, case, "a reason")
    with pytest.raises(RefusedError):
        rights.correct(town.cora, request_of(town, Case.objects.get()), 2, RIGHT, "a reason")


def test_corrected_name_puts_notices_out_of_date(town: Town) -> None:
    case = town.case("served")
    request = request_of(town, case)
    described = Correction(
        name=case.individual.name, also_known_as="", born_on=None, is_believed_minor=False, description="", address=""
    )
    rights.correct(town.cora, request, 1, described, "Passport seen.")
    assert stale_cases({HART}) == []
    rights.correct(town.cora, request_of(town, Case.objects.get()), 2, RIGHT, "Passport seen.")

    assert stale_cases({HART}) == [case.pk]


def test_correction_is_recorded_without_its_words_and_the_second_editor_is_told(town: Town) -> None:
    case = town.case("served")
    request = request_of(town, case)
    rights.correct(town.cora, request, 1, RIGHT, "Passport seen.")
    with pytest.raises(ChangedMeanwhileError):
        rights.correct(town.deputy, request_of(town, Case.objects.get()), 1, RIGHT, "Passport seen.")

    person = Individual.objects.get()
    assert (person.name, person.version, person.search_text) == ("Somebody Right", 2, "somebody right")
    row = AuditRow.objects.get(action="individual.corrected")
    assert row.details == '{"fields":["name","born_on"],"individual":"HART-0001"}'
    request.refresh_from_db()
    assert request.notes.endswith(", Cora: corrected name, born on: Passport seen.")


def test_restriction_hides_every_case_that_stands(town: Town) -> None:
    case = town.case("served")
    assert rights.restrict(town.cora, rights_of(town.cora), request_of(town, case), "contested") == 1
    assert Case.objects.get(pk=case.pk).is_restricted
    assert rights.restrict(town.cora, rights_of(town.cora), request_of(town, case), "contested") == 0


def test_restriction_hides_all_cases_of_the_person_from_readers(town: Town) -> None:
    first, second = town.case("served"), town.case("served")
    Case.objects.filter(pk=second.pk).update(individual=first.individual)
    reader = reading.open_to(rights_of(town.contacts[1]))
    assert {first, second} == set(reading.cases_shown(reader))

    assert rights.restrict(town.cora, rights_of(town.cora), request_of(town, first), "contested") == 2
    assert not reading.cases_shown(reader).exists()


def test_export_holds_everything_of_the_person_and_nobody_else(town: Town) -> None:
    case = town.case("served")
    other = town.individual("Jo Bloggs")
    case.conduct = "Took bottles with Jo Bloggs; Contact2 saw it, Shop 3 too."
    case.save()
    photograph(town, case.individual)
    told = as_json(held(case.individual, timezone.now())).decode()

    for word in ("HART-0001", "Nobody Atall", "1 May 1990", "Took bottles with another person", "Film of camera 4"):
        assert word in told
    for word in (
        "Goes from shop to shop",
        "Camera of a member",
        "3, 0, 0",
        "case.serve, Co-ordinator",
        "1 High Street",
    ):
        assert word in told
    for word in (str(other.name), "Contact", "Cora", '"Dan', "Shop 3 too", other.reference):
        assert word not in told
    assert "nominated, a member of the scheme" in told


def test_export_says_the_days_of_the_town(town: Town) -> None:
    case = town.case("nominated")
    Case.objects.filter(pk=case.pk).update(nominated_at=datetime(2026, 6, 30, 23, 30, tzinfo=UTC))
    told = as_json(held(case.individual, timezone.now())).decode()

    assert "1 Jul 2026" in told


def test_export_leaves_out_who_has_left(town: Town) -> None:
    case = town.case("served")
    Case.objects.filter(pk=case.pk).update(evidence="Contact2 has the film.")
    asked = request_of(town, case)
    asked.notes = "5 Jan 2026, Dan: corrected name"
    asked.save()
    RoleGrant.objects.filter(account__in=[town.deputy, town.contacts[1]]).delete()
    told = as_json(held(case.individual, timezone.now())).decode()

    assert "somebody of the scheme has the film." in told
    assert "Contact2" not in told
    assert "Dan" not in told


def test_export_leaves_out_whom_to_reach_at_a_members_premises(town: Town) -> None:
    case = town.case("served")
    Contact.objects.create(premises=town.premises[1], name="Maud Larkin")
    Case.objects.filter(pk=case.pk).update(evidence="Maud Larkin has the film.")
    told = as_json(held(case.individual, timezone.now())).decode()

    assert "somebody of a member has the film." in told
    assert "Larkin" not in told


def test_export_says_how_the_person_was_found_and_what_was_recorded_of_them(town: Town) -> None:
    case = town.case("served")
    shown = photograph(town, case.individual)
    remove_photograph(town.cora, shown, "wrong-person")
    search = Search("photograph", "1", "", None, "Contact2, with a picture from the letter", "Passport seen.")
    rights.find(town.cora, request_of(town), search)
    told = as_json(held(case.individual, timezone.now())).decode()

    for words in ("By a person comparing", "Passport seen.", "with a picture from the letter"):
        assert words in told
    assert "photograph.removed, Co-ordinator, reason: wrong-person" in told
    assert "Contact2" not in told
