"""What was erased or hidden is published, and done again from it (both databases)."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from django.db import transaction
from django.utils import timezone

from office.accounts.models import Scheme
from office.audit.beginning_anew import begin_anew
from office.audit.journal import head
from office.audit.models import AuditRow
from office.exclusions import acts
from office.exclusions.models import Case
from office.people.gone import (
    NUMBERS_LEFT_OUT,
    forget_again,
    leave_register_numbers_out,
    leave_rows_out,
)
from office.people.models import Individual, Photograph, RightsRequest
from office.people.photographs import erase_photographs
from office.people.rights import erase_all
from office.publisher.gone import CARRIED, LISTED_FOR, GoneRows, carry
from office.publisher.models import PublishedNumber
from office.publisher.shelf import PublishedHead, Shelf
from runtime.backup_rules import BEGAN_AT
from tests.office.exclusions.conftest import Town
from tests.office.people.conftest import photograph, request_of
from wire.signing import SigningKey
from wire.snapshots import GoneEntry, People, seal_snapshot
from wire.snapshots import Town as SnapshotTown

pytestmark = pytest.mark.django_db
KEY = SigningKey(b"k" * 32)


@pytest.fixture
def town(schemes: dict[int, Scheme]) -> Town:
    return Town(schemes)


def told(rows: GoneRows) -> set[tuple[str, int]]:
    return {(one.kind, one.row) for one in rows.read(head(), timezone.now())}


def test_what_is_erased_and_hidden_is_told_by_its_row_alone(town: Town) -> None:
    rows = GoneRows()
    case, individual = town.case("served"), town.individual()
    face = photograph(town, individual).pk
    assert set() == told(rows)

    erase_photographs(town.cora, individual)
    erase_all(town.cora, individual)
    acts.restrict(town.turn(case), "Asked to.")

    expected = {("photograph", face), ("individual", individual.pk), ("hidden", case.pk)}
    assert expected == told(rows) == told(GoneRows())
    acts.lift_restriction(town.turn(case), "Looked at.")
    assert expected - {("hidden", case.pk)} == told(rows) == told(GoneRows())


def test_what_is_longer_ago_than_any_backup_is_told_no_more(town: Town) -> None:
    erase_all(town.cora, town.individual())
    rows = GoneRows()

    assert 1 == len(rows.read(head(), timezone.now()))
    assert () == rows.read(head(), timezone.now() + LISTED_FOR)


def test_who_is_erased_is_erased_again_with_case_photograph_and_request(town: Town) -> None:
    """As after a restore, in which all of it is back."""
    served, voting = town.case("served"), town.case("voting")
    photograph(town, served.individual)
    request = request_of(town, served)
    kept = town.individual("Kept Here")
    gone = [
        GoneEntry(kind="individual", row=served.individual.pk),
        GoneEntry(kind="case", row=voting.pk),
        GoneEntry(kind="request", row=request.pk),
        GoneEntry(kind="individual", row=99_999),
        GoneEntry(kind="of a later version", row=kept.pk),
    ]

    said = forget_again(gone)

    served.refresh_from_db()
    voting.refresh_from_db()
    assert ("revoked", "withdrawn") == (served.state, voting.state)
    assert ("", "") == (served.conduct, voting.conduct)
    assert not voting.ballots.filter(ended_at=None).exists()
    assert ["Kept Here", voting.individual.name] == list(
        Individual.objects.exclude(name="").order_by("-pk").values_list("name", flat=True)
    )
    assert not Photograph.objects.exists()
    assert not RightsRequest.objects.exists()
    assert f"{served.individual.reference}: erased again, with all that was held." in said
    assert [] == forget_again(gone)


def test_whom_shops_were_not_shown_any_more_is_hidden_until_somebody_has_looked(town: Town) -> None:
    case = town.case("served")
    gone = [GoneEntry(kind="hidden", row=case.pk)]
    assert [] == forget_again(gone, known=gone)

    (said,) = forget_again(gone)

    assert Case.objects.get(pk=case.pk).is_restricted
    assert f"{case.reference} is hidden from shops" in said


def test_numbers_of_people_and_cases_that_stand_on_papers_are_given_to_nobody_else(town: Town) -> None:
    case = town.nominated()
    leave_register_numbers_out()

    later = town.nominated().number
    assert later > case.number + NUMBERS_LEFT_OUT
    assert Individual.objects.order_by("-number")[0].erased_at is not None


def test_rows_are_read_anew_when_another_database_has_taken_the_place(town: Town) -> None:
    rows = GoneRows()
    erase_all(town.cora, town.individual())
    assert 1 == len(told(rows))
    with transaction.atomic():
        first = head()
        erase_all(town.cora, town.individual())
        assert 2 == len(told(rows))
        transaction.set_rollback(True)

    assert first == head()
    assert 1 == len(told(rows))


def test_what_lists_knew_at_a_restore_is_told_on_whether_the_copy_has_it_or_not(town: Town) -> None:
    """The backup that is restored next may have what this one lacks."""
    gone = {GoneEntry(kind="individual", row=99_999), GoneEntry(kind="of a later version", row=7)}
    rows = GoneRows()
    carry(gone)
    case = town.case("served")
    carry([GoneEntry(kind="hidden", row=case.pk)])

    assert {("individual", 99_999), ("of a later version", 7), ("hidden", case.pk)} == told(rows) == told(GoneRows())
    acts.restrict(town.turn(case), "Asked to.")
    acts.lift_restriction(town.turn(case), "Looked at.")
    assert {("individual", 99_999), ("of a later version", 7)} == told(rows)
    carry(())
    assert 2 == AuditRow.objects.filter(action=CARRIED).count()


def test_row_that_is_gone_is_never_anothers(town: Town) -> None:
    """By its number the wrong person would be erased, after the next restore."""
    first = town.individual()
    leave_rows_out([GoneEntry(kind="individual", row=first.pk + 50_000), GoneEntry(kind="hidden", row=60_000)])
    second, case = town.individual("Second"), town.case("served")

    assert second.pk > first.pk + 50_000
    assert case.pk > 60_000


def test_rows_of_two_restores_from_one_backup_are_not_the_same(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each life gives numbers of its own, though both begin with the same copy and know of no erasure."""
    town.individual()
    lives = []
    for days in (1, 2):
        now = BEGAN_AT + timedelta(days=3_000 + days)
        with monkeypatch.context() as clock, transaction.atomic():
            clock.setattr(timezone, "now", lambda now=now: now)
            leave_rows_out(())
            lives.append(town.individual().pk)
            transaction.set_rollback(True)

    assert 4 * 86_400 == lives[1] - lives[0]


def test_no_number_of_two_restores_from_one_backup_is_the_same(
    town: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bare machine without lists each time: galleries in the shops would take no new head, or an old one."""
    town.nominated()
    published = PublishedHead(
        tmp_path / "state", Shelf(tmp_path, SnapshotTown(SigningKey(b"a" * 32).public), KEY.public)
    )
    lives, papers = [], []
    for days in (1, 2):
        now = BEGAN_AT + timedelta(days=5_000 + days)
        with monkeypatch.context() as clock, transaction.atomic():
            clock.setattr(timezone, "now", lambda now=now: now)
            begin_anew(published, above_row=0, number=0, leap=1 << 22)
            numbers = dict(PublishedNumber.objects.values_list("name", "number"))
            lives.append({"row": head().sequence, **numbers})
            papers.append([Individual.objects.order_by("-number")[0].number, town.nominated().number])
            transaction.set_rollback(True)

    assert {"row", "people", "premises", "gallery-1"} <= lives[0].keys()
    assert {4 * 86_400} == {lives[1][name] - lives[0][name] for name in lives[0]}
    assert [24, 24] == [later - first for first, later in zip(*papers, strict=True)]


def test_erasure_that_any_list_names_is_done_again_though_the_newest_does_not(town: Town, tmp_path: Path) -> None:
    """The newest is of a life that began with a backup from before the person came."""
    place = SnapshotTown(SigningKey(b"a" * 32).public)
    shelf = Shelf(tmp_path, place, KEY.public)
    listed, named, hidden = town.individual("Listed"), town.individual("Named"), town.case("served")
    gone = (GoneEntry(kind="individual", row=listed.pk), GoneEntry(kind="hidden", row=hidden.pk))
    for number, entries in ((1, gone), (2, ())):
        list_ = People(number=number, made_at=BEGAN_AT, audit=head(), ticket_key=b"t" * 32, people=(), gone=entries)
        shelf.put(list_, seal_snapshot(list_, place, KEY))
    told_besides = frozenset(GoneEntry(kind="individual", row=row) for row in (named.pk, 99_999))

    begin_anew(PublishedHead(tmp_path / "state", shelf), above_row=0, number=0, told=told_besides)

    erased = Individual.objects.filter(pk__in=[listed.pk, named.pk], name="").exclude(erased_at=None)
    assert {listed.pk, named.pk} == {*erased.values_list("pk", flat=True)}
    assert not Case.objects.get(pk=hidden.pk).is_restricted
    assert {("individual", row) for row in (listed.pk, named.pk, 99_999)} == told(GoneRows())


def test_galleries_rise_above_those_of_any_other_life_though_the_database_was_put_back_by_hand(
    town: Town, tmp_path: Path
) -> None:
    """On a bare machine no file says which were published; lists are where the copy left off, if nobody knows more."""
    town.individual()
    shelf = Shelf(tmp_path, SnapshotTown(SigningKey(b"a" * 32).public), KEY.public)

    begin_anew(PublishedHead(tmp_path / "state", shelf), above_row=0, number=7)

    numbers = dict(PublishedNumber.objects.values_list("name", "number"))
    assert (7, True) == (numbers["people"], numbers["gallery-1"] > 1 << 22)
