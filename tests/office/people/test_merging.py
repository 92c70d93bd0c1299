"""Two rows that are one person: nothing that is held gets lost, and all of it is in what the person is given."""

from __future__ import annotations

from datetime import date

import pytest
from django.utils import timezone

from office.audit.models import AuditRow
from office.exclusions.acts import nominate
from office.exclusions.models import Case
from office.exclusions.nominating import likely, record_check
from office.people import rights
from office.people.merging import put_together
from office.people.models import Individual
from office.people.rights import RefusedError, Search
from office.people.rights_export import as_json, held
from tests.office.conftest import HART, SignedIn
from tests.office.exclusions.conftest import NOMINATION, PROPOSAL, Town
from tests.office.people.conftest import photograph, request_of


def matched(town: Town, case: Case, known: Individual) -> Case:
    """The co-ordinator finds at the check that the case is about ``known``."""
    record_check(
        town.turn(case), PROPOSAL, NOMINATION, same_as=Individual.objects.get(pk=known.pk)
    )  # fmt: skip
    return Case.objects.get(pk=case.pk)


def export(individual: Individual) -> str:
    return as_json(held(Individual.objects.get(pk=individual.pk), timezone.now())).decode()


def by_reference(reference: str) -> Search:
    return Search("reference", reference, "", None, "", "Passport seen.")


def test_export_tells_what_was_done_under_an_earlier_reference(town: Town) -> None:
    case = town.nominated()
    photograph(town, case.individual)
    asked = request_of(town, case)
    rights.find(town.cora, asked, by_reference("1"))
    known = town.individual("Jo Reed")
    assert AuditRow.objects.filter(details__contains='"HART-0001"').count() == 2
    matched(town, case, known)
    told = export(known)

    for done in ("case.nominate, ", "request.found, ", "case.person-matched, ", "case.check, "):
        assert done in told
    assert "HART-0002" in told
    assert "HART-0001" in told


def test_export_tells_what_the_record_says_of_cases_and_requests_without_a_reference(town: Town) -> None:
    case = town.case("served")
    rights.acknowledge(town.cora, request_of(town, case))
    town.case("served")
    told = export(case.individual)

    assert told.count("vote.closed, Co-ordinator") == 1
    assert told.count("request.acknowledged, Co-ordinator") == 1


def test_every_name_is_kept_and_searched(town: Town) -> None:
    known = town.individual("Jo Reed")
    Individual.objects.filter(pk=known.pk).update(also_known_as="Jackdaw")
    case = town.nominated()
    Individual.objects.filter(pk=case.individual_id).update(also_known_as="Jacko; jackdaw")
    matched(town, case, known)
    known.refresh_from_db()

    assert known.also_known_as == "Jackdaw; Nobody Atall; Jacko"
    assert known.search_text == "jo reed jackdaw; nobody atall; jacko"
    assert [one.individual for one in likely(town.hart, ("", "Jacko"), None)] == [known]
    found = rights.find(
        town.cora, request_of(town), Search("name", "", "Jacko", date(1990, 5, 1), "", "Passport seen.")
    )
    assert found == known


def test_what_has_no_room_with_the_person_stays_in_the_history_and_goes_with_it(town: Town) -> None:
    known = town.individual("Jo Reed")
    long = {"also_known_as": "A" * 120, "description": "d" * 490, "address": "1 Low Street", "born_on": "1991-02-01"}
    Individual.objects.filter(pk=known.pk).update(**long)
    case = town.nominated()
    Individual.objects.filter(pk=case.individual_id).update(description="Red coat, limps", address="2 Low Street")
    case = matched(town, case, known)
    known.refresh_from_db()
    left_over = case.steps.get(move="check").reason

    assert (known.born_on, known.address) == (date(1991, 2, 1), "1 Low Street\n2 Low Street")
    assert left_over.splitlines()[1:] == [
        "Also known as Nobody Atall",
        "Born on 1 May 1990",
        "Description: Red coat, limps",
    ]
    told = export(known)
    assert "Red coat, limps" in told
    assert "Nobody Atall" in told


def test_name_of_a_face_that_had_none_becomes_its_name(town: Town) -> None:
    known = town.individual("")
    matched(town, town.nominated(), known)
    known.refresh_from_db()

    assert (known.name, known.also_known_as) == ("Nobody Atall", "")


def test_person_with_another_case_keeps_what_is_held_of_them(town: Town) -> None:
    """The nomination named the wrong one of the register: nothing of theirs is the other’s."""
    named = town.case("served").individual
    Individual.objects.filter(pk=named.pk).update(address="2 Low Street")
    known = town.individual("Jo Reed")
    case = nominate(town.cora, town.turn(town.case("nominated")).rights, named, None, NOMINATION)
    assert matched(town, case, known).individual == known
    known.refresh_from_db()
    named.refresh_from_db()

    assert (known.also_known_as, known.address) == ("", "")
    assert (named.name, named.address, named.same_as, named.erased_at) == ("Nobody Atall", "2 Low Street", None, None)


def test_earlier_reference_finds_the_person_until_they_are_erased(town: Town) -> None:
    first, second, third = town.individual("A"), town.individual("B"), town.individual("C")
    put_together(second, first)
    put_together(third, Individual.objects.get(pk=second.pk))
    assert rights.find(town.cora, request_of(town), by_reference("hart-1")) == third
    assert Individual.objects.get(pk=third.pk).references == ["HART-0003", "HART-0001", "HART-0002"]
    rights.erase_all(town.cora, Individual.objects.get(pk=third.pk))

    with pytest.raises(RefusedError, match="Nobody in the register"):
        rights.find(town.cora, request_of(town), by_reference("hart-1"))


def test_co_ordinator_nominates_by_an_earlier_reference(town: Town, signed_in: SignedIn) -> None:
    first, second = town.individual("A"), town.individual("B")
    put_together(second, first)
    typed = {
        "behalf": f"{HART}-0",
        "reference": "HART-0001",
        "category": "theft",
        "conduct": "Took it.",
        "happened_on": "2026-01-05",
        "happened_at": "High Street",
        "evidence": "Film.",
    }

    assert signed_in(town.cora).post("/cases/nominate/", typed).status_code == 302
    assert Case.objects.get().individual == second


def test_each_of_several_other_names_is_left_out_of_somebody_elses_export(town: Town) -> None:
    case = town.case("checked")
    other = town.individual("Jo Bloggs")
    Individual.objects.filter(pk=other.pk).update(also_known_as="Jackdaw; Magpie")
    Case.objects.filter(pk=case.pk).update(conduct="With Magpie and Jackdaw.")

    assert "With another person and another person." in export(case.individual)
