"""Each unit is told what became of its own reports, by a file in which nobody is named."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from office.accounts.access import rights_of
from office.breaches.acts import add_action
from office.breaches.models import Breach, StatementCopy
from office.breaches.rules import ACTIONS, COPY_KEPT, told
from office.breaches.telling import outcomes_now, signature
from office.exclusions.models import Case
from office.gallery.outcomes_file import decode_outcomes, encode_outcomes
from tests.office.breaches.conftest import NODE, breach_of
from tests.office.exclusions.conftest import Town
from wire.gallery_reports import OUTCOMES_MAX
from wire.ids import NodeId

OTHER = NodeId(0x11)


def test_outcome_goes_to_the_unit_that_reported_alone(town: Town) -> None:
    case = town.case("served")
    own, others = breach_of(case), breach_of(case, node=OTHER)
    add_action(town.cora, rights_of(town.cora), own, "police-informed", version=1, crime_reference="26*1", closes=True)
    file = decode_outcomes(encode_outcomes(outcomes_now(7, timezone.now())))
    (told,) = file.of(NODE).reports

    assert (own.report, "closed", "The police were informed.") == (told.report, told.state, told.words)
    assert [others.report] == [one.report for one in file.of(OTHER).reports]
    assert 7 == file.taken
    assert () == file.of(NodeId(0x12)).reports


def test_file_names_nobody(town: Town) -> None:
    case = town.case("served")
    breach = breach_of(case)
    add_action(town.cora, rights_of(town.cora), breach, "police-informed", version=1, crime_reference="26*1")
    data = encode_outcomes(outcomes_now(0, timezone.now()))
    words = (case.individual.name, case.individual.reference, town.cora.name, "26*1", "Corner Shop", "High Street")

    assert all(words)
    assert [] == [word for word in words if word.encode() in data]


def test_outcome_is_told_no_more_a_month_after_it_was_closed(town: Town) -> None:
    case, now = town.case("served"), timezone.now()
    breach_of(case, state="closed", closed_at=now - timedelta(days=31))
    left = breach_of(case, state="closed", closed_at=now - timedelta(days=29))

    assert [left.report] == [one.report for one in outcomes_now(0, now).of(NODE).reports]


def test_shop_is_told_that_its_contact_can_read_a_copy_while_it_lies_there(town: Town) -> None:
    breach, now = breach_of(town.case("served"), premises=town.premises[0]), timezone.now()
    before = signature()
    StatementCopy.objects.create(breach=breach, member=town.members[0], paper=b"{}", made_at=now, made_by="Cora")
    words = [
        outcomes_now(0, at).of(NODE).reports[0].words for at in (now, now + COPY_KEPT - timedelta(1), now + COPY_KEPT)
    ]

    assert before != signature()
    assert [True, True, False] == ["Your contact can read a copy of the statement" in one for one in words]


def test_shop_is_not_told_of_a_copy_that_its_contact_cannot_read(town: Town) -> None:
    breach, now = breach_of(town.case("served"), premises=town.premises[0]), timezone.now()
    StatementCopy.objects.create(breach=breach, member=town.members[0], paper=b"{}", made_at=now, made_by="Cora")

    def is_told() -> bool:
        return "copy of the statement" in outcomes_now(0, now).of(NODE).reports[0].words

    before = signature()
    assert is_told()
    Case.objects.update(is_restricted=True)
    assert before != signature()
    assert not is_told()
    Case.objects.update(is_restricted=False)
    assert is_told()
    town.members[0].spokespeople.all().delete()
    assert before != signature()
    assert not is_told()


def test_longest_outcome_with_a_copy_fits(town: Town) -> None:
    at = timezone.now()
    words = told("closed", ACTIONS, at, has_copy=True).words

    assert words.endswith("No further action. Your contact can read a copy of the statement at the office.")


def test_no_unit_is_told_of_an_incident_that_none_reported(town: Town) -> None:
    breach_of(town.case("served"), kind="incident", case=None, reference="", left="")

    assert () == outcomes_now(0, timezone.now()).of(NODE).reports


def test_newest_are_told_of_very_many(town: Town) -> None:
    case, now = town.case("served"), timezone.now()
    for number in range(OUTCOMES_MAX + 1):
        breach_of(case, received_at=now - timedelta(minutes=number))
    told = [one.report for one in outcomes_now(0, now).of(NODE).reports]

    assert OUTCOMES_MAX == len(told)
    assert Breach.objects.latest("pk").report not in told
