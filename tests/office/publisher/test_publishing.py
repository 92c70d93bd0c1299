"""What is published, and when nothing may be (both databases)."""

from __future__ import annotations

import base64
import itertools
import logging
from collections.abc import Mapping
from pathlib import Path

import pytest
from allauth.mfa.models import Authenticator
from django.db import DatabaseError, connection
from django.utils import timezone
from fido2 import cbor

from office.accounts.models import Account, OfficeSession, PrintedCode, RoleGrant, Scheme
from office.audit import alarm, triggers
from office.audit.journal import head, record
from office.members.models import Member, Premises
from office.publisher import changes
from office.publisher.publishing import AT_LEAST_EVERY_S, HEAD_WITHIN_S, Publishing
from office.publisher.shelf import PublishedHead, Shelf
from tests.office.conftest import HART, PUB_WATCH, MakePerson
from wire.signing import SigningKey
from wire.snapshots import People, PersonEntry, Snapshot, SnapshotName, Town, file_name, open_snapshot
from wire.snapshots import Premises as PremisesSnapshot

pytestmark = pytest.mark.django_db

KEY = SigningKey(b"o" * 32)
TOWN = Town(SigningKey(b"a" * 32).public)
TICKET_KEY = b"t" * 32


class World:
    """A publisher on the test's database, its folder, and a clock that stands still."""

    def __init__(self, tmp_path: Path) -> None:
        self.folder = tmp_path / "snapshots"
        self.folder.mkdir()
        self.own = tmp_path / "own"
        self.own.mkdir()
        self.now_s = 1_000.0
        self.published: list[tuple[SnapshotName, int]] = []
        self.begin()

    def begin(self, key: SigningKey = KEY) -> None:
        """A publisher that has just started."""
        shelf = Shelf(self.folder, TOWN, key.public)
        self.publishing = Publishing(
            shelf,
            PublishedHead(self.own / "published.json", shelf),
            TOWN,
            key=key,
            ticket_key=TICKET_KEY,
            on_published=lambda name, number: self.published.append((name, number)),
            clock_s=lambda: self.now_s,
        )

    def look(self, after_s: float = 1.0) -> list[str]:
        """The files that were not there before."""
        before = set(self.files())
        self.now_s += after_s
        self.publishing.look()
        return [name for name in self.files() if name not in before]

    def files(self) -> list[str]:
        return sorted(path.name for path in self.folder.iterdir() if path.suffix == ".json")

    def newest(self, kind: type[Snapshot] = People) -> Snapshot:
        name: SnapshotName = "people" if kind is People else "premises"
        number = max(number for each, number in self.published if each == name)
        data = (self.folder / file_name(name, number)).read_bytes()
        if kind is People:
            return open_snapshot(data, People, TOWN, (KEY.public,))
        return open_snapshot(data, PremisesSnapshot, TOWN, (KEY.public,))

    def person(self, username: str) -> PersonEntry | None:
        newest = self.newest()
        assert isinstance(newest, People)
        return next((person for person in newest.people if person.username == username), None)


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, schemes: dict[int, Scheme]) -> World:
    """The test writes through the publisher's own connection, whose changes the database does not report to it."""
    marks = itertools.count()
    monkeypatch.setattr(changes, "mark", lambda: (next(marks),))
    return World(tmp_path)


def cut_tail(rows: int) -> None:
    """What somebody can do who owns the database."""
    triggers.remove(connection)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM audit_auditrow WHERE sequence > %s", [rows])
    triggers.make(connection)


def test_both_snapshots_are_published_at_the_first_look(world: World) -> None:
    assert ["people-1.json", "premises-1.json"] == world.look()
    assert [("people", 1), ("premises", 1)] == world.published


def test_nothing_is_published_twice(world: World) -> None:
    world.look()

    assert [] == world.look()
    assert [] == world.look()


def test_restart_publishes_nothing_that_is_published(world: World, make_person: MakePerson) -> None:
    make_person("jo", ("pcso", HART))
    world.look()
    world.begin()

    assert [] == world.look()


def test_person_is_published_with_roles_keys_and_sessions(world: World, make_person: MakePerson) -> None:
    jo = make_person("jo", ("co-ordinator", PUB_WATCH), ("co-ordinator", HART), ("pcso", HART), name="Jo Patel")
    Account.objects.filter(pk=jo.pk).update(generation=4)
    for public_id, generation, has_ended in (("a", 4, True), ("b", 3, True), ("c", 4, False)):
        OfficeSession.objects.create(
            public_id=public_id * 32,
            account=jo,
            generation=generation,
            ended_at=timezone.now() if has_ended else None,
            had_ticket=True,
        )
    PrintedCode.objects.create(account=jo, digest="d" * 64)
    public_key = {1: 2, 3: -7, -1: 1, -2: b"x" * 32, -3: b"y" * 32}
    Authenticator.objects.create(
        user=jo, type=Authenticator.Type.WEBAUTHN, data={"name": "Key", "credential": registration(public_key)}
    )
    world.look()
    entry = world.person("jo")

    assert entry
    assert (jo.pk, "Jo Patel", 4) == (entry.account, entry.name, entry.generation)
    assert [("co-ordinator", (HART, PUB_WATCH)), ("pcso", (HART,))] == [
        (role.role, role.schemes) for role in entry.roles
    ]
    assert (("a" * 32,), ("d" * 64,)) == (entry.ended_sessions, entry.printed_codes)
    assert [(b"credential", public_key)] == [(key.credential, cbor.decode(key.public_key)) for key in entry.passkeys]


def registration(public_key: Mapping[int, object], credential: bytes = b"credential") -> dict[str, object]:
    """A browser's answer to "make a passkey", as allauth stores it (WebAuthn Level 2, sections 6.1 and 6.5)."""
    attested = b"\0" * 16 + len(credential).to_bytes(2, "big") + credential + cbor.encode(dict(public_key))
    authenticator_data = b"\0" * 32 + b"\x45" + b"\0" * 4 + attested
    attestation = cbor.encode({"fmt": "none", "attStmt": {}, "authData": authenticator_data})
    return {"response": {"attestationObject": base64.urlsafe_b64encode(attestation).decode().rstrip("=")}}


def test_ended_account_is_gone_at_the_next_look(world: World, make_person: MakePerson) -> None:
    jo = make_person("jo", ("pcso", HART))
    world.look()
    Account.objects.filter(pk=jo.pk).update(is_active=False)
    world.look()

    assert world.person("jo") is None


def test_role_in_more_schemes_than_an_entry_holds_is_split(world: World, make_person: MakePerson) -> None:
    jo = make_person("jo")
    for number in range(3, 10):
        Scheme.objects.create(number=number, slug=f"s{number}", name=f"S{number}")
        RoleGrant.objects.create(account=jo, role="police", scheme_id=number)
    world.look()
    entry = world.person("jo")

    assert entry
    assert [(3, 4, 5, 6), (7, 8, 9)] == [role.schemes for role in entry.roles]


def test_unusable_rows_are_left_out_and_logged_and_stop_nothing(
    world: World, make_person: MakePerson, caplog: pytest.LogCaptureFixture
) -> None:
    jo = make_person("jo", ("pcso", HART))
    bad = make_person("sam", ("pcso", HART))
    RoleGrant.objects.filter(account=bad).update(role="no such role")
    Authenticator.objects.create(user=jo, type=Authenticator.Type.WEBAUTHN, data={"credential": {}})
    member = Member.objects.create(name="Shop")
    Premises.objects.create(member=member, name="In no scheme")
    with caplog.at_level(logging.ERROR):
        world.look()

    assert world.person("jo")
    assert world.person("sam") is None
    assert 3 == len(caplog.records)


def test_premises_are_published_with_the_row_of_their_change(world: World) -> None:
    world.look()
    shop = Premises.objects.create(member=Member.objects.create(name="Shop"), name="Corner Shop")
    shop.schemes.set([HART])
    record(None, "premises.added", shop)

    assert ["premises-2.json"] == world.look()

    newest = world.newest(PremisesSnapshot)
    assert isinstance(newest, PremisesSnapshot)
    assert ["Corner Shop"] == [one.name for one in newest.premises]
    assert head() == newest.audit


def test_head_alone_is_published_within_a_minute(world: World) -> None:
    world.look()
    record(None, "office.founded")

    assert [] == world.look(1)
    assert ["people-2.json"] == world.look(HEAD_WITHIN_S)
    assert head() == world.newest().audit
    assert [] == world.look(HEAD_WITHIN_S)


def test_people_are_published_now_and_then_so_that_the_office_is_seen_to_live(world: World) -> None:
    world.look()

    assert ["people-2.json"] == world.look(AT_LEAST_EVERY_S)


@pytest.mark.parametrize("has_restarted", [False, True])
@pytest.mark.parametrize("is_state_lost", [False, True])
@pytest.mark.parametrize("is_folder_lost", [False, True])
def test_cut_tail_raises_the_alarm_and_stays_raised(
    world: World,
    has_restarted: bool,  # noqa: FBT001
    is_state_lost: bool,  # noqa: FBT001
    is_folder_lost: bool,  # noqa: FBT001
) -> None:
    """Once the publisher published the lower head after a minute, and the cut was hidden."""
    for _ in range(5):
        record(None, "office.founded")
    world.look()
    if is_state_lost:
        (world.own / "published.json").unlink()
    if is_folder_lost and not is_state_lost:
        for path in world.folder.iterdir():
            path.unlink()
    cut_tail(3)
    if has_restarted:
        world.begin()
    files = world.files()
    for _ in range(5):
        world.look(HEAD_WITHIN_S + 1)

    assert files == world.files()
    assert "Rows 4 to 5 are missing" in alarm.read(world.folder)
    assert world.publishing.alarm


def test_cut_tail_that_has_grown_again_raises_the_alarm(world: World) -> None:
    for _ in range(5):
        record(None, "office.founded")
    world.look()
    cut_tail(3)
    for _ in range(9):
        record(None, "another.action")
    files = world.files()
    world.look(HEAD_WITHIN_S + 1)

    assert files == world.files()
    assert "Row 5 is not the one that was published" in world.publishing.alarm


def test_cut_between_two_publications_is_found_too(world: World) -> None:
    """The publisher has seen the row, though it publishes it within a minute only."""
    record(None, "office.founded")
    world.look()
    record(None, "office.founded")
    assert [] == world.look()
    cut_tail(1)
    world.look()

    assert "Row 2 is missing" in world.publishing.alarm

    record(None, "office.founded", "written anew")
    world.look()

    assert "Row 2 is not the one" in world.publishing.alarm


def test_cut_of_a_row_that_was_not_published_stays_an_alarm_until_it_is_settled(world: World) -> None:
    """Settled by `audit restored`, which writes above all that is known, and keeps that."""
    record(None, "office.founded")
    world.look()
    record(None, "office.founded")
    world.look()
    cut_tail(1)
    world.look()
    world.begin()
    world.look()

    assert "Row 2 is missing" in world.publishing.alarm


def test_missing_triggers_raise_the_alarm_until_they_are_made_again(world: World) -> None:
    world.look()
    triggers.remove(connection)
    world.look()

    assert "no longer protects the audit" in alarm.read(world.folder)

    triggers.make(connection)
    world.look()

    assert ("", "") == (alarm.read(world.folder), world.publishing.alarm)


def test_numbers_go_on_after_the_database_was_restored(world: World, make_person: MakePerson) -> None:
    for number in range(1, 6):
        make_person(f"person{number}")
        world.look()
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM publisher_publishednumber")
    world.begin()
    make_person("another")

    assert ["people-6.json"] == world.look()


def test_numbers_go_on_after_the_folder_was_lost(world: World, make_person: MakePerson) -> None:
    make_person("jo")
    world.look()
    for path in world.folder.iterdir():
        path.unlink()
    world.begin()

    assert ["people-2.json", "premises-2.json"] == world.look()


def test_damaged_file_is_replaced_by_a_higher_number(world: World) -> None:
    world.look()
    (world.folder / "people-1.json").write_text("{")
    world.begin()

    assert ["people-2.json"] == world.look()


def test_new_key_signs_anew(world: World) -> None:
    world.look()
    world.begin(SigningKey(b"n" * 32))

    assert ["people-2.json", "premises-2.json"] == world.look()


def test_only_a_few_old_files_stay(world: World, make_person: MakePerson) -> None:
    (world.folder / ".people-7.json.0badcafe").write_text("what a kill has left")
    for number in range(6):
        make_person(f"person{number}")
        world.look()

    assert ["people-4.json", "people-5.json", "people-6.json", "premises-1.json"] == world.files()
    assert 4 == len(list(world.folder.iterdir()))


def test_files_are_for_the_group_and_nobody_else(world: World) -> None:
    record(None, "office.founded")
    world.look()

    assert 0o640 == (world.folder / "people-1.json").stat().st_mode & 0o777
    assert 0o600 == (world.own / "published.json").stat().st_mode & 0o777


def test_fault_of_the_database_is_told_once_and_passes(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse() -> changes.Mark:
        raise DatabaseError("the server is restarting")

    with monkeypatch.context() as patched, caplog.at_level(logging.ERROR):
        patched.setattr(changes, "mark", refuse)
        for _ in range(5):
            world.look()
    assert (1, "DatabaseError: the server is restarting") == (len(caplog.records), world.publishing.fault)

    assert ["people-1.json", "premises-1.json"] == world.look(2)
    assert "" == world.publishing.fault


def test_fault_is_told_to_the_pages_until_something_is_published(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise DatabaseError("the server is restarting")

    with monkeypatch.context() as patched:
        patched.setattr(changes, "mark", refuse)
        world.look()
    assert "DatabaseError: the server is restarting" == alarm.read_fault(world.folder)
    assert "" == alarm.read(world.folder)

    world.begin()
    world.look(2)

    assert "" == alarm.read_fault(world.folder)


def test_full_disk_is_a_fault_and_the_next_look_publishes(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("office.publisher.shelf.write_atomic", refuse)
        world.look()
    assert "No space left on device" in world.publishing.fault

    assert ["people-2.json", "premises-1.json"] == world.look(2)
