"""What the fleet hands over, and what a machine takes."""

from __future__ import annotations

import io
import shutil
import stat
import tarfile
from datetime import timedelta
from pathlib import Path

import pytest

from installation.errors import PackError
from installation.pack import FOLDERS, read_pack
from installation.places import BROKER, CENTRAL, CENTRAL_STATE, OFFICE, Parts
from provisioning import packing
from provisioning.certificates import issue_crl
from provisioning.claims import reserve
from provisioning.enrolment import open_enrolment
from provisioning.fleet import Fleet, NewNode
from provisioning.issuer_changes import new_root
from provisioning.office import issue_office_certificate
from wire.subjects import NODES, SERVICES


def test_pack_and_folder_are_the_same(fleet: Fleet, town: Path, tmp_path: Path) -> None:
    issue_office_certificate(fleet.folder, "192.0.2.7")
    (town / "broker/mosquitto.pid").write_text("7")
    count = packing.pack(fleet.folder, tmp_path / "town.tar")

    packed = read_pack(tmp_path / "town.tar")

    assert packed == read_pack(town)
    assert count == len(packed.files) == 20
    assert "broker/mosquitto.pid" not in packed.files
    assert packing.FOLDERS == FOLDERS


def test_pack_is_for_its_owner_alone_and_holds_no_secret_of_the_town(fleet: Fleet, town: Path, tmp_path: Path) -> None:
    fleet.add("Corner Shop", "High St", ["hart"])
    packing.pack(fleet.folder, tmp_path / "town.tar")
    data = (tmp_path / "town.tar").read_bytes()

    assert stat.S_IMODE((tmp_path / "town.tar").stat().st_mode) == 0o600
    for secret in (*town.glob("authority/*.key"), *town.glob("nodes/*/*.key")):
        assert secret.read_bytes().strip() not in data, secret


def test_files_go_to_their_places_the_refusing_ones_first(town: Path) -> None:
    placed = read_pack(town).placed(Parts(office=True))

    assert [f"{BROKER}/acl", f"{BROKER}/crl.pem"] == [*placed][:2]
    private = {path for path, (_, mode) in placed.items() if mode == 0o600}
    assert {f"{BROKER}/acl", f"{BROKER}/server.key"} | {
        f"{CENTRAL}/{name}.key" for name in ("alerts", "client", "signing")
    } == private
    assert placed["/var/lib/watchlink-central/directory.json"] == placed[f"{OFFICE}/directory.json"]


def test_enrolment_service_gets_a_directory_before_central(town: Path) -> None:
    """Central forgets units that were not collected until the service has signed for them again."""
    placed = [*read_pack(town).placed(Parts(enrolment=True))]
    places = [placed.index(f"/var/lib/watchlink-{who}/directory.json") for who in ("enrol", "central")]

    assert sorted(places) == places


def test_claims_are_carried_along_and_no_node_of_them_is_a_sender(fleet: Fleet, town: Path, tmp_path: Path) -> None:
    reserve(fleet, [NewNode("Corner Shop", "High St", ["hart"])])
    packing.pack(fleet.folder, tmp_path / "town.tar")

    for source in (town, tmp_path / "town.tar"):
        pack = read_pack(source)
        assert (town / "claims.json").read_bytes() == pack.files["claims.json"]
        assert not any(path.endswith("claims.json") for path in pack.placed(Parts(office=True)))
        placed = pack.placed(Parts(central=False, enrolment=True))
        assert {"/var/lib/watchlink-enrol/claims.json", "/var/lib/watchlink-enrol/directory.json"} == set(placed)
        assert [1] == list(pack.directory.senders)


@pytest.mark.parametrize(
    ("parts", "begins"),
    [(Parts(), (BROKER, CENTRAL_STATE)), (Parts(central=False, office=True), (OFFICE,))],
)
def test_machine_gets_the_files_of_its_own_parts_alone(town: Path, parts: Parts, begins: tuple[str, ...]) -> None:
    assert {True} == {path.startswith(begins) for path in read_pack(town).placed(parts)}


@pytest.mark.parametrize(
    ("secret", "place"),
    [
        ("services-1.key", "central/client.key"),
        ("nodes-1.key", "broker/more.key"),
        ("root-1.key", "broker/more.key"),
        ("authority.key", "central/signing.key"),
    ],
)
def test_secret_of_the_town_is_refused_under_any_name(town: Path, secret: str, place: str) -> None:
    shutil.copy(town / "authority" / secret, town / place)

    with pytest.raises(PackError, match=f"{place} is the town's own secret"):
        read_pack(town)


@pytest.mark.parametrize("place", ["broker/more.key", "broker/notes.txt", "office/publisher/snapshot.key"])
def test_key_of_a_retired_issuer_is_refused(fleet: Fleet, town: Path, place: str) -> None:
    """Nothing else in the pack tells of it any more."""
    issue_office_certificate(fleet.folder, "192.0.2.7")
    new_root(fleet.folder, is_replacement=True)
    shutil.copy(town / "authority/nodes-1.key", town / place)

    with pytest.raises(PackError, match=f"{place} is a private key that neither"):
        read_pack(town)


@pytest.mark.parametrize("place", ["broker/delegate.key", "central/signing.key"])
def test_key_that_is_nobodys_here_is_refused(fleet: Fleet, town: Path, place: str) -> None:
    (town / place).write_text("ab" * 32)

    with pytest.raises(PackError, match=f"{place} is (a private key that neither|not the key that the directory)"):
        read_pack(town)


def test_halves_of_two_changes_are_refused(fleet: Fleet, town: Path) -> None:
    key = (town / "central/client.key").read_bytes()
    fleet.renew("central")
    (town / "central/client.key").write_bytes(key)

    with pytest.raises(PackError, match=r"central/client.key is not the key of central/client.pem"):
        read_pack(town)


def test_certificate_of_another_town_is_refused(town: Path, tmp_path: Path) -> None:
    other = Fleet.init(tmp_path / "other", schemes={"hart": "HART"}).layout.broker
    for name in ("server.key", "server.pem"):
        shutil.copy(other / name, town / "broker")

    with pytest.raises(PackError, match=r"broker/server.pem is not from the CA"):
        read_pack(town)


def test_expired_revocation_list_is_refused(fleet: Fleet, town: Path) -> None:
    with pytest.raises(PackError, match="renew-crl"):
        read_pack(town, fleet.now() + timedelta(days=31))


def test_files_of_a_fleet_whose_clock_was_ahead_are_refused(fleet: Fleet, town: Path) -> None:
    """Its timer may have made them at night: the broker would refuse everybody, or everybody the broker."""
    lists, ahead = town / "broker/crl.pem", fleet.now() + timedelta(days=60)
    good = lists.read_bytes()
    lists.write_bytes(b"".join(issue_crl(fleet.issuer(one), set(), 9, now=ahead) for one in (NODES, SERVICES)))
    with pytest.raises(PackError, match=r"broker/crl\.pem is not valid before .*clock"):
        read_pack(town)
    lists.write_bytes(good)
    Fleet.open(town, clock=lambda: ahead).renew("broker")

    with pytest.raises(PackError, match=r"broker/server\.pem is not valid before .*clock"):
        read_pack(town)


def test_damaged_revocation_list_is_refused(town: Path) -> None:
    """A broker that reloads it would let everybody in."""
    (town / "broker/crl.pem").write_bytes((town / "broker/crl.pem").read_bytes()[:200])

    with pytest.raises(PackError, match="does not hold what it should"):
        read_pack(town)


def test_revocation_list_of_another_town_is_refused(fleet: Fleet, town: Path, tmp_path: Path) -> None:
    other = Fleet.init(tmp_path / "other", schemes={"hart": "HART"})
    crl = issue_crl(other.issuer(NODES), set(), 9, now=fleet.now())
    (town / "broker/crl.pem").write_bytes(crl)

    with pytest.raises(PackError, match=r"crl.pem has no list of the CA Watchlink nodes-1"):
        read_pack(town)


@pytest.mark.parametrize("kept", [NODES, SERVICES])
def test_revocation_list_without_an_issuers_part_is_refused(fleet: Fleet, town: Path, kept: str) -> None:
    """The broker would refuse every node, or central."""
    lacking = {NODES: "services-1", SERVICES: "nodes-1"}[kept]
    (town / "broker/crl.pem").write_bytes(issue_crl(fleet.issuer(kept), set(), 9, now=fleet.now()))

    with pytest.raises(PackError, match=f"crl.pem has no list of the CA Watchlink {lacking}: the broker refuses all"):
        read_pack(town)


def test_revocation_list_that_is_damaged_behind_a_good_one_is_refused(town: Path) -> None:
    """A broker that reloads it would let everybody in, whatever the first says."""
    crl = (town / "broker/crl.pem").read_bytes()
    (town / "broker/crl.pem").write_bytes(crl[:-100])

    with pytest.raises(PackError, match="does not hold what it should"):
        read_pack(town)


def test_issuers_of_another_town_are_refused(town: Path, tmp_path: Path) -> None:
    other = Fleet.init(tmp_path / "other", schemes={"hart": "HART"}).layout.broker
    for name in ("issuers.pem", "crl.pem"):
        shutil.copy(other / name, town / "broker")

    with pytest.raises(PackError, match=r"broker/issuers.pem is not from the CA"):
        read_pack(town)


def test_fleet_that_moved_to_another_root_is_packed(fleet: Fleet, town: Path) -> None:
    fleet.add("Corner Shop", "High St", ["hart"])
    issue_office_certificate(fleet.folder, "192.0.2.7")
    new_root(fleet.folder, is_replacement=True)

    assert {"broker/issuers.pem", "office/publisher/server.pem"} <= set(read_pack(town).files)


def test_town_for_a_broker_elsewhere_is_refused_with_what_to_do(tmp_path: Path) -> None:
    Fleet.init(tmp_path / "town", schemes={"hart": "HART"})

    with pytest.raises(PackError, match="--broker-folder /etc/watchlink/broker --broker-user mosquitto"):
        read_pack(tmp_path / "town")


@pytest.mark.parametrize("name", ["authority/ca.key", "../broker/acl", "/etc/passwd", "broker/../x", "broker/state/db"])
def test_archive_with_anything_else_is_refused(tmp_path: Path, name: str) -> None:
    with tarfile.open(tmp_path / "town.tar", "w") as archive:
        archive.addfile(tarfile.TarInfo(name), io.BytesIO())

    with pytest.raises(PackError, match="is no file of 'watchlink fleet pack'"):
        read_pack(tmp_path / "town.tar")


def test_archive_with_a_link_is_refused(tmp_path: Path) -> None:
    link = tarfile.TarInfo("broker/acl")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/shadow"
    with tarfile.open(tmp_path / "town.tar", "w") as archive:
        archive.addfile(link)

    with pytest.raises(PackError, match="is no file of 'watchlink fleet pack'"):
        read_pack(tmp_path / "town.tar")


def test_compressed_or_oversized_archive_is_refused_unread(tmp_path: Path) -> None:
    """Who can write on the engineer's stick must not fill the memory of central's machine."""
    with tarfile.open(tmp_path / "town.tar", "w:xz") as archive:
        member = tarfile.TarInfo("directory.json")
        member.size = 3
        archive.addfile(member, io.BytesIO(b"abc"))
    with (tmp_path / "large.tar").open("wb") as file:
        file.truncate(1 << 40)

    with pytest.raises(PackError, match="it is damaged, or no archive"):
        read_pack(tmp_path / "town.tar")
    with pytest.raises(PackError, match="it is far too large"):
        read_pack(tmp_path / "large.tar")


@pytest.mark.parametrize("cut", [0, 700, 20_000])
def test_truncated_archive_is_refused(fleet: Fleet, tmp_path: Path, cut: int) -> None:
    packing.pack(fleet.folder, tmp_path / "town.tar")
    data = (tmp_path / "town.tar").read_bytes()
    (tmp_path / "town.tar").write_bytes(data[:cut])

    with pytest.raises(PackError):
        read_pack(tmp_path / "town.tar")


def test_pack_is_read_from_a_stream_and_one_that_broke_off_is_refused_wherever(fleet: Fleet, tmp_path: Path) -> None:
    """Cut between two files it holds a town without its last ones."""
    open_enrolment(fleet.folder, ["192.0.2.10"])
    packing.pack(fleet.folder, tmp_path / "town.tar")
    data = (tmp_path / "town.tar").read_bytes()
    with tarfile.open(tmp_path / "town.tar") as archive:
        ends = [member.offset for member in archive] + [archive.offset]

    assert read_pack(tmp_path / "town.tar").files == read_pack(io.BytesIO(data)).files
    for end in ends:
        with pytest.raises(PackError, match="What was sent is no file of 'watchlink fleet pack': it is damaged"):
            read_pack(io.BytesIO(data[:end]))


def test_what_is_no_fleet_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PackError, match="Give the fleet folder"):
        read_pack(tmp_path)
    with pytest.raises(PackError, match="cannot be read: No such file"):
        read_pack(tmp_path / "nothing")
