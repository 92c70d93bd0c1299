"""What ``node install`` puts in place, keeps and refuses. On a real Debian: tests/systemd/test_boot.py."""

from __future__ import annotations

import io
import shutil
import stat
import tarfile
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from installation import node_places
from installation.drop_in import path_of
from installation.errors import InstallError, PackError
from installation.machine import Answer
from installation.node_install import install_node
from installation.node_pack import FILES, read_node_pack
from installation.places import PROGRAM
from installation.services import UDEV
from provisioning.certificates import issue_client_certificate
from provisioning.errors import BrokerUnprovenError
from provisioning.fleet import Fleet
from provisioning.packing import NODE_FILES, pack_node
from tests.installation.conftest import BareMachine
from wire.claim_code import claim_code
from wire.seed import SEED_FILE, EnrolmentAddress, OfficeAddress, Seed, decode_seed, encode_seed
from wire.subjects import NODES, SERVICES

NODE = "00000010"
UNITS = ("watchlink-node", "watchlink-node-renew.timer")
NOTHING = [f"Nothing to do: everything is in place, {NODE} is here."]


@pytest.fixture
def unit(tmp_path: Path) -> BareMachine:
    """A bare machine with the programs."""
    machine = BareMachine(tmp_path / "unit")
    for folder in ("/opt/watchlink/bin", "/run/udev", node_places.STATE):
        machine.path(folder).mkdir(parents=True)
    for file in (PROGRAM, UDEV):
        machine.path(file).touch()
    return machine


@pytest.fixture
def carried(fleet: Fleet) -> Path:
    """The folder of a node."""
    return fleet.node_folder(fleet.add("Corner Shop", "High St", ["hart"], profile="fake").node)


def installed(machine: BareMachine, source: Path | None = None) -> list[str]:
    """What it says."""
    said: list[str] = []
    install_node(machine, read_node_pack(source) if source else {}, said.append)
    return said


def here(machine: BareMachine, name: str) -> Path:
    return machine.path(f"{node_places.STATE}/{name}")


def test_first_run_puts_all_in_place_and_starts_the_unit(unit: BareMachine, carried: Path) -> None:
    unit.refused = {"systemctl is-enabled", "systemctl is-active"}
    said = installed(unit, carried)

    assert {"udevadm control --reload", "udevadm trigger"} <= set(unit.asked)
    assert f"made {node_places.NODE_TOML}" in said
    assert [f"Everything is in place: {NODE} is here."] == said[-1:]
    assert [
        "systemctl daemon-reload",
        *(f"systemctl {act} {name}" for name in UNITS for act in ("enable", "start")),
    ] == unit.acts()
    assert {name: (carried / name).read_bytes() for name in FILES} == {
        name: here(unit, name).read_bytes() for name in FILES
    }
    modes = {path: stat.S_IMODE(unit.path(path).stat().st_mode) for path in (node_places.ADOPT, node_places.NODE_TOML)}
    assert {node_places.ADOPT: 0o755, node_places.NODE_TOML: 0o644} == modes
    assert {0o600} == {stat.S_IMODE(here(unit, name).stat().st_mode) for name in ("signing.key", "client.key")}


def test_container_without_udev_is_installed_all_the_same(unit: BareMachine, carried: Path) -> None:
    unit.path(UDEV).unlink()
    installed(unit, carried)

    assert [] == [line for line in unit.asked if line.startswith("udevadm")]
    assert "systemctl restart watchlink-node" in unit.acts()


def test_second_run_does_nothing_with_or_without_what_was_carried(unit: BareMachine, carried: Path) -> None:
    installed(unit, carried)
    unit.acts()

    assert NOTHING == installed(unit, carried) == installed(unit)
    assert [] == unit.acts()


def test_pack_and_folder_are_the_same(fleet: Fleet, carried: Path, tmp_path: Path) -> None:
    (carried / "state").mkdir()
    assert carried == pack_node(fleet.folder, NODE, tmp_path / "node.tar")

    assert read_node_pack(carried) == read_node_pack(tmp_path / "node.tar")
    assert set(FILES) == set(NODE_FILES)
    assert 0o600 == stat.S_IMODE((tmp_path / "node.tar").stat().st_mode)


def test_renewed_certificate_completes_what_is_here_and_an_older_one_does_not_come_back(
    unit: BareMachine, fleet: Fleet, carried: Path, tmp_path: Path
) -> None:
    old = shutil.copytree(carried, tmp_path / "old")
    installed(unit, carried)
    shutil.rmtree(carried)
    later = fleet.now() + timedelta(days=60)
    carried.mkdir()
    fleet.layout.write_certificate(carried, "client", issue_client_certificate(fleet.issuer(NODES), NODE, now=later))
    unit.acts()

    said = installed(unit, carried)
    assert [f"updated {node_places.STATE}/{name}" for name in ("client.key", "client.pem")] == said[:2]
    assert ["systemctl restart watchlink-node"] == unit.acts()
    assert NOTHING == installed(unit, old)
    assert (carried / "client.pem").read_bytes() == here(unit, "client.pem").read_bytes()


def test_directory_that_is_newer_here_stays(unit: BareMachine, fleet: Fleet, carried: Path, tmp_path: Path) -> None:
    old = shutil.copytree(carried, tmp_path / "old")
    fleet.add("Bakery", "High St", ["hart"])
    installed(unit, carried)

    assert NOTHING == installed(unit, old)


def test_engineers_configuration_is_kept_and_says_what_the_unit_needs(unit: BareMachine, carried: Path) -> None:
    installed(unit, carried)
    toml = here(unit, "node.toml")
    toml.write_text(
        toml.read_text().replace('"127.0.0.1"', '"192.0.2.10"') + '[radio]\ndriver = "sound"\nlicence = "1"\n'
    )
    unit.acts()
    unit.refused = {"dpkg-query --show --showformat=${db:Status-Status} direwolf"}
    with pytest.raises(InstallError, match=r"apt install direwolf\."):
        installed(unit, carried)
    unit.refused = set()
    installed(unit, carried)

    assert unit.path(path_of("watchlink-node")).read_text().endswith("[Service]\nIPAddressAllow=192.0.2.10/32\n")
    assert ["systemctl daemon-reload", "systemctl restart watchlink-node"] == unit.acts()
    assert toml.read_text().endswith('licence = "1"\n')


def seed_of(fleet: Fleet, node: str = NODE, host: str = "192.0.2.10") -> bytes:
    return encode_seed(
        Seed(
            node=node,
            claim=claim_code(bytes(14)),
            enrolment=EnrolmentAddress(host=host),
            ca_sha256=("ab" * 32,),
            authority=fleet.folder.authority_public().raw.hex(),
        )
    )


@pytest.fixture
def card(fleet: Fleet, tmp_path: Path) -> Path:
    """As 'fleet seed' writes it."""
    (tmp_path / "card").mkdir()
    (tmp_path / "card" / SEED_FILE).write_bytes(seed_of(fleet))
    return tmp_path / "card"


def test_unit_with_a_seed_claims_its_identity_before_it_starts(unit: BareMachine, card: Path) -> None:
    said = installed(unit, card)

    assert f"Everything is in place: {NODE} is being claimed." == said[-1]
    assert 0o600 == stat.S_IMODE(here(unit, SEED_FILE).stat().st_mode)
    assert [
        "systemctl daemon-reload",
        "systemctl --no-block restart watchlink-node-enrol",
        *(f"systemctl --no-block restart {name}" for name in UNITS),
    ] == unit.acts()
    for name in ("watchlink-node", "watchlink-node-renew", "watchlink-node-enrol"):
        assert "\nIPAddressAllow=192.0.2.10/32\n" in unit.path(path_of(name)).read_text()


def test_unit_whose_seed_names_an_office_runs_a_gallery(unit: BareMachine, card: Path) -> None:
    file = card / SEED_FILE
    file.write_bytes(encode_seed(replace(decode_seed(file.read_bytes()), office=OfficeAddress(host="192.0.2.9"))))
    unit.refused = {"systemctl is-enabled", "systemctl is-active"}
    installed(unit, card)
    acts = unit.acts()

    assert "systemctl enable watchlink-gallery" in acts
    assert "systemctl --no-block restart watchlink-gallery" in acts
    drop_in = unit.path(path_of("watchlink-gallery"))
    assert drop_in.exists()
    assert "\nIPAddressAllow=192.0.2.9/32\n" in drop_in.read_text()
    assert "systemctl --no-block restart avahi-daemon" in acts
    assert f"\nhost-name=watchlink-{NODE}\n" in unit.path(node_places.AVAHI_CONF).read_text()


def test_unit_that_was_given_no_office_runs_none(unit: BareMachine, carried: Path) -> None:
    installed(unit, carried)
    assert [] == [act for act in unit.acts() if "watchlink-gallery" in act]
    unit.path(node_places.GALLERY_TOML).touch()
    unit.refused = {"systemctl is-active watchlink-gallery"}
    installed(unit)

    assert ["systemctl start watchlink-gallery"] == [act for act in unit.acts() if "watchlink-gallery" in act]


def test_unit_whose_engineer_wants_no_name_told_is_installed_without(unit: BareMachine, carried: Path) -> None:
    """``systemctl mask avahi-daemon``: it can be neither enabled nor started, which must not fail the rest."""
    unit.path(node_places.GALLERY_TOML).touch()
    unit.told["systemctl is-enabled avahi-daemon"] = Answer(1, "masked\n")
    installed(unit, carried)

    assert [] == [act for act in unit.acts() if "avahi" in act and "is-enabled" not in act]
    assert not unit.path(node_places.AVAHI_CONF).exists()


def test_unit_whose_network_cannot_be_told_its_name_does_without(unit: BareMachine, carried: Path) -> None:
    """Debian's package is there, or it is not: either way there is a gallery, and nothing to be done twice."""
    unit.path(node_places.GALLERY_TOML).touch()
    unit.told["dpkg-query --show --showformat=${db:Status-Status} avahi-daemon"] = Answer(1, "")
    installed(unit, carried)
    assert [] == [act for act in unit.acts() if "avahi" in act]
    assert not unit.path(node_places.AVAHI_CONF).exists()
    assert NOTHING == installed(unit)
    unit.told.clear()
    said = installed(unit)

    assert f"made {node_places.AVAHI_CONF}" in said
    assert ["systemctl daemon-reload", "systemctl restart avahi-daemon"] == unit.acts()
    assert NOTHING == installed(unit)


def test_gallery_may_reach_the_office_that_its_file_names(unit: BareMachine, carried: Path) -> None:
    toml = unit.path(node_places.GALLERY_TOML)
    toml.write_text('[office]\nhost = "192.0.2.10"\n')
    installed(unit, carried)
    drop_in = unit.path(path_of("watchlink-gallery"))
    assert drop_in.exists()
    assert drop_in.read_text().endswith("[Service]\nIPAddressAllow=192.0.2.10/32\n")
    unit.acts()
    toml.write_text('[office]\nhost = "192.0.2.11"\n')
    installed(unit)

    assert drop_in.read_text().endswith("[Service]\nIPAddressAllow=192.0.2.11/32\n")
    assert ["systemctl daemon-reload", "systemctl restart watchlink-gallery"] == unit.acts()
    toml.write_text("[office\n")
    with pytest.raises(InstallError, match=r"gallery\.toml cannot be read: .* Mend or delete it\. Nothing was changed"):
        installed(unit)


def test_seed_that_is_being_claimed_is_left_to_it(unit: BareMachine, card: Path) -> None:
    installed(unit, card)
    unit.acts()
    unit.refused = {f"systemctl is-active {name}" for name in UNITS}
    unit.told["systemctl is-active watchlink-node-enrol"] = Answer(3, "activating\n")
    nothing = [f"Nothing to do: everything is in place, {NODE} is being claimed."]

    assert nothing == installed(unit, card) == installed(unit)
    assert [] == unit.acts()


def test_seed_that_has_done_its_work_is_not_put_again(unit: BareMachine, carried: Path, card: Path) -> None:
    installed(unit, carried)

    assert NOTHING == installed(unit, card)
    assert not here(unit, SEED_FILE).exists()


def test_seed_for_another_unit_is_refused(unit: BareMachine, fleet: Fleet, carried: Path, card: Path) -> None:
    installed(unit, carried)
    (card / SEED_FILE).write_bytes(seed_of(fleet, "00000011"))

    with pytest.raises(PackError, match="This machine is the unit 00000010; this is for 00000011"):
        installed(unit, card / SEED_FILE)
    assert not here(unit, SEED_FILE).exists()


def test_seed_with_a_mistake_is_refused_with_what_is_wrong(unit: BareMachine, card: Path) -> None:
    (card / SEED_FILE).write_text('{"format": 1,\n"node" "00000010"}')

    with pytest.raises(PackError, match="look for a missing quote or comma in line 2"):
        installed(unit, card)
    assert not unit.path("/etc").exists()


def test_unit_with_a_panel_needs_debians_library_for_its_bus(unit: BareMachine, fleet: Fleet) -> None:
    carried = fleet.node_folder(fleet.add("Corner Shop", "High St", ["hart"]).node)
    unit.refused = {"dpkg-query --show --showformat=${db:Status-Status} python3-spidev"}

    with pytest.raises(InstallError, match=r"apt install python3-spidev\. Nothing was changed"):
        installed(unit, carried)
    assert not unit.path("/etc").exists()


def test_unit_with_pins_needs_the_library_for_them_which_debian_has_not(unit: BareMachine, fleet: Fleet) -> None:
    carried = fleet.node_folder(fleet.add("Corner Shop", "High St", ["hart"]).node)
    unit.refused = {"dpkg-query --show --showformat=${db:Status-Status} python3-lgpio"}

    with pytest.raises(InstallError, match=r"On Raspberry Pi OS: apt install python3-lgpio\. Debian 13 has no such"):
        installed(unit, carried)
    assert not unit.path("/etc").exists()

    library = unit.path(node_places.PINS_LIBRARY)
    library.parent.mkdir(parents=True)
    library.touch()
    installed(unit, carried)


def test_another_unit_is_not_put_over_this_one(unit: BareMachine, fleet: Fleet, carried: Path) -> None:
    """Its memory of numbers, and alerts not yet delivered, would go out under the other's name."""
    installed(unit, carried)
    other = fleet.node_folder(fleet.add("Bakery", "High St", ["hart"], profile="fake").node)
    before = here(unit, "signing.key").read_bytes()

    with pytest.raises(PackError, match="This machine is the unit 00000010; this is for 00000011, or another town"):
        installed(unit, other)
    assert before == here(unit, "signing.key").read_bytes()


def test_unit_of_another_town_is_not_put_over_this_one(unit: BareMachine, carried: Path, tmp_path: Path) -> None:
    installed(unit, carried)
    other = Fleet.init(tmp_path / "other", schemes={"hart": "HART"})

    with pytest.raises(PackError, match="or another town"):
        installed(unit, other.node_folder(other.add("Corner Shop", "High St", ["hart"], profile="fake").node))


@pytest.mark.parametrize("name", FILES)
def test_half_a_node_is_refused_on_a_bare_machine(unit: BareMachine, carried: Path, name: str) -> None:
    (carried / name).unlink()

    with pytest.raises(PackError, match=f"{name} is missing here and in what was given"):
        installed(unit, carried)
    assert not unit.path("/etc").exists()


def test_files_of_two_nodes_are_refused(unit: BareMachine, fleet: Fleet, carried: Path) -> None:
    other = fleet.node_folder(fleet.add("Bakery", "High St", ["hart"], profile="fake").node)
    mine = {name: (carried / name).read_bytes() for name in FILES}
    theirs = {name: (other / name).read_bytes() for name in FILES}
    for names, says in (
        (("client.key",), "client.key is not the key of client.pem"),
        (("client.key", "client.pem"), "client.pem is the certificate of CN=00000011,O=node, but node.toml is that of"),
        (("signing.key",), "signing.key is not the key that the directory gives 00000010"),
    ):
        with pytest.raises(PackError, match=says):
            install_node(unit, mine | {name: theirs[name] for name in names}, lambda _: None)


def test_certificate_that_is_not_a_nodes_is_refused(unit: BareMachine, fleet: Fleet, carried: Path) -> None:
    issued = issue_client_certificate(fleet.issuer(SERVICES), NODE, now=fleet.now())
    fleet.layout.write_certificate(carried, "client", issued)

    with pytest.raises(PackError, match=r"client\.pem is the certificate of CN=00000010,O=services"):
        installed(unit, carried)


def test_certificate_of_another_town_is_refused(unit: BareMachine, carried: Path, tmp_path: Path) -> None:
    other = Fleet.init(tmp_path / "other", schemes={"hart": "HART"})
    shutil.copy(other.layout.central / "ca.pem", carried)

    with pytest.raises(PackError, match=r"client\.pem is not from the CA in ca\.pem"):
        installed(unit, carried)


def test_expired_certificate_is_refused_with_what_to_do(unit: BareMachine, fleet: Fleet, carried: Path) -> None:
    with pytest.raises(PackError, match="'watchlink fleet renew 00000010', then pack again"):
        install_node(unit, read_node_pack(carried), lambda _: None, fleet.now() + timedelta(days=91))


def test_revoked_node_is_neither_packed_nor_installed(
    unit: BareMachine, fleet: Fleet, carried: Path, tmp_path: Path
) -> None:
    def nobody_to_tell() -> None:
        raise BrokerUnprovenError("no broker in this test")

    with pytest.raises(BrokerUnprovenError):
        fleet.revoke(NODE, nobody_to_tell)

    with pytest.raises(PackError, match="00000010 is revoked"):
        installed(unit, carried)
    with pytest.raises(ValueError, match="is revoked: add the premises again"):
        pack_node(fleet.folder, NODE, tmp_path / "node.tar")


def test_node_whose_folder_was_carried_away_cannot_be_packed(fleet: Fleet, carried: Path, tmp_path: Path) -> None:
    shutil.rmtree(carried)

    with pytest.raises(ValueError, match="Nothing of 00000010 is in"):
        pack_node(fleet.folder, NODE, tmp_path / "node.tar")


@pytest.mark.parametrize("name", ["central/client.key", "node/state/node.db", "../etc/passwd", "directory.json"])
def test_archive_with_anything_else_is_refused(tmp_path: Path, name: str) -> None:
    with tarfile.open(tmp_path / "node.tar", "w") as archive:
        archive.addfile(tarfile.TarInfo(name), io.BytesIO())

    with pytest.raises(PackError, match="is no file of 'watchlink fleet pack NODE'"):
        read_node_pack(tmp_path / "node.tar")


def test_what_is_no_node_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PackError, match="holds nothing of a node"):
        read_node_pack(tmp_path)
    with pytest.raises(PackError, match="cannot be read: No such file"):
        read_node_pack(tmp_path / "nothing")


@pytest.mark.parametrize("damage", ["authority.pub", "directory.json", "signing.key", "client.pem"])
def test_damaged_file_is_told_and_a_whole_pack_mends_it(unit: BareMachine, carried: Path, damage: str) -> None:
    installed(unit, carried)
    here(unit, damage).write_bytes(b"\x00")
    with pytest.raises(PackError, match=r"do not hold what they should|is no signing key"):
        installed(unit)

    assert f"Everything is in place: {NODE} is here." == installed(unit, carried)[-1]


def test_configuration_that_cannot_be_read_is_the_engineers_to_mend(unit: BareMachine, carried: Path) -> None:
    installed(unit, carried)
    here(unit, "node.toml").write_text("[radio\n")
    with pytest.raises(InstallError, match=r"node\.toml cannot be read: .* Mend or delete it\. Nothing was changed"):
        installed(unit, carried)
    here(unit, "node.toml").unlink()

    assert f"made {node_places.NODE_TOML}" in installed(unit, carried)
