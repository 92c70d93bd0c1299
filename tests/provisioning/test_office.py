"""Whose snapshots count: the office's key in the directory, and what is refused in its place."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Protocol

import msgspec
import pytest

from provisioning.errors import FleetDamagedError, FleetError, FleetInputError
from provisioning.fleet import Fleet
from provisioning.listing import as_table, list_fleet
from provisioning.office import change_keys, find_key, issue_office_certificate, read_office_key
from provisioning.records import encode_record
from tests.support.fleet_office import Office
from wire.directory import Directory, open_directory
from wire.fingerprints import key_fingerprint
from wire.signing import SigningKey


class Clock(Protocol):
    """As in conftest."""

    pass_by: Callable[[timedelta], None]


def directory_of(fleet: Fleet) -> Directory:
    return open_directory(fleet.layout.directory.read_bytes(), fleet.folder.authority_public())


def key_of(number: int) -> bytes:
    return SigningKey(bytes([number]) * 32).public.raw


def test_key_that_is_trusted_is_in_the_next_directory(fleet: Fleet, office: Office) -> None:
    serial = directory_of(fleet).serial

    change_keys(fleet.folder, trust=read_office_key(office.public_file, fleet.folder))

    directory = directory_of(fleet)
    assert (office.key.public,) == directory.office_keys
    assert serial + 1 == directory.serial
    assert directory == directory_of(Fleet.open(fleet.layout.town))


def test_key_that_is_struck_is_in_no_later_directory_and_stays_in_the_record(fleet: Fleet, trusted: Office) -> None:
    serial = directory_of(fleet).serial

    change_keys(fleet.folder, strike=key_fingerprint(trusted.key.public.raw))

    assert () == directory_of(fleet).office_keys
    assert serial + 1 == directory_of(fleet).serial
    assert find_key(fleet.record, trusted.key.public.raw.hex()).struck_at == fleet.now()


def test_key_is_changed_for_the_next_in_one_directory(fleet: Fleet, trusted: Office) -> None:
    """At no moment is there a directory without a key, nor one with the stolen key beside the new."""
    serial = directory_of(fleet).serial

    change_keys(fleet.folder, trust=key_of(2), strike=trusted.key.public.raw.hex())

    assert [key_of(2)] == [key.raw for key in directory_of(fleet).office_keys]
    assert serial + 1 == directory_of(fleet).serial


def test_trusting_and_striking_again_changes_nothing(fleet: Fleet, trusted: Office, clock: Clock) -> None:
    key = trusted.key.public.raw
    serial = fleet.record.directory_serial
    change_keys(fleet.folder, trust=key)
    assert serial == fleet.record.directory_serial

    for _ in range(2):
        clock.pass_by(timedelta(days=1))
        change_keys(fleet.folder, strike=key.hex())

    assert serial + 1 == fleet.record.directory_serial


def test_interrupted_change_is_finished_by_running_it_again(
    fleet: Fleet, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("provisioning.folder.FleetFolder.publish", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            change_keys(fleet.folder, trust=office.key.public.raw)
    assert () == directory_of(fleet).office_keys

    change_keys(fleet.folder, trust=office.key.public.raw)

    assert (office.key.public,) == directory_of(fleet).office_keys


def test_directory_has_room_for_four_keys_and_a_change_of_one_needs_no_fifth(fleet: Fleet) -> None:
    for number in range(1, 5):
        change_keys(fleet.folder, trust=key_of(number))
    before = fleet.layout.record.read_bytes()

    with pytest.raises(FleetInputError, match="room for 4"):
        change_keys(fleet.folder, trust=key_of(5))
    assert before == fleet.layout.record.read_bytes()
    change_keys(fleet.folder, trust=key_of(5), strike=key_of(1).hex())

    assert [key_of(number) for number in (2, 3, 4, 5)] == [key.raw for key in directory_of(fleet).office_keys]


def test_struck_key_that_was_never_trusted_is_named_with_those_that_are(fleet: Fleet, trusted: Office) -> None:
    with pytest.raises(FleetInputError, match=key_fingerprint(trusted.key.public.raw)):
        change_keys(fleet.folder, strike=key_of(9).hex())


def test_key_is_found_by_its_fingerprint_however_it_is_typed(fleet: Fleet, trusted: Office) -> None:
    typed = key_fingerprint(trusted.key.public.raw).lower().replace("-", " ").replace("0", "o")

    assert trusted.key.public == find_key(fleet.record, typed).public


def test_two_commands_at_once_lose_no_key_and_no_serial(fleet: Fleet) -> None:
    serial = fleet.record.directory_serial
    town = fleet.layout.town
    commands = [
        threading.Thread(target=lambda n=number: change_keys(Fleet.open(town).folder, trust=key_of(n)))
        for number in range(1, 5)
    ]
    for command in commands:
        command.start()
    for command in commands:
        command.join()

    assert {key_of(number) for number in range(1, 5)} == {key.raw for key in directory_of(fleet).office_keys}
    assert serial + 4 == directory_of(fleet).serial


def test_full_disk_changes_no_key(fleet: Fleet, trusted: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    before = (fleet.layout.record.read_bytes(), fleet.layout.directory.read_bytes())
    monkeypatch.setattr("provisioning.folder.write_atomic", refuse)

    with pytest.raises(FleetError, match="No space left on device"):
        change_keys(fleet.folder, strike=trusted.key.public.raw.hex())

    assert before == (fleet.layout.record.read_bytes(), fleet.layout.directory.read_bytes())


@pytest.mark.parametrize("key", ["0" * 64, "ab", "01" + "00" * 31])
def test_record_with_a_key_that_is_none_is_damaged(fleet: Fleet, trusted: Office, key: str) -> None:
    text = fleet.layout.record.read_text()
    assert trusted.key.public.raw.hex() in text
    fleet.layout.record.write_text(text.replace(trusted.key.public.raw.hex(), key))

    with pytest.raises(FleetDamagedError, match=r"fleet\.json is damaged"):
        Fleet.open(fleet.layout.town)


def test_record_from_before_there_was_an_office_is_read(fleet: Fleet) -> None:
    older = msgspec.to_builtins(fleet.record)
    for field in ("office", "web"):
        del older[field]
    fleet.layout.record.write_bytes(msgspec.json.encode(older))

    assert () == Fleet.open(fleet.layout.town).record.office.trusted
    assert encode_record(fleet.record) == encode_record(Fleet.open(fleet.layout.town).record)


def test_private_key_in_the_public_ones_place_is_recognised(fleet: Fleet, office: Office) -> None:
    """Both are 64 digits. The public half lies beside it where the office made them."""
    secret = (b"o" * 32).hex()
    named = office.folder / "carried" / "snapshot.key"
    named.parent.mkdir()
    named.write_text(secret)
    assert office.public_file.exists()
    renamed = office.folder / "key.txt"
    renamed.write_text(secret + "\n")
    pem = office.folder / "anything"
    pem.write_text("-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIA==\n-----END PRIVATE KEY-----\n")

    for path in (named, renamed, pem):
        with pytest.raises(FleetInputError, match="PRIVATE key"):
            read_office_key(path, fleet.folder)


def test_fleets_own_keys_are_not_the_offices(fleet: Fleet, tmp_path: Path) -> None:
    node = fleet.add("Corner Shop", "", ["hart"])
    public = tmp_path / "node.pub"
    public.write_text(node.key)
    secret = tmp_path / "renamed"
    secret.write_bytes((fleet.layout.authority / "authority.key").read_bytes())

    with pytest.raises(FleetInputError, match="this fleet's authority, not the office's"):
        read_office_key(fleet.layout.authority / "authority.pub", fleet.folder)
    with pytest.raises(FleetInputError, match="node 00000010, not the office's"):
        read_office_key(public, fleet.folder)
    with pytest.raises(FleetInputError, match="PRIVATE key"):
        read_office_key(secret, fleet.folder)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "64 hexadecimal digits"),
        ("zz" * 32, "64 hexadecimal digits"),
        ("ab" * 31, "64 hexadecimal digits"),
        ("é" * 64, "64 hexadecimal digits"),
        ("00" * 32, "anybody could sign"),
        ("02" + "00" * 31, "no public key"),
    ],
)
def test_file_that_holds_no_key_is_refused(fleet: Fleet, tmp_path: Path, content: str, words: str) -> None:
    path = tmp_path / "snapshot.pub"
    path.write_text(content)

    with pytest.raises(FleetInputError, match=words):
        read_office_key(path, fleet.folder)


def test_file_that_is_not_there_is_named(fleet: Fleet, tmp_path: Path) -> None:
    with pytest.raises(FleetInputError, match=r"nowhere\.pub cannot be read: No such file"):
        read_office_key(tmp_path / "nowhere.pub", fleet.folder)


def test_every_public_key_is_a_point_on_the_curve(fleet: Fleet, tmp_path: Path) -> None:
    """The check must refuse no office."""
    path = tmp_path / "snapshot.pub"
    for number in range(40):
        path.write_text(key_of(number).hex())
        assert key_of(number) == read_office_key(path, fleet.folder)


def test_office_certificate_is_a_servers_for_its_host_and_is_renewed_for_the_same(fleet: Fleet) -> None:
    folder = issue_office_certificate(fleet.folder, "192.0.2.7")
    first = (folder / "server.pem").read_bytes()
    again = fleet.renew("office")

    assert {"server.pem", "server.key", "ca.pem"} == {path.name for path in again.iterdir()}
    assert first != (again / "server.pem").read_bytes()
    assert 2 == len(Fleet.open(fleet.layout.town).record.office.certificates)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(again / "server.pem", again / "server.key")
    read = ssl._ssl._test_decode_cert(str(again / "server.pem"))  # type: ignore[attr-defined]
    assert ("IP Address", "192.0.2.7") in read["subjectAltName"]
    assert "192.0.2.7" == fleet.record.office.host


def test_list_shows_keys_and_the_certificate_and_warns_before_its_end(
    fleet: Fleet, trusted: Office, clock: Clock
) -> None:
    assert () == list_fleet(fleet).warnings
    issue_office_certificate(fleet.folder)
    clock.pass_by(timedelta(days=75))

    listing = list_fleet(fleet)

    assert [key_fingerprint(trusted.key.public.raw)] == [key.fingerprint for key in listing.office_keys]
    assert "The office's certificate expires in 15 days: 'watchlink fleet renew office'." in listing.warnings
    assert f"Office's key {key_fingerprint(trusted.key.public.raw)}, trusted since 2027-03-01." in as_table(listing)
