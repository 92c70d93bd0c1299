"""The enrolment service beside central: put in place, looked at, and whom a directory leaves out."""

from __future__ import annotations

import contextlib
import shutil
import tomllib
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from enrolment.register import Register
from installation import places
from installation.check import check
from installation.drop_in import path_of
from installation.enrolling import PUBLIC_KEY, LeftOut, left_out
from installation.errors import PackError
from installation.install import Order, install
from installation.joining import joined
from installation.pack import ENROLMENT_NAMES, read_pack
from installation.places import Parts
from installation.services import SYSTEM
from provisioning import packing
from provisioning.claims import claim_again, reserve, withdraw
from provisioning.delegate import delegate_to, end_delegation
from provisioning.enrolment import open_enrolment
from provisioning.errors import BrokerUnprovenError
from provisioning.fleet import Fleet, NewNode
from provisioning.issuer_changes import cut_off
from tests.enrolment.rules.test_claiming import ENROLLED
from tests.installation.conftest import DELEGATE, HOST, BareMachine, installed, told
from wire.directory import DelegateChanges, SenderEntry, open_directory, seal_changes
from wire.fleet_files import BESIDE_CENTRAL
from wire.ids import FIRST_PREMISES_NODE, NodeId
from wire.signing import SigningKey

STRANGER = SigningKey(b"x" * 32)
BAKERY = FIRST_PREMISES_NODE + 0x20


def claimed(fleet: Fleet, delegate: SigningKey = DELEGATE) -> bytes:
    """The fleet's directory with a unit that the delegate has added."""
    entry = SenderEntry(
        node=f"{BAKERY:08x}", key=STRANGER.public.raw, premises="Bakery", place="High St", schemes=(1,), signs=True
    )
    changes = DelegateChanges(serial=fleet.record.directory_serial + 1, made_at=fleet.now(), added=(entry,))
    return seal_changes(fleet.layout.directory.read_bytes(), changes, delegate, fleet.folder.authority_public())


def test_service_is_put_in_place_with_its_unit_timer_user_and_keys(machine: BareMachine, enrolling: Path) -> None:
    said = installed(machine, enrolling)

    for path in (
        f"{SYSTEM}/watchlink-enrol.service",
        f"{SYSTEM}/watchlink-enrol-list.timer",
        f"{SYSTEM}/watchlink-enrol-list.service",
        "/etc/sysusers.d/watchlink-enrol.conf",
        "/etc/tmpfiles.d/watchlink-enrol.conf",
        f"{places.ENROLMENT}/directory.json",
        *(f"{places.ENROLMENT}/{name}" for name in ENROLMENT_NAMES),
    ):
        assert f"made {path}" in said
    assert f"{places.PROGRAM} enrol key --to {places.ENROLMENT_OWN}" in machine.asked
    assert {0o600} == {
        machine.path(f"{places.ENROLMENT_OWN}/{name}.key").stat().st_mode & 0o777 for name in ("nodes", "server")
    }
    central = tomllib.loads(machine.path(places.CENTRAL_TOML).read_text())
    assert places.CHANGED == central["identity"]["delegated_directory_file"]


def test_timer_may_reach_the_broker_by_the_address_that_nodes_see(machine: BareMachine, tmp_path: Path) -> None:
    fleet = Fleet.init(
        tmp_path / "away",
        schemes={"hart": "HART"},
        host=HOST,
        broker_folder="/etc/watchlink/broker",
        broker_user="mosquitto",
    )
    open_enrolment(fleet.folder, [HOST])
    installed(machine, fleet.layout.town)

    assert f"IPAddressAllow={HOST}/32" in machine.path(path_of("watchlink-enrol-list")).read_text()


def test_second_run_does_nothing(with_key: BareMachine, enrolling: Path) -> None:
    with_key.acts()

    assert ["Nothing to do: everything is in place."] == installed(with_key, enrolling)
    assert ["Nothing to do: everything is in place."] == installed(with_key, None)
    assert [] == with_key.acts()


def test_new_certificates_of_the_service_restart_it_alone(with_key: BareMachine, fleet: Fleet, enrolling: Path) -> None:
    with_key.acts()
    open_enrolment(fleet.folder, [HOST])
    installed(with_key, enrolling)

    assert ["systemctl restart watchlink-enrol"] == with_key.acts()


@pytest.mark.parametrize("is_beside", [True, False], ids=["beside central", "elsewhere"])
@pytest.mark.parametrize("how", ["new code", "withdrawn"])
def test_older_pack_makes_no_code_good_again(
    machine: BareMachine, fleet: Fleet, enrolling: Path, tmp_path: Path, how: str, *, is_beside: bool
) -> None:
    """Somebody has photographed the label; the directory is the same, and so is the revocation list."""
    open_enrolment(fleet.folder, [HOST], is_beside_central=is_beside)
    (made,) = reserve(fleet, [NewNode("Corner Shop", "High St", ["hart"])])
    older = tmp_path / "older.tar"
    packing.pack(fleet.folder, older)
    installed(machine, older)
    if how == "new code":
        claim_again(fleet, made.claim.node)
    else:
        withdraw(fleet, made.claim.node)
    installed(machine, enrolling)
    rules = machine.path(f"{places.BROKER}/acl").read_bytes()

    with pytest.raises(PackError, match="its list of open claims has number"):
        installed(machine, older)

    assert rules == machine.path(f"{places.BROKER}/acl").read_bytes()
    if is_beside:
        claims = machine.path(f"{places.ENROLMENT}/claims.json").read_text()
        assert made.claim.claim_hash not in claims
    install(machine, read_pack(older), lambda _: None, Order(is_new_town=True))
    installed(machine, older)


def test_town_that_is_founded_again_takes_over_no_unit_of_the_one_before(
    with_key: BareMachine, fleet: Fleet, tmp_path: Path
) -> None:
    """Its authority was stolen: the thief's units would be senders of the new town, and its own be called copies."""
    (shop,) = reserve(fleet, [NewNode("Corner Shop", "High St", ["hart"])])
    installed(with_key, fleet.layout.town)
    own = with_key.path(places.ENROLMENT_OWN)
    for folder in ("state", "changed"):
        (own / folder).mkdir()
    with contextlib.closing(Register(own / "state/register.sqlite3")) as register:
        register.spend(msgspec.structs.replace(ENROLLED, node=shop.claim.node), ())
    two = Fleet.init(
        tmp_path / "two", schemes={"hart": "HART"}, broker_folder="/etc/watchlink/broker", broker_user="mosquitto"
    )
    open_enrolment(two.folder, [HOST])
    with_key.acts()
    said: list[str] = []
    install(with_key, read_pack(two.layout.town), said.append, Order(is_new_town=True))

    asides = [*with_key.path(places.ENROLMENT).glob("before-new-town-*")]
    assert 1 == len(asides)
    aside = asides[0]
    assert [True] == [line.startswith("set aside") and str(aside.name) in line for line in said if "aside" in line]
    assert {"claims.json", "state", "changed", "delegate.key", "delegate.pub"} == {
        path.name for path in aside.iterdir()
    }
    assert 0o700 == aside.stat().st_mode & 0o777
    assert not (own / "state").exists()
    assert not (own.parent / "claims.json").exists()
    assert f"{places.PROGRAM} enrol key --to {places.ENROLMENT_OWN}" in with_key.asked
    assert "systemctl stop watchlink-enrol" == with_key.acts()[0]
    # The same town again, as after a restore: its units are its own.
    (own / "state").mkdir()
    install(with_key, read_pack(two.layout.town), said.append, Order(is_new_town=True))
    assert (own / "state").exists()


def test_key_of_the_service_is_made_once(with_key: BareMachine, enrolling: Path) -> None:
    with_key.asked.clear()
    installed(with_key, enrolling)

    assert not [line for line in with_key.asked if "enrol key" in line]


def test_pack_and_folder_hold_the_same_of_the_service_and_never_a_key_of_its_own(
    fleet: Fleet, enrolling: Path, tmp_path: Path
) -> None:
    (enrolling / "enrolment/delegate.key").write_text("ab" * 32)
    packing.pack(fleet.folder, tmp_path / "town.tar")
    packed = read_pack(tmp_path / "town.tar")

    assert packed == read_pack(enrolling)
    assert {*ENROLMENT_NAMES} == {name for name in packed.files if name.startswith("enrolment/")}
    data = (tmp_path / "town.tar").read_bytes()
    for secret in enrolling.glob("authority/*.key"):
        assert (secret.name == "nodes-1.key") == (secret.read_bytes().strip() in data), secret


@pytest.mark.parametrize("was_carried_by_hand", [True, False])
def test_service_of_another_machine_is_not_handed_over(
    machine: BareMachine, fleet: Fleet, enrolling: Path, tmp_path: Path, *, was_carried_by_hand: bool
) -> None:
    if was_carried_by_hand:  # from before packs had it
        (enrolling / "enrolment" / BESIDE_CENTRAL).unlink()
        open_enrolment(fleet.folder, [HOST])
    else:
        open_enrolment(fleet.folder, [HOST], is_beside_central=False)
    packing.pack(fleet.folder, tmp_path / "town.tar")

    assert not read_pack(enrolling).enrols
    assert not read_pack(tmp_path / "town.tar").enrols
    installed(machine, enrolling)
    assert not machine.path(places.ENROLMENT).exists()


def test_machine_of_the_office_alone_gets_nothing_of_the_service(machine: BareMachine, enrolling: Path) -> None:
    install(machine, read_pack(enrolling), lambda _: None, Order("office.example.org", without_central=True))

    assert not machine.path(places.ENROLMENT).exists()


@pytest.mark.parametrize("secret", ["root-1", "services-1"])
@pytest.mark.parametrize("with_certificate", [True, False])
def test_no_other_key_of_the_town_goes_as_the_nodes_issuers(
    enrolling: Path, secret: str, *, with_certificate: bool
) -> None:
    """With it anyone can make a central."""
    shutil.copy(enrolling / f"authority/{secret}.key", enrolling / "enrolment/nodes.key")
    if with_certificate:
        shutil.copy(enrolling / f"authority/{secret}.pem", enrolling / "enrolment/nodes.pem")

    with pytest.raises(PackError, match=r"enrolment/nodes\.key is (the town's own secret|a private key that neither)"):
        read_pack(enrolling)


def test_issuer_of_another_town_is_refused(enrolling: Path, fleet: Fleet, tmp_path: Path) -> None:
    other = Fleet.init(tmp_path / "other", schemes={"hart": "HART"})
    theirs = open_enrolment(other.folder, [HOST])
    for name in ("nodes.key", "nodes.pem"):
        shutil.copy(theirs / name, enrolling / "enrolment")

    assert (False, "its issuer was cut off or is another town's") == _taken(enrolling)


def _taken(town: Path) -> tuple[bool, str]:
    """Whether the service's files are, and why not."""
    pack = read_pack(town)
    return pack.enrols, pack.misfit


@pytest.mark.parametrize(
    ("name", "misfit"),
    [("server.pem", "enrolment/server.pem missing"), ("server.key", "enrolment/server.key is not the key of")],
)
def test_half_of_a_service_is_not_taken_and_keeps_no_revocation_from_the_broker(
    machine: BareMachine, enrolling: Path, tmp_path: Path, name: str, misfit: str
) -> None:
    (enrolling / "enrolment" / name).unlink()
    if name.endswith(".key"):
        other = Fleet.init(tmp_path / "other", schemes={"hart": "HART"})
        shutil.copy(open_enrolment(other.folder, [HOST]) / name, enrolling / "enrolment")
    is_taken, why = _taken(enrolling)
    said = installed(machine, enrolling)

    assert (False, True) == (is_taken, why.startswith(misfit))
    assert f"made {places.BROKER}/crl.pem" in said
    assert [True] == [misfit in line for line in said if "were not taken" in line]


def test_cutting_the_issuer_off_arrives_although_the_service_still_has_it(
    with_key: BareMachine, fleet: Fleet, enrolling: Path
) -> None:
    with pytest.raises(BrokerUnprovenError):  # there is none
        cut_off(fleet.folder, "nodes-1", lambda: None, deadline_s=0)
    installed(with_key, enrolling)

    (finding,) = told(with_key, "nodes' issuer")
    assert ("bad", True) == (finding.state, "cut off" in finding.text)
    assert "fleet enrolment --beside-central" in finding.to_do


def test_service_that_got_a_machine_of_its_own_leaves_no_key_behind_unseen(
    with_key: BareMachine, fleet: Fleet, enrolling: Path
) -> None:
    open_enrolment(fleet.folder, [HOST], is_beside_central=False)
    for _ in range(2):
        assert [True] == ["rm -r" in line for line in installed(with_key, enrolling) if "STILL RUNS HERE" in line]

    found = told(with_key, "enrolment")
    assert [("bad", True)] == [(one.state, "nodes' issuer is still here" in one.text) for one in found]
    open_enrolment(fleet.folder, [HOST], is_beside_central=True)
    installed(with_key, enrolling)
    assert [] == told(with_key, "enrolment")


def test_what_is_missing_of_the_service_is_named(with_key: BareMachine) -> None:
    with_key.path(f"{places.ENROLMENT_OWN}/nodes.key").unlink()
    with_key.path(PUBLIC_KEY).unlink()

    (finding,) = told(with_key, "enrolment")
    assert ("bad", True) == (finding.state, finding.text.startswith("nodes.key, delegate.pub missing"))


def test_central_that_does_not_look_for_claimed_units_is_told(with_key: BareMachine, enrolling: Path) -> None:
    toml = with_key.path(places.CENTRAL_TOML)
    assert [] == told(with_key, "enrolment")
    toml.write_text(toml.read_text().replace(places.CHANGED, "elsewhere.json"))
    installed(with_key, enrolling)

    (finding,) = told(with_key, "enrolment")
    assert "nobody hears a unit claimed here" in finding.text


@pytest.mark.parametrize(
    ("days", "key", "told_of"),
    [
        (None, DELEGATE, "bad the fleet has named no delegate"),
        (0, STRANGER, "bad the fleet has named another key"),
        (0, DELEGATE, "ok it is good until"),
        (61, DELEGATE, "soon it expires in 28 days"),
        (91, DELEGATE, "bad it has expired"),
    ],
    ids=["none", "another's", "good", "soon over", "over"],
)
def test_delegation_is_told_before_it_is_over(
    with_key: BareMachine, fleet: Fleet, days: int | None, key: SigningKey, told_of: str
) -> None:
    if days is not None:
        delegate_to(fleet.folder, key.public.raw)
        installed(with_key, fleet.layout.town)
    findings = check(with_key, fleet.now() + timedelta(days=days or 0))
    (finding,) = (one for one in findings if one.about == "delegation")

    assert f"{finding.state} {finding.text}".startswith(told_of)
    assert told_of.startswith("ok") == ("fleet delegate" not in finding.to_do)


@pytest.mark.parametrize("what", ["the same delegate", "ended", "another", "over"])
def test_next_directory_leaves_out_whom_nobody_may_sign_for_again(fleet: Fleet, what: str) -> None:
    authority = fleet.folder.authority_public()
    delegate_to(fleet.folder, DELEGATE.public.raw)
    held = open_directory(claimed(fleet), authority)
    match what:
        case "ended":
            end_delegation(fleet.folder)
        case "another":
            delegate_to(fleet.folder, STRANGER.public.raw)
        case _:
            fleet.add("Corner Shop", "High St", ["hart"])
    coming = open_directory(fleet.layout.directory.read_bytes(), authority)
    now = fleet.now() + timedelta(days=91 if what == "over" else 0)

    shop = (NodeId(BAKERY),)
    expected = LeftOut(awaited=shop) if what == "the same delegate" else LeftOut(lost=shop)
    assert expected == left_out(held.senders, coming, DELEGATE.public.raw, now)


def test_units_that_nobody_hears_any_more_are_named_and_the_directory_arrives_all_the_same(
    with_key: BareMachine, fleet: Fleet, enrolling: Path
) -> None:
    """To end a stolen delegate must not wait for anything."""
    delegate_to(fleet.folder, DELEGATE.public.raw)
    installed(with_key, enrolling)
    with_key.path(places.DIRECTORY).write_bytes(claimed(fleet))
    end_delegation(fleet.folder)
    said = installed(with_key, enrolling)

    assert fleet.layout.directory.read_bytes() == with_key.path(places.DIRECTORY).read_bytes()
    assert [True] == [f"{BAKERY:08x}" in line for line in said if line.startswith("NOBODY HEARS")]
    assert f"nobody hears {BAKERY:08x} any more" == told(with_key, "delegation")[0].text


@pytest.mark.parametrize(
    "text",
    ["[identity]\n[mqtt]\n", "[mqtt]\n[identity]  # who it is\nsigning_key_file = 'x'\n", "identity = {}\n", "[web"],
    ids=["first", "commented", "of another form", "damaged"],
)
def test_central_is_told_of_its_neighbours_in_whatever_an_engineer_has_written(text: str) -> None:
    longer, said = joined(text, Parts(enrolment=True, office=True))
    if text == "[web":
        assert (text, ()) == (longer, said)
        return
    toml = tomllib.loads(longer)

    assert "office" in toml
    assert (text != "identity = {}\n") == (toml["identity"].get("delegated_directory_file") == places.CHANGED)
    assert (longer, ()) == joined(longer, Parts(enrolment="identity = {}" not in text, office=True))
