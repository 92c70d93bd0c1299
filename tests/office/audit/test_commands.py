"""The commands of the audit, as the fleet's engineer runs them (both databases)."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest
from django.db import connection

from office.accounts import acts, sessions
from office.accounts.access import rights_of
from office.accounts.models import Account, OfficeSession, Scheme
from office.audit import commands, triggers
from office.audit.journal import Entry, head, record, record_many, record_restored
from office.audit.models import AuditRow
from office.config import Configuration, load_configuration
from office.members.models import Member, Premises
from office.publisher import changes, content
from office.publisher.publishing import Publishing
from office.publisher.shelf import PublishedHead, Shelf
from tests.office.conftest import HART, MakePerson, SignedIn
from wire.signing import SigningKey
from wire.snapshots import People, PersonEntry

pytestmark = pytest.mark.django_db

KEY, AUTHORITY = SigningKey(b"o" * 32), SigningKey(b"a" * 32)


@pytest.fixture
def office(tmp_path: Path, schemes: dict[int, Scheme]) -> Configuration:
    """A configuration with its keys and folders, and five rows in the audit."""
    (tmp_path / "publisher").mkdir()
    (tmp_path / "snapshots").mkdir()
    (tmp_path / "publisher/snapshot.pub").write_text(KEY.public.raw.hex())
    (tmp_path / "authority.pub").write_text(AUTHORITY.public.raw.hex())
    (tmp_path / "office.toml").write_text('authority_file = "authority.pub"\ndirectory_file = "directory.json"\n')
    record_many(None, [Entry("role.given", f"person {number}") for number in range(5)])
    return load_configuration(tmp_path / "office.toml")


def publisher(office: Configuration) -> Publishing:
    shelf = Shelf(office.snapshots_folder, office.town, KEY.public)
    return Publishing(
        shelf,
        PublishedHead(office.file.parent / "publisher/published.json", shelf),
        office.town,
        key=KEY,
        ticket_key=b"t" * 32,
        on_published=lambda name, number: None,
    )


def newest_people(office: Configuration) -> tuple[PersonEntry, ...]:
    _, snapshot = Shelf(office.snapshots_folder, office.town, KEY.public).newest("people")
    assert isinstance(snapshot, People)
    return snapshot.people


def meddle(sql: str) -> None:
    """What somebody can do who owns the database."""
    triggers.remove(connection)
    with connection.cursor() as cursor:
        cursor.execute(sql)
    triggers.make(connection)


def test_verify_finds_an_audit_in_order(office: Configuration, capsys: pytest.CaptureFixture[str]) -> None:
    publisher(office).look()
    record(None, "role.given")

    assert 0 == commands.verify(office)

    said = capsys.readouterr().out
    assert f"6 rows: the last has number 6 and digest {head().digest}" in said
    assert "Compared with row 5, the last one published." in said
    assert said.endswith("The audit is in order.\n")


def test_verify_before_anything_was_published_says_what_it_cannot_know(
    office: Configuration, capsys: pytest.CaptureFixture[str]
) -> None:
    office.snapshots_folder.rmdir()

    assert 0 == commands.verify(office)
    assert "Nothing of it has been published yet, so a missing end would not show." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("UPDATE audit_auditrow SET actor_name = 'Nobody' WHERE sequence = 3", "Row 3 was changed"),
        ("DELETE FROM audit_auditrow WHERE sequence = 3", "Row 3 is missing"),
        ("DELETE FROM audit_auditrow WHERE sequence > 3", "Rows 4 to 5 are missing"),
        ("DELETE FROM audit_auditrow", "Rows 1 to 5 are missing"),
    ],
)
def test_verify_names_the_row_that_was_meddled_with(
    office: Configuration, capsys: pytest.CaptureFixture[str], sql: str, words: str
) -> None:
    publisher(office).look()
    meddle(sql)

    assert 1 == commands.verify(office)
    assert words in capsys.readouterr().out


def test_verify_names_rows_that_changed_places(office: Configuration, capsys: pytest.CaptureFixture[str]) -> None:
    meddle("UPDATE audit_auditrow SET sequence = -3 WHERE sequence = 3")
    meddle("UPDATE audit_auditrow SET sequence = 3 WHERE sequence = 4")
    meddle("UPDATE audit_auditrow SET sequence = 4 WHERE sequence = -3")

    assert 1 == commands.verify(office)
    assert "Row 3 was moved: its contents belong to row 4." in capsys.readouterr().out


def test_verify_says_that_triggers_are_missing(office: Configuration, capsys: pytest.CaptureFixture[str]) -> None:
    triggers.remove(connection)

    assert 1 == commands.verify(office)
    assert "run 'watchlink office audit protect'" in capsys.readouterr().out


def test_protect_makes_the_triggers_and_leaves_a_trace(office: Configuration) -> None:
    triggers.remove(connection)
    commands.protect(office)

    assert [] == triggers.missing(connection)
    assert "audit.protected" == AuditRow.objects.get(sequence=6).action

    commands.protect(office)

    assert 6 == head().sequence


def test_restore_is_settled_by_a_row_above_all_that_was_published(
    office: Configuration, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    marks = iter(range(99))
    monkeypatch.setattr(changes, "mark", lambda: (next(marks),))
    running = publisher(office)
    running.look()
    meddle("DELETE FROM audit_auditrow WHERE sequence > 3")
    running.look()
    assert running.alarm

    assert 0 == commands.restored(office, row=0, number=40)
    running.look()

    assert "" == running.alarm
    assert 6 == head().sequence
    assert 0 == commands.verify(office)
    assert "Rows 4 to 5 are missing since then" in capsys.readouterr().out
    assert {"people-41.json", "premises-41.json"} < {path.name for path in office.snapshots_folder.iterdir()}


def test_account_that_ended_is_not_published_again_though_somebody_worked_on_the_copy(
    office: Configuration, monkeypatch: pytest.MonkeyPatch, co_ordinator: Account, make_person: MakePerson
) -> None:
    marks = iter(range(99))
    monkeypatch.setattr(changes, "mark", lambda: (next(marks),))
    sam = make_person("sam", ("pcso", HART))
    running = publisher(office)
    at_copy = head().sequence
    acts.end_account(co_ordinator, rights_of(co_ordinator), sam)
    running.look()
    meddle(f"DELETE FROM audit_auditrow WHERE sequence > {at_copy}")
    Account.objects.filter(pk=sam.pk).update(is_active=True, ended_at=None, generation=1)
    record(co_ordinator, "premises.exported")
    commands.restored(office, row=0, number=0)
    running.look()

    assert "" == running.alarm
    assert ["cora"] == [person.username for person in newest_people(office)]


def test_restored_takes_what_central_knows(
    office: Configuration, co_ordinator: Account, capsys: pytest.CaptureFixture[str]
) -> None:
    """A backup of the whole machine: only central knows better."""
    invitation, _ = acts.invite(None, name="Sam", email="", role="pcso", schemes=Scheme.objects.all())
    commands.restored(office, row=150, number=0)
    invitation.refresh_from_db()

    assert ["audit.restored", "invitation.cancelled"] == list(
        AuditRow.objects.filter(sequence__gt=150).order_by("sequence").values_list("action", flat=True)
    )
    assert invitation.cancelled_at
    assert "the office does not know what was taken away since" in capsys.readouterr().out
    assert "is not known" in co_ordinator.notices.get().text
    assert 0 == commands.verify(office)


def full_disk(*_: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("has_changed", [False, True])
def test_list_of_people_that_was_still_true_after_the_copy_is_known(
    office: Configuration,
    monkeypatch: pytest.MonkeyPatch,
    make_person: MakePerson,
    capsys: pytest.CaptureFixture[str],
    *,
    has_changed: bool,
) -> None:
    """A list that would say the same again waits for a minute, and the audit goes on: somebody signs in."""
    marks = iter(range(99))
    monkeypatch.setattr(changes, "mark", lambda: (next(marks),))
    make_person("jo", ("pcso", HART))
    running = publisher(office)
    running.look()
    if has_changed:
        # And the list that would say so was not written any more.
        make_person("sam", ("pcso", HART))
        monkeypatch.setattr(Shelf, "put", full_disk)
    record(None, "account.signed-in")
    at_copy = head().sequence
    record(None, "account.signed-in")
    running.look()
    meddle(f"DELETE FROM audit_auditrow WHERE sequence > {at_copy}")
    commands.restored(office, row=0, number=0)

    assert has_changed == ("does not know what was taken away since" in capsys.readouterr().out)
    assert Account.objects.count() == Account.objects.filter(is_active=True).count() == 1 + has_changed


def test_no_browser_of_the_copy_is_signed_in_after_a_restore(
    office: Configuration, co_ordinator: Account, signed_in: SignedIn, capsys: pytest.CaptureFixture[str]
) -> None:
    """Somebody may have ended the session of a stolen laptop since; if it had no ticket, no list of people says so."""
    browser = signed_in(co_ordinator)
    assert 200 == browser.get("/").status_code
    commands.restored(office, row=150, number=0)

    assert "/sign-in/?next=/" == browser.get("/")["Location"]
    assert "Everybody must sign in to the office again" in capsys.readouterr().out


def test_end_of_a_session_that_got_its_ticket_since_the_copy_reaches_central(
    office: Configuration, co_ordinator: Account, signed_in: SignedIn
) -> None:
    signed_in(co_ordinator)
    session = OfficeSession.objects.get()
    commands.restored(office, row=150, number=0)
    assert sessions.end_session(co_ordinator, session.public_id)

    assert (session.public_id,) == content.people()[0].ended_sessions


def test_numbers_are_never_anothers_after_the_whole_machine_was_lost(
    office: Configuration, make_person: MakePerson
) -> None:
    """Then no snapshot in the folder is newer than the copy; each number that was given since is left out."""
    jo, member = make_person("jo"), Member.objects.create(name="Shop")
    here = Premises.objects.create(member=member, name="Here")
    commands.restored(office, row=150, number=40)
    kim, there = make_person("kim"), Premises.objects.create(member=member, name="There")

    assert kim.pk > jo.pk + 5_000
    assert there.pk > here.pk + 5_000


def test_restored_does_nothing_when_nothing_is_missing(office: Configuration) -> None:
    publisher(office).look()
    commands.restored(office, row=0, number=0)

    assert 5 == head().sequence


def test_restored_row_written_by_a_meddler_ends_no_alarm(
    office: Configuration, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They own the database, but not the publisher's file."""
    marks = iter(range(99))
    monkeypatch.setattr(changes, "mark", lambda: (next(marks),))
    running = publisher(office)
    running.look()
    meddle("DELETE FROM audit_auditrow WHERE sequence > 3")
    record_restored(5, {})
    running.look()

    assert "Row 5 is not the one that was published" in running.alarm
