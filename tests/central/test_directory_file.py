"""Central takes its directory from a file: the authority's, or with its delegate's changes."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace
from sqlalchemy import make_url

from central.core.events import DirectoryChanged, DirectoryRefused
from central.directory_file import LOOKS_FOR_DELEGATE, UNREADABLE, DirectoryFile, Newest, open_kept
from central.store.database import Database
from runtime.atomic import PUBLIC, write_atomic
from tools.publish.examples import CHANGES, DELEGATING_DIRECTORY, KEYS, PRESSED_AT, PUB
from wire.directory import (
    EMPTY_DIRECTORY,
    DelegateChanges,
    Delegation,
    DirectoryDocument,
    SealedDirectory,
    seal_changes,
    seal_directory,
)

AUTHORITY, DELEGATE = KEYS["authority"], KEYS["delegate"]
BASE = seal_directory(DELEGATING_DIRECTORY, AUTHORITY)
ENDED = replace(DELEGATING_DIRECTORY, serial=2_000_000, delegation=Delegation(epoch=2, expires_at=PRESSED_AT))


def delegates(changes: DelegateChanges = CHANGES, document: DirectoryDocument = DELEGATING_DIRECTORY) -> bytes:
    return seal_changes(seal_directory(document, AUTHORITY), changes, DELEGATE, AUTHORITY.public)


def unsigned() -> bytes:
    """The delegate's changes under nobody's signature."""
    sealed = msgspec.json.decode(delegates(), type=SealedDirectory)
    assert sealed.changes is not None
    return msgspec.json.encode(replace(sealed, changes=replace(sealed.changes, signature=bytes(64))))


class Desk:
    """Central, as far as it reads directories. ``now`` is the time by its clocks."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "directory.json"
        self.clocks = [PRESSED_AT]
        self.newest = Newest(EMPTY_DIRECTORY)
        self.begin()

    @property
    def now(self) -> datetime:
        return self.clocks[0]

    @now.setter
    def now(self, now: datetime) -> None:
        self.clocks = [now]

    def begin(self, newest: Newest | None = None) -> None:
        """Central starts, with what it kept."""
        held = (newest or self.newest).directory
        self.file = DirectoryFile(self.path, AUTHORITY.public, held, lambda: self.clocks)

    def take(self, data: bytes) -> str | None:
        """Put a file there; why it was refused, or ``None``."""
        write_atomic(self.path, data, PUBLIC)
        found = self.file.look()
        if isinstance(found, DirectoryRefused):
            return found.reason
        assert isinstance(found, DirectoryChanged)
        self.newest = Newest(found.directory, found.data)
        return None


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_central_takes_the_delegates_directory_and_hands_it_on_as_it_came(desk: Desk) -> None:
    data = delegates()

    assert desk.take(BASE) is None
    assert desk.take(data) is None
    assert desk.newest.directory.senders[PUB].is_revoked
    assert data == desk.newest.data


@pytest.mark.parametrize(
    ("prepare", "data", "reason"),
    [
        (BASE, unsigned(), "delegate signature"),
        (seal_directory(ENDED, AUTHORITY), delegates(), "directory older"),
        (
            seal_directory(ENDED, AUTHORITY),
            delegates(replace(CHANGES, serial=3_000_001), replace(DELEGATING_DIRECTORY, serial=3_000_000)),
            "old delegation",
        ),
        (delegates(), delegates(replace(CHANGES, serial=1_000_002, struck=())), "delegate change"),
    ],
    ids=["unsigned", "older", "an ended delegation", "un-striking"],
)
def test_central_refuses_and_keeps_what_it_has(desk: Desk, prepare: bytes, data: bytes, reason: str) -> None:
    assert desk.take(prepare) is None
    before = desk.newest

    assert reason == desk.take(data)
    assert before == desk.newest
    assert desk.file.look() is None, "said once"


@pytest.mark.parametrize(
    ("days", "reason"),
    [(-20_000, None), (0, None), (89, None), (90, "delegation expired"), (5_000, "delegation expired")],
)
def test_central_judges_a_delegations_end_by_its_machines_clock(desk: Desk, days: int, reason: str | None) -> None:
    assert desk.take(BASE) is None
    desk.now += timedelta(days=days)

    assert reason == desk.take(delegates())
    assert desk.take(seal_directory(ENDED, AUTHORITY)) is None, "the authority's own needs no clock"


@pytest.mark.parametrize("kind", ["one file", "the service's"])
def test_central_takes_what_a_wrong_clock_refused_once_it_is_right(tmp_path: Path, kind: str) -> None:
    """A claimed shop would be nobody until somebody restarts the control room."""
    desk = Desk(tmp_path) if kind == "one file" else Two(tmp_path)
    assert desk.take(BASE) is None
    desk.now += timedelta(days=5_000)
    path = desk.path if kind == "one file" else desk.path.with_name("changed.json")
    path.write_bytes(delegates())
    assert DirectoryRefused("delegation expired") == desk.file.look()
    assert desk.file.look() is None, "said once"

    desk.now = PRESSED_AT

    found = desk.file.look()
    assert isinstance(found, DirectoryChanged)
    assert delegates() == found.data
    assert desk.file.look() is None


@pytest.mark.parametrize("later", ["the authority's", "taken away"])
def test_central_forgets_what_it_refused_when_there_is_something_else(desk: Desk, later: str) -> None:
    assert desk.take(BASE) is None
    desk.now += timedelta(days=5_000)
    assert desk.take(delegates()) == "delegation expired"
    if later == "the authority's":
        assert desk.take(seal_directory(ENDED, AUTHORITY)) is None
    else:
        desk.path.unlink()
        assert desk.file.look() == DirectoryRefused(UNREADABLE)
    before = desk.newest

    desk.now = PRESSED_AT

    assert desk.file.look() is None
    assert before == desk.newest


def test_one_right_clock_is_enough_for_central(desk: Desk) -> None:
    """Its own time does not step while it runs: a machine whose clock was set right is believed without a restart."""
    assert desk.take(BASE) is None
    desk.clocks = [PRESSED_AT + timedelta(days=5_000), PRESSED_AT + timedelta(days=89)]

    assert desk.take(delegates()) is None


@pytest.fixture
def restarted(tmp_path: Path, desk: Desk) -> Callable[[datetime], None]:
    """Central ends, and starts again with what its database has."""

    def restart(at: datetime) -> None:
        database = Database(make_url(f"sqlite:///{tmp_path / 'central.db'}"))
        database.open()
        database.keep_directory(desk.newest.directory.serial, desk.newest.data, at)
        database.close()
        database = Database(make_url(f"sqlite:///{tmp_path / 'central.db'}"))
        database.open()
        desk.begin(open_kept(database.kept_directory(), AUTHORITY.public))
        database.close()

    return restart


def test_central_remembers_after_a_restart_that_a_delegation_was_ended(
    desk: Desk, restarted: Callable[[datetime], None]
) -> None:
    assert desk.take(delegates()) is None
    assert desk.take(seal_directory(ENDED, AUTHORITY)) is None

    restarted(desk.now)

    later = replace(DELEGATING_DIRECTORY, serial=3_000_000)
    assert "old delegation" == desk.take(delegates(replace(CHANGES, serial=3_000_001), later))
    assert "directory older" == desk.take(delegates(replace(CHANGES, serial=1_999_999)))


def test_central_keeps_a_strike_after_a_restart_when_the_delegation_is_over(
    desk: Desk, restarted: Callable[[datetime], None]
) -> None:
    """Time ends what the delegate may sign, not what it signed in time."""
    assert desk.take(delegates()) is None
    desk.now += timedelta(days=200)
    restarted(desk.now)

    assert desk.file.look() is None
    assert open_kept(desk.newest.data, AUTHORITY.public).directory.senders[PUB].is_revoked


class Two(Desk):
    """Central with a second file, in which the enrolment service puts the directory with its changes."""

    def begin(self, newest: Newest | None = None) -> None:
        held = (newest or self.newest).directory
        self.delegated = self.path.with_name("changed.json")
        self.file = DirectoryFile(self.path, AUTHORITY.public, held, lambda: self.clocks, self.delegated)


def test_central_takes_whichever_file_is_newer(tmp_path: Path) -> None:
    desk = Two(tmp_path)
    assert None is desk.take(BASE)
    assert None is desk.file.look()  # The second is not there: that is no fault.
    desk.delegated.write_bytes(delegates())
    found = desk.file.look()
    assert isinstance(found, DirectoryChanged)
    assert (delegates(), None) == (found.data, desk.file.look())

    # The authority's next one is taken although the service's is still the old one.
    assert None is desk.take(seal_directory(ENDED, AUTHORITY))
    assert None is desk.file.look()


NEXT = replace(DELEGATING_DIRECTORY, serial=3_000_000)


def with_both(folder: Path) -> Two:
    """Central holds what the delegate has signed, and then the authority's next directory comes."""
    desk = Two(folder)
    desk.path.write_bytes(BASE)
    desk.delegated.write_bytes(delegates())
    assert [True, True] == [isinstance(desk.file.look(), DirectoryChanged) for _ in range(2)]
    write_atomic(desk.path, seal_directory(NEXT, AUTHORITY), PUBLIC)
    return desk


def test_authoritys_next_directory_waits_for_its_delegate(tmp_path: Path) -> None:
    """A claimed shop's press was refused, and its panel read NOT DELIVERED, until the service had signed again."""
    desk = with_both(tmp_path)
    assert None is desk.file.look()
    again = delegates(replace(CHANGES, serial=3_000_001), NEXT)
    write_atomic(desk.delegated, again, PUBLIC)

    found = desk.file.look()

    assert isinstance(found, DirectoryChanged)
    assert again == found.data
    assert [None] * LOOKS_FOR_DELEGATE == [desk.file.look() for _ in range(LOOKS_FOR_DELEGATE)]


def test_authoritys_next_directory_does_not_wait_for_ever(tmp_path: Path) -> None:
    """The service may be dead."""
    desk = with_both(tmp_path)

    assert [None] * LOOKS_FOR_DELEGATE == [desk.file.look() for _ in range(LOOKS_FOR_DELEGATE)]
    found = desk.file.look()

    assert isinstance(found, DirectoryChanged)
    assert 3_000_000 == found.directory.serial


@pytest.mark.parametrize("why", ["another delegation", "no service"])
def test_authoritys_next_directory_is_taken_at_once_if_there_is_nobody_to_wait_for(tmp_path: Path, why: str) -> None:
    desk = with_both(tmp_path)
    if why == "no service":
        desk.delegated.unlink()
    else:
        write_atomic(desk.path, seal_directory(replace(ENDED, serial=3_000_000), AUTHORITY), PUBLIC)

    assert isinstance(desk.file.look(), DirectoryChanged)


def test_central_that_starts_again_is_not_told_of_a_step_back(tmp_path: Path) -> None:
    desk = Two(tmp_path)
    desk.path.write_bytes(BASE)
    desk.delegated.write_bytes(delegates())
    desk.begin(Newest(open_kept(delegates(), AUTHORITY.public).directory))

    assert None is desk.file.look()


@pytest.mark.parametrize("junk", [b"junk", unsigned()], ids=["junk", "unsigned"])
def test_bad_second_file_is_refused_and_holds_nothing_up(tmp_path: Path, junk: bytes) -> None:
    desk = Two(tmp_path)
    desk.delegated.write_bytes(junk)
    desk.path.write_bytes(BASE)

    assert isinstance(desk.file.look(), DirectoryChanged)
    assert isinstance(desk.file.look(), DirectoryRefused)
    assert None is desk.file.look()


@pytest.mark.parametrize("kind", ["pipe", "closed folder"])
def test_whoever_took_the_service_over_keeps_no_directory_from_central(tmp_path: Path, kind: str) -> None:
    """The authority has ended that delegate, and central has to hear of it."""
    desk = Two(tmp_path)
    desk.path.write_bytes(BASE)
    assert isinstance(desk.file.look(), DirectoryChanged)
    if kind == "pipe":
        os.mkfifo(desk.delegated)
    else:
        desk.delegated.symlink_to(desk.delegated)
    assert DirectoryRefused(UNREADABLE) == desk.file.look()

    write_atomic(desk.path, seal_directory(ENDED, AUTHORITY), PUBLIC)

    found = desk.file.look()
    assert isinstance(found, DirectoryChanged)
    assert found.directory.delegation == ENDED.delegation


def test_second_file_is_no_link_to_something_else(tmp_path: Path) -> None:
    """The folder is another program's: central reads nothing of its own by a name that stands there."""
    desk = Two(tmp_path)
    desk.path.write_bytes(BASE)
    (tmp_path / "elsewhere.json").write_bytes(delegates())
    desk.delegated.symlink_to(tmp_path / "elsewhere.json")

    assert isinstance(desk.file.look(), DirectoryChanged)
    assert DirectoryRefused(UNREADABLE) == desk.file.look()


def test_second_file_that_is_closed_to_central_is_told_once(tmp_path: Path) -> None:
    """Its units say that they are armed, and central hears none of them."""
    desk = Two(tmp_path)
    desk.path.write_bytes(BASE)
    desk.delegated.symlink_to(desk.delegated)  # Fails for root as well.

    assert isinstance(desk.file.look(), DirectoryChanged)
    assert DirectoryRefused(UNREADABLE) == desk.file.look()
    assert None is desk.file.look()
    desk.delegated.unlink()
    desk.delegated.write_bytes(delegates())
    assert isinstance(desk.file.look(), DirectoryChanged)
