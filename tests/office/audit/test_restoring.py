"""Nothing that was ended comes back with a backup (both databases)."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import pytest

from office.accounts.models import Account, RoleGrant
from office.audit.journal import head, record
from office.audit.models import AuditRow
from office.audit.restoring import carry_over
from office.members.models import Member, Premises
from tests.office.conftest import HART, MakePerson
from wire.snapshots import AuditHead, People, PersonEntry, PremisesEntry
from wire.snapshots import Premises as PremisesSnapshot

pytestmark = pytest.mark.django_db
AT = datetime(2026, 11, 27, 12, tzinfo=UTC)


def published(row: int, *people: PersonEntry) -> People:
    audit = AuditHead(sequence=row, digest="ab" * 32)
    return People(number=9, made_at=AT, audit=audit, ticket_key=b"t" * 32, people=people)


def entry(account: Account, generation: int = 1) -> PersonEntry:
    return PersonEntry(account=account.pk, username=account.username, name=account.name, generation=generation)


def test_account_that_had_ended_is_ended_again(make_person: MakePerson) -> None:
    jo, sam = make_person("jo", ("pcso", HART)), make_person("sam", ("pcso", HART))
    said = carry_over(published(7, entry(jo)), None)
    sam.refresh_from_db()

    assert (False, False) == (sam.is_active, sam.has_usable_password())
    assert [jo.pk] == list(RoleGrant.objects.values_list("account", flat=True))
    assert 1 == len(said)
    assert "Sam (sam): had ended since the copy was made" in said[0]
    assert ("account.ended", " 1 ") == AuditRow.objects.values_list("action", "schemes").get()


def test_sessions_that_were_ended_stay_ended(make_person: MakePerson) -> None:
    jo, sam = make_person("jo"), make_person("sam")
    Account.objects.filter(pk=sam.pk).update(generation=5)
    said = carry_over(published(7, entry(jo, 4), entry(sam, 5)), None)

    assert [5, 5] == list(Account.objects.order_by("pk").values_list("generation", flat=True))
    assert 1 == len(said)
    assert "Jo (jo): had a new password" in said[0]


def test_older_snapshot_than_the_copy_changes_nothing(make_person: MakePerson) -> None:
    """A lost folder, a whole machine restored: it does not know those who came later."""
    record(None, "account.made")
    older = msgspec.structs.replace(published(0), audit=head())
    make_person("jo")
    record(None, "account.made")

    assert [] == carry_over(older, None)
    assert Account.objects.get().is_active


def test_snapshot_of_rows_that_the_copy_lacks_counts_however_many_rows_were_written_since(
    make_person: MakePerson,
) -> None:
    """Numbers of two branches of the audit say nothing about one another."""
    jo, sam = make_person("jo"), make_person("sam")
    for _ in range(9):
        record(None, "premises.exported")
    carry_over(published(7, entry(jo)), None)

    assert [jo.pk] == list(Account.objects.filter(is_active=True).values_list("pk", flat=True))
    assert not Account.objects.get(pk=sam.pk).is_active


def test_number_that_is_another_persons_in_what_was_published_ends_the_account(make_person: MakePerson) -> None:
    """Made on the copy, before anybody ran the command: central would take the one for the other."""
    kim = make_person("kim")
    carry_over(published(7, PersonEntry(account=kim.pk, username="sam", name="Sam")), None)

    assert not Account.objects.get().is_active


def test_number_of_an_account_made_since_is_never_anothers(make_person: MakePerson) -> None:
    """Central's session of the one would be the other's."""
    jo = make_person("jo")
    since = PersonEntry(account=jo.pk + 7, username="sam", name="Sam")
    carry_over(published(7, entry(jo), since), None)

    assert make_person("kim").pk > jo.pk + 7 + 100


def test_number_of_a_premises_made_since_is_never_anothers() -> None:
    """The directory joins a unit with it."""
    member = Member.objects.create(name="Shop")
    here = Premises.objects.create(member=member, name="Here")
    since = PremisesEntry(premises=here.pk + 7, name="Since", schemes=(HART,))
    audit = AuditHead(sequence=7, digest="ab" * 32)
    carry_over(None, PremisesSnapshot(number=9, made_at=AT, audit=audit, premises=(since,)))

    assert Premises.objects.create(member=member, name="Next").pk > here.pk + 7


def test_without_snapshots_nothing_is_changed(make_person: MakePerson) -> None:
    make_person("jo")

    assert [] == carry_over(None, None)
    assert Account.objects.get().is_active
