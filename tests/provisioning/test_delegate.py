"""The delegation as the fleet's engineer makes, renews and ends it."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Protocol

import msgspec
import pytest

from provisioning.claims import reserve
from provisioning.cli import main
from provisioning.delegate import delegate_to, end_delegation, read_delegate_key
from provisioning.errors import FleetInputError
from provisioning.fleet import Fleet, NewNode
from provisioning.listing import as_table, list_fleet
from provisioning.records import encode_record, load_record
from tests.support.fleet_office import Office
from wire.directory import DelegateChanges, Directory, open_directory, seal_changes
from wire.directory_succession import refusal
from wire.fingerprints import key_fingerprint
from wire.ids import NodeId
from wire.signing import SigningKey

DELEGATE, NEXT = SigningKey(b"d" * 32), SigningKey(b"n" * 32)


class Clock(Protocol):
    """As in conftest."""

    pass_by: Callable[[timedelta], None]


@pytest.fixture
def town(fleet: Fleet) -> str:
    return str(fleet.layout.town)


@pytest.fixture
def public_file(tmp_path: Path) -> Path:
    path = tmp_path / "delegate.pub"
    path.write_text(DELEGATE.public.raw.hex() + "\n")
    return path


def directory_of(fleet: Fleet) -> Directory:
    return open_directory(fleet.layout.directory.read_bytes(), fleet.folder.authority_public())


def changed(fleet: Fleet, serial: int, *struck: str, key: SigningKey = DELEGATE) -> bytes:
    """The fleet's directory with a delegate's changes."""
    changes = DelegateChanges(serial=serial, made_at=fleet.now(), struck=struck)
    return seal_changes(fleet.layout.directory.read_bytes(), changes, key, fleet.folder.authority_public())


def test_todays_fleet_has_a_delegate_by_one_command(
    fleet: Fleet, town: str, public_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A fleet.json from before delegates has no such field, and its directories count one by one."""
    fleet.add("Corner Shop", "", ["hart"])
    assert b"delegation" not in encode_record(fleet.record).replace(b'"delegation": null', b"")
    before = directory_of(fleet)

    assert 0 == main(["delegate", "--dir", town, str(public_file), "--yes"])

    directory = directory_of(fleet)
    assert directory.delegation is not None
    assert (2, 1_000_000, DELEGATE.public.raw) == (before.serial, directory.serial, directory.delegation.key)
    assert before.senders == directory.senders
    opened = open_directory(changed(Fleet.open(Path(town)), 1_000_001, "00000010"), fleet.folder.authority_public())
    assert opened.senders[NodeId(0x10)].is_revoked
    said = capsys.readouterr().out
    assert f"The key {key_fingerprint(DELEGATE.public.raw)} may add and strike premises' nodes until " in said
    assert "The directory has serial 1000000. Copy " in said


def test_record_from_before_delegates_is_read(fleet: Fleet) -> None:
    record = json.loads(encode_record(fleet.record))
    record.pop("delegation", None)
    fleet.layout.record.write_text(json.dumps(record))

    assert load_record(fleet.layout.record).delegation is None


def test_delegation_lasts_ninety_days_and_is_renewed_with_a_higher_epoch(fleet: Fleet, clock: Clock) -> None:
    first = delegate_to(fleet.folder, DELEGATE.public.raw)
    clock.pass_by(timedelta(days=60))
    second = delegate_to(fleet.folder, DELEGATE.public.raw)

    assert first.expires_at + timedelta(days=60) == second.expires_at == fleet.now() + timedelta(days=90)
    assert first.epoch < second.epoch
    assert () == second.ended


def test_epoch_rises_even_if_the_clock_was_set_back(fleet: Fleet, clock: Clock) -> None:
    first = delegate_to(fleet.folder, DELEGATE.public.raw)
    clock.pass_by(timedelta(days=-400))

    assert first.epoch + 1 == end_delegation(fleet.folder).epoch


def test_fleet_restored_from_before_the_delegation_ends_it_all_the_same(fleet: Fleet, clock: Clock) -> None:
    """Receivers refuse an epoch below the highest seen; the engineer raises the serial by hand, as the runbook says."""
    old = fleet.record
    for _ in range(3):
        delegate_to(fleet.folder, DELEGATE.public.raw)
    stolen = open_directory(changed(fleet, 3_000_009), fleet.folder.authority_public())
    clock.pass_by(timedelta(hours=1))
    fleet.folder.commit(msgspec.structs.replace(old, directory_serial=stolen.serial))
    fleet.folder.publish()
    assert "old delegation" == refusal(directory_of(fleet), stolen)

    end_delegation(fleet.folder)

    assert refusal(directory_of(fleet), stolen) is None


def test_authoritys_next_directory_is_above_all_that_the_delegate_could_number(fleet: Fleet) -> None:
    delegate_to(fleet.folder, DELEGATE.public.raw)
    highest = open_directory(changed(fleet, 1_999_999), fleet.folder.authority_public())

    fleet.add("Corner Shop", "", ["hart"])
    assert highest.serial < directory_of(fleet).serial == 2_000_000
    end_delegation(fleet.folder)
    fleet.add("The Anchor", "", ["hart"])

    assert 4_000_000 == directory_of(fleet).serial, "also after the end: what a former delegate signed is still about"


def test_ended_delegation_is_in_no_later_directory_and_its_key_is_never_a_delegates_again(
    fleet: Fleet, public_file: Path
) -> None:
    delegate_to(fleet.folder, DELEGATE.public.raw)
    epoch = directory_of(fleet).epoch
    end_delegation(fleet.folder)

    ended = directory_of(fleet)
    assert ended.delegation is not None
    assert b"" == ended.delegation.key
    assert epoch < ended.epoch
    for again in (
        lambda: delegate_to(fleet.folder, DELEGATE.public.raw),
        lambda: read_delegate_key(public_file, fleet.folder),
    ):
        with pytest.raises(FleetInputError, match="was a delegate's before"):
            again()
    assert ended == directory_of(fleet)


def test_another_delegate_takes_the_place_of_the_first(fleet: Fleet) -> None:
    delegate_to(fleet.folder, DELEGATE.public.raw)
    delegate_to(fleet.folder, NEXT.public.raw)

    directory = directory_of(fleet)
    assert directory.delegation is not None
    assert NEXT.public.raw == directory.delegation.key
    with pytest.raises(FleetInputError, match="was a delegate's before"):
        delegate_to(fleet.folder, DELEGATE.public.raw)


def test_delegate_asks_for_the_fingerprint_once(
    town: str, public_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["delegate", "--dir", town, str(public_file)]

    assert 2 == main(command)
    said = capsys.readouterr().err
    assert key_fingerprint(DELEGATE.public.raw) in said
    assert "give --yes" in said
    assert 0 == main([*command, "--yes"])
    assert 0 == main(command), "a renewal: nothing to compare"


def test_delegate_command_wants_a_key_or_an_end(
    town: str, public_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for more in ([], ["--end", str(public_file)]):
        assert 2 == main(["delegate", "--dir", town, *more])
        assert "or --end to end the delegation" in capsys.readouterr().err
    assert 0 == main(["delegate", "--dir", town, "--end"])
    assert "The delegation is ended." in capsys.readouterr().out


def test_key_of_somebody_else_in_the_town_is_no_delegates(fleet: Fleet, trusted: Office, tmp_path: Path) -> None:
    """One stolen machine must not be two."""
    node = fleet.add("Corner Shop", "", ["hart"])
    delegate_to(fleet.folder, DELEGATE.public.raw)
    path = tmp_path / "a.pub"
    for key, whose in (
        (node.key, "node 00000010"),
        (trusted.key.public.raw.hex(), "the office"),
        (fleet.folder.authority_public().raw.hex(), "this fleet's authority"),
    ):
        path.write_text(key)
        with pytest.raises(FleetInputError, match=f"the key of {whose}, not the delegate's: give its delegate.pub"):
            read_delegate_key(path, fleet.folder)
    private = tmp_path / "delegate.key"
    private.write_text((b"d" * 32).hex())
    with pytest.raises(FleetInputError, match=r"PRIVATE key.*whoever has it can add and strike nodes"):
        read_delegate_key(private, fleet.folder)


def test_list_names_the_delegate_and_warns_before_its_time_is_over(fleet: Fleet, clock: Clock) -> None:
    assert list_fleet(fleet).delegate is None
    delegate_to(fleet.folder, DELEGATE.public.raw)
    shown = f"Delegate's key {key_fingerprint(DELEGATE.public.raw)}, until 2027-05-30."
    assert shown in as_table(list_fleet(fleet))
    assert "delegat" not in "".join(list_fleet(fleet).warnings)

    clock.pass_by(timedelta(days=60))
    assert any(w.startswith("The delegation ends in 30 days: ") for w in list_fleet(fleet).warnings)
    clock.pass_by(timedelta(days=30))
    assert any(w.startswith("The delegation is over: ") for w in list_fleet(fleet).warnings)

    end_delegation(fleet.folder)
    assert list_fleet(fleet).delegate is None
    assert "delegat" not in "".join(list_fleet(fleet).warnings)


def test_list_says_whom_an_ended_delegation_leaves_out(fleet: Fleet, clock: Clock) -> None:
    """A unit may have claimed its number: nobody takes the delegate's word for it after the next directory."""
    delegate_to(fleet.folder, DELEGATE.public.raw)
    clock.pass_by(timedelta(days=60))
    assert "leaves out units" not in "".join(list_fleet(fleet).warnings)

    reserve(fleet, [NewNode("Corner Shop", "High St", ["hart"])])

    assert "the next directory leaves out units that were not collected." in "".join(list_fleet(fleet).warnings)


def test_directory_says_nothing_of_a_delegate_in_a_town_without_one(fleet: Fleet) -> None:
    fleet.add("Corner Shop", "", ["hart"])

    assert directory_of(fleet).delegation is None
    assert 2 == directory_of(fleet).serial
