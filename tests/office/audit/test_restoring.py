"""Nothing that was ended comes back with a backup (both databases)."""

from __future__ import annotations

from datetime import UTC, datetime

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
    said = carry_over(published(7, entry(jo)), None, 3)
    sam.refresh_from_db()

    assert (False, False) == (sam.is_active, sam.has_usable_password())
    assert [jo.pk] == list(RoleGrant.objects.values_list("account", flat=True))
    assert ["Sam (sam): had ended since the copy was made, and is ended again."] == said
    assert ("account.ended", " 1 ") == AuditRow.objects.values_list("action", "schemes").get()


def test_sessions_that_were_ended_stay_ended(make_person: MakePerson) -> None:
    jo, sam = make_person("jo"), make_person("sam")
    Account.objects.filter(pk=sam.pk).update(generation=5)
    said = carry_over(published(7, entry(jo, 4), entry(sam, 5)), None, 3)

    assert [5, 5] == list(Account.objects.order_by("pk").values_list("generation", flat=True))
    assert 1 == len(said)
    assert "Jo (jo): had a new password" in said[0]


def test_older_snapshot_than_the_copy_changes_nothing(make_person: MakePerson) -> None:
    """A lost folder, a whole machine restored: it does not know those who came later."""
    make_person("jo")
    record(None, "account.made")

    assert [] == carry_over(published(head().sequence), None, head().sequence)
    assert Account.objects.get().is_active


def test_number_of_an_account_made_since_is_never_anothers(make_person: MakePerson) -> None:
    """Central's session of the one would be the other's."""
    jo = make_person("jo")
    since = PersonEntry(account=jo.pk + 7, username="sam", name="Sam")
    carry_over(published(7, entry(jo), since), None, 3)

    assert make_person("kim").pk > jo.pk + 7 + 100


def test_number_of_a_premises_made_since_is_never_anothers() -> None:
    """The directory joins a unit with it."""
    member = Member.objects.create(name="Shop")
    here = Premises.objects.create(member=member, name="Here")
    since = PremisesEntry(premises=here.pk + 7, name="Since", schemes=(HART,))
    audit = AuditHead(sequence=7, digest="ab" * 32)
    carry_over(None, PremisesSnapshot(number=9, made_at=AT, audit=audit, premises=(since,)), 3)

    assert Premises.objects.create(member=member, name="Next").pk > here.pk + 7


def test_without_snapshots_nothing_is_changed(make_person: MakePerson) -> None:
    make_person("jo")

    assert [] == carry_over(None, None, 3)
    assert Account.objects.get().is_active
