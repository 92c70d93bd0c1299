"""Nothing that was ended comes back with a backup (both databases)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from django.db import transaction
from django.test import Client
from django.utils import timezone

from office.accounts import acts
from office.accounts.models import Account, Notice, OfficeSession, PrintedCode, RoleGrant, Scheme
from office.audit.journal import head, record
from office.audit.models import AuditRow
from office.audit.restoring import (
    NOT_KNOWN,
    carry_over,
    leave_numbers_out,
    tell_co_ordinators,
    void_links,
)
from office.escalation.ways import set_ways, ways_of
from office.members.models import Member, Premises
from office.publisher import content
from office.publisher.content import second_factor_digest
from runtime.backup_rules import BEGAN_AT, NUMBERS_PER_SECOND
from tests.office.conftest import HART, PUB_WATCH, MakePerson
from tests.office.publisher.test_publishing import registration
from wire.snapshots import AuditHead, PasskeyEntry, People, PersonEntry, PremisesEntry, RoleEntry, WayEntry
from wire.snapshots import Premises as PremisesSnapshot

pytestmark = pytest.mark.django_db
AT = datetime(2026, 11, 27, 12, tzinfo=UTC)


def published(row: int, *people: PersonEntry) -> People:
    audit = AuditHead(sequence=row, digest="ab" * 32)
    return People(number=9, made_at=AT, audit=audit, ticket_key=b"t" * 32, people=people)


def entry(
    account: Account,
    generation: int = 1,
    *,
    roles: tuple[RoleEntry, ...] = (),
    ended_sessions: tuple[str, ...] = (),
    passkeys: tuple[PasskeyEntry, ...] = (),
    printed_codes: tuple[str, ...] = (),
    second_factors: tuple[str, ...] | None = None,
    ways: tuple[WayEntry, ...] = (),
) -> PersonEntry:
    """As published; app and recovery codes as they are in the copy, unless ``second_factors`` are given."""
    rows = Authenticator.objects.filter(user=account).exclude(type=Authenticator.Type.WEBAUTHN)
    of_copy = tuple(second_factor_digest(row.data) for row in rows)
    return PersonEntry(
        account=account.pk,
        username=account.username,
        name=account.name,
        generation=generation,
        roles=roles,
        ended_sessions=ended_sessions,
        passkeys=passkeys,
        printed_codes=printed_codes,
        second_factors=of_copy if second_factors is None else second_factors,
        ways=ways,
    )


def test_account_that_had_ended_is_ended_again(make_person: MakePerson) -> None:
    jo, sam = make_person("jo", ("pcso", HART)), make_person("sam", ("pcso", HART))
    roles = (RoleEntry(role="pcso", schemes=(HART,)),)
    said = carry_over(published(7, entry(jo, roles=roles)))
    sam.refresh_from_db()

    assert (False, False) == (sam.is_active, sam.has_usable_password())
    assert [jo.pk] == list(RoleGrant.objects.values_list("account", flat=True))
    assert 1 == len(said)
    assert "Sam (sam): had ended since the copy was made" in said[0]
    assert ("account.ended", " 1 ") == AuditRow.objects.values_list("action", "schemes").get()


def test_person_who_joined_since_is_named(make_person: MakePerson) -> None:
    """Nobody else would know that they need another invitation: nor is the one of theirs in every copy."""
    jo = make_person("jo")
    said = carry_over(published(7, entry(jo), PersonEntry(account=jo.pk + 5, username="al", name="Al Reed")))

    assert ["Al Reed (al): joined since the copy was made, and has no account here. Invite them again."] == said


def test_sessions_that_were_all_ended_stay_ended(make_person: MakePerson) -> None:
    jo, sam = make_person("jo"), make_person("sam")
    Account.objects.filter(pk=sam.pk).update(generation=5)
    said = carry_over(published(7, entry(jo, 4), entry(sam, 5)))

    assert [5, 5] == list(Account.objects.order_by("pk").values_list("generation", flat=True))
    assert 1 == len(said)
    assert "Jo (jo): had a new password" in said[0]


def test_session_that_was_ended_stays_ended_whether_the_copy_knows_it_or_not(make_person: MakePerson) -> None:
    """Central asks the list each time: one that is not on it any more is good again."""
    jo = make_person("jo")
    for letter in "ab":
        OfficeSession.objects.create(public_id=letter * 32, account=jo, generation=1)
    carry_over(published(7, entry(jo, ended_sessions=("a" * 32, "c" * 32))))
    (person,) = content.people()

    assert ("a" * 32, "c" * 32) == person.ended_sessions
    assert OfficeSession.objects.get(public_id="b" * 32).ended_at is None


def test_role_that_was_removed_stays_removed(make_person: MakePerson) -> None:
    jo = make_person("jo", ("co-ordinator", HART), ("pcso", HART), ("pcso", PUB_WATCH), ("police", HART))
    roles = RoleEntry(role="pcso", schemes=(HART,)), RoleEntry(role="police", schemes=(HART,))
    said = carry_over(published(7, entry(jo, roles=roles)))

    assert [("pcso", HART), ("police", HART)] == list(jo.grants.order_by("role").values_list("role", "scheme"))
    assert ["Jo (jo): no longer Co-ordinator in HART, PCSO in Pub Watch."] == said
    assert [("role.removed", " 1 "), ("role.removed", " 2 ")] == list(
        AuditRow.objects.order_by("sequence").values_list("action", "schemes")
    )


def test_role_that_was_given_since_is_told(make_person: MakePerson) -> None:
    """It is not given by a file: a co-ordinator gives it again."""
    jo = make_person("jo")
    said = carry_over(published(7, entry(jo, roles=(RoleEntry(role="pcso", schemes=(HART, PUB_WATCH)),))))

    assert ["Jo (jo): had been made PCSO in HART, PCSO in Pub Watch. Give it again."] == said
    assert not jo.grants.exists()


def test_number_that_was_removed_stays_removed_and_one_given_since_is_told(make_person: MakePerson) -> None:
    """Whoever has the old number by now would hear of alerts."""
    jo = make_person("jo")
    old, kept, new = (WayEntry(way="sms", to=f"+44770090012{digit}") for digit in range(3))
    set_ways(jo, (old, kept))
    said = carry_over(published(7, entry(jo, ways=(kept, new))))

    assert (kept,) == ways_of(jo)
    assert [
        "Jo (jo): telephone numbers or addresses for alerts that had been removed are removed again.",
        "Jo (jo): had given telephone numbers or addresses for alerts since. Ask them to enter them again.",
    ] == said
    assert '"ways":["sms"]' in AuditRow.objects.get(action="ways.removed").details


def test_passkey_that_was_removed_stays_removed(make_person: MakePerson) -> None:
    jo = make_person("jo")
    kept, stolen = (passkey(jo, credential) for credential in (b"kept", b"stolen"))
    shown = PasskeyEntry(credential=b"kept", public_key=b"k")
    said = carry_over(published(7, entry(jo, passkeys=(shown,))))

    assert [kept] == list(Authenticator.objects.filter(user=jo, type=Authenticator.Type.WEBAUTHN))
    assert ["Jo (jo): removed again, for removed, replaced or used since the copy was made: passkey."] == said
    assert "sign-in-method.removed" == AuditRow.objects.get().action
    assert stolen.pk


def test_person_whose_only_passkey_was_replaced_needs_a_recovery_link(make_person: MakePerson) -> None:
    jo = make_person("jo", has_second_factor=False)
    passkey(jo, b"stolen")
    (said,) = carry_over(published(7, entry(jo)))

    assert said.endswith("They have no second factor now: make them a recovery link.")


def test_app_that_was_removed_or_replaced_stays_removed(make_person: MakePerson) -> None:
    jo, sam, kim = make_person("jo"), make_person("sam"), make_person("kim")
    shown = PasskeyEntry(credential=b"kept", public_key=b"k")
    passkey(jo, b"kept")
    said = carry_over(
        published(
            7, entry(jo, passkeys=(shown,), second_factors=()), entry(sam, second_factors=("ef" * 32,)), entry(kim)
        )
    )

    left = Authenticator.objects.order_by("user").values_list("user", "type")
    assert [(jo.pk, "webauthn"), (kim.pk, "totp")] == list(left)
    why = "removed again, for removed, replaced or used since the copy was made: authenticator app."
    more = "They have no second factor now: make them a recovery link."
    assert [f"Jo (jo): {why}", f"Sam (sam): {why} {more}"] == said
    assert ["sign-in-method.removed"] * 2 == list(AuditRow.objects.values_list("action", flat=True))


def test_recovery_codes_that_were_used_stay_used(make_person: MakePerson) -> None:
    """No code opens twice: with one used since, all of the copy's go, and the person makes new ones."""
    jo, sam = make_person("jo"), make_person("sam")
    for account in (jo, sam):
        RecoveryCodes.activate(account)
    before = Authenticator.objects.values_list("type", "data").filter(user=jo)
    codes = Authenticator.objects.get(user=jo, type="recovery_codes").wrap()
    assert codes.validate_code(codes.get_unused_codes()[0])
    (of_jo, of_sam) = content.people()
    Authenticator.objects.filter(user=jo, type="recovery_codes").update(data=dict(codes.instance.data, used_mask=0))
    said = carry_over(published(7, of_jo, of_sam))

    assert ["totp"] == list(before.values_list("type", flat=True))
    assert 2 == Authenticator.objects.filter(user=sam).count()
    assert ["Jo (jo): removed again, for removed, replaced or used since the copy was made: recovery codes."] == said


def test_sheet_that_was_replaced_stays_void(make_person: MakePerson) -> None:
    jo = make_person("jo")
    for letter in "ab":
        PrintedCode.objects.create(account=jo, digest=letter * 64)
    carry_over(published(7, entry(jo, printed_codes=("b" * 64,))))

    assert ["b" * 64] == list(jo.printed_codes.values_list("digest", flat=True))


def test_links_of_the_copy_are_void(client: Client, co_ordinator: Account, make_person: MakePerson) -> None:
    """They may have been cancelled or used since, and no snapshot says so."""
    jo, hart = make_person("jo", ("pcso", HART)), Scheme.objects.get(pk=HART)
    _, join = acts.invite(co_ordinator, name="Sam", email="", role="pcso", schemes=[hart])
    recover, _ = acts.make_recovery_link(co_ordinator, jo, sets_password=True)
    paths = [link.removeprefix("http://localhost") for link in (join, recover)]
    assert [200, 200] == [client.get(path).status_code for path in paths]
    said = void_links()

    assert [410, 410] == [client.get(path).status_code for path in paths]
    assert 1 == len(said)
    assert said[0].startswith("Invitation of Sam, Recovery of Jo: the link is void")
    assert [("invitation.cancelled", " 1 "), ("recovery-link.voided", " 1 ")] == list(
        AuditRow.objects.order_by("sequence").values_list("action", "schemes")
    )[2:]
    assert [] == void_links()


def passkey(account: Account, credential: bytes) -> Authenticator:
    return Authenticator.objects.create(
        user=account,
        type=Authenticator.Type.WEBAUTHN,
        data={"name": "Key", "credential": registration({1: 2, 3: -7}, credential)},
    )


def test_older_snapshot_than_the_copy_changes_nothing(make_person: MakePerson) -> None:
    """A lost folder, a whole machine restored: it does not know those who came later."""
    record(None, "account.made")
    older = msgspec.structs.replace(published(0), audit=head())
    make_person("jo")
    record(None, "account.made")

    assert [NOT_KNOWN] == carry_over(older)
    assert Account.objects.get().is_active


def test_snapshot_of_rows_that_the_copy_lacks_counts_however_many_rows_were_written_since(
    make_person: MakePerson,
) -> None:
    """Numbers of two branches of the audit say nothing about one another."""
    jo, sam = make_person("jo"), make_person("sam")
    for _ in range(9):
        record(None, "premises.exported")
    carry_over(published(7, entry(jo)))

    assert [jo.pk] == list(Account.objects.filter(is_active=True).values_list("pk", flat=True))
    assert not Account.objects.get(pk=sam.pk).is_active


def test_number_that_is_another_persons_in_what_was_published_ends_the_account(make_person: MakePerson) -> None:
    """Made on the copy, before anybody ran the command: central would take the one for the other."""
    kim = make_person("kim")
    carry_over(published(7, PersonEntry(account=kim.pk, username="sam", name="Sam")))

    assert not Account.objects.get().is_active


def test_number_of_an_account_made_since_is_never_anothers(make_person: MakePerson) -> None:
    """Central's session of the one would be the other's."""
    jo = make_person("jo")
    leave_numbers_out(published(7, entry(jo), PersonEntry(account=jo.pk + 20_000, username="sam", name="Sam")), None)

    assert make_person("kim").pk > jo.pk + 25_000


def test_number_of_a_premises_made_since_is_never_anothers() -> None:
    """The directory joins a unit with it."""
    member = Member.objects.create(name="Shop")
    here = Premises.objects.create(member=member, name="Here")
    since = PremisesEntry(premises=here.pk + 20_000, name="Since", schemes=(HART,))
    audit = AuditHead(sequence=7, digest="ab" * 32)
    leave_numbers_out(None, PremisesSnapshot(number=9, made_at=AT, audit=audit, premises=(since,)))

    assert Premises.objects.create(member=member, name="Next").pk > here.pk + 25_000


def test_numbers_of_two_restores_without_lists_are_not_the_same(
    make_person: MakePerson, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Central's session of somebody of the first life would be another's in the second."""
    lives = []
    for days in (1, 2):
        now = BEGAN_AT + timedelta(days=7_000 + days)
        with monkeypatch.context() as clock, transaction.atomic():
            clock.setattr(timezone, "now", lambda now=now: now)
            leave_numbers_out(None, None)
            lives.append(make_person("kim").pk)
            transaction.set_rollback(True)

    assert NUMBERS_PER_SECOND * 86_400 == lives[1] - lives[0]


def test_number_of_a_premises_that_was_deleted_after_a_restore_is_never_anothers() -> None:
    """A second restore counts on from the number that was given last, not from the highest that is left."""
    member = Member.objects.create(name="Shop")
    leave_numbers_out(None, None)
    gone = Premises.objects.create(member=member, name="Gone")
    number = gone.pk
    gone.delete()
    leave_numbers_out(None, None)

    assert Premises.objects.create(member=member, name="Next").pk > number


LATEST = datetime(2026, 9, 27, 0, 5, tzinfo=UTC)
"""In the month with the longest name."""


@pytest.mark.parametrize(
    ("until", "told"),
    [
        (LATEST, "hidden or let go after 27 September 2026, 00:05 UTC IS BACK"),
        (None, "erased or hidden since is not known"),
    ],
    ids=["list", "no list"],
)
def test_every_co_ordinator_is_told_until_they_have_read_it(
    co_ordinator: Account, make_person: MakePerson, until: datetime | None, told: str
) -> None:
    """Of the hours after the newest list nobody here knows anything, and it says so."""
    make_person("both", ("co-ordinator", HART), ("co-ordinator", PUB_WATCH))
    make_person("jo", ("pcso", HART))
    tell_co_ordinators(until)
    notices = list(Notice.objects.order_by("pk"))

    assert ["cora", "both"] == [notice.account.username for notice in notices]
    assert [True, True] == [told in notice.text for notice in notices]
    assert all(len(notice.text) <= 300 for notice in notices)


def test_without_snapshots_nothing_is_changed(make_person: MakePerson) -> None:
    make_person("jo")

    assert [NOT_KNOWN] == carry_over(None)
    assert Account.objects.get().is_active
