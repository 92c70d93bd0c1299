"""Taking over what the delegate has added: numbers of ours alone, under our names, and nothing once it has ended."""

from __future__ import annotations

import os
import shutil
import signal
from pathlib import Path

import pytest
from cryptography import x509

from provisioning.certificates import issue_client_certificate
from provisioning.claims import reserve, withdraw
from provisioning.cli import main
from provisioning.collecting import collect
from provisioning.delegate import delegate_to, end_delegation
from provisioning.errors import BrokerUnprovenError, FleetInputError
from provisioning.fleet import Fleet, NewNode
from provisioning.issuer_changes import cut_off, new_root
from provisioning.listing import as_table, list_fleet
from tests.support.enrolling_town import EnrollingTown, NewUnit, ServiceProcess
from tests.support.fleet_broker import free_port, listening, running_broker, wait_until
from wire.claims import decode_claims
from wire.directory import DelegateChanges, Directory, SenderEntry, open_directory, seal_changes
from wire.ids import NodeId
from wire.signing import SigningKey
from wire.subjects import NODES

DELEGATE = SigningKey(b"d" * 32)
KEYS = {f"{number:08x}": SigningKey(bytes([number] * 32)) for number in range(0x10, 0x20)}
SHOP = NewNode("Corner Shop", "High St", ["hart"], "waveshare-sh1106-hat", office_premises=5)


@pytest.fixture
def fleet(fleet: Fleet) -> Fleet:
    """With a delegate, and two numbers that wait."""
    delegate_to(fleet.folder, DELEGATE.public.raw)
    reserve(fleet, [SHOP, NewNode("The Anchor", "Quay", ["pubwatch"])])
    return fleet


def entry(node: str, **more: object) -> SenderEntry:
    fields = {"premises": "Somewhere", "place": "Else", "schemes": (2,), "signs": True}
    return SenderEntry(node=node, key=KEYS[node].public.raw, **(fields | more))  # type: ignore[arg-type]


def changed(fleet: Fleet, *added: SenderEntry) -> Path:
    """The file of an enrolment service that has added these."""
    base = fleet.layout.directory.read_bytes()
    serial = fleet.record.directory_serial + 1
    changes = DelegateChanges(serial=serial, made_at=fleet.now(), added=added)
    file = fleet.layout.town.parent / "changed.json"
    file.write_bytes(seal_changes(base, changes, DELEGATE, fleet.folder.authority_public()))
    return file


def directory_of(fleet: Fleet) -> Directory:
    return open_directory(fleet.layout.directory.read_bytes(), fleet.folder.authority_public())


def test_claimed_node_becomes_the_fleets_own(fleet: Fleet) -> None:
    serial = fleet.record.directory_serial

    found = collect(fleet.folder, changed(fleet, entry("00000010")))

    (node,) = found.taken
    assert ("00000010", KEYS["00000010"].public.raw.hex(), "waveshare-sh1106-hat") == (
        node.node,
        node.key,
        node.profile,
    )
    assert (node,) == fleet.nodes
    assert ["00000011"] == [claim.node for claim in fleet.record.claims]
    assert ["00000011"] == [claim.node for claim in decode_claims(fleet.layout.claims.read_bytes()).claims]
    assert KEYS["00000010"].public == directory_of(fleet).senders[NodeId(0x10)].key
    assert serial < directory_of(fleet).serial


def test_what_is_sealed_to_a_claimed_node_stays_its_own(fleet: Fleet) -> None:
    """No later word of the delegate's changes it: else whoever steals the delegate's key reads what shops are shown."""
    collect(fleet.folder, changed(fleet, entry("00000010", sealing_key=b"g" * 32)))
    assert (b"g" * 32).hex() == fleet.record.node("00000010").sealing_key

    collect(fleet.folder, changed(fleet, entry("00000011", sealing_key=b"h" * 32)))

    senders = directory_of(fleet).senders
    assert [b"g" * 32, b"h" * 32] == [senders[NodeId(number)].sealing_key for number in (0x10, 0x11)]


def test_names_and_schemes_are_those_that_the_fleet_reserved(fleet: Fleet) -> None:
    """The delegate may be the thief's: it can be heard as this shop, and not as another in another scheme."""
    collect(fleet.folder, changed(fleet, entry("00000010", premises="Police", schemes=(1, 2))))

    sender = directory_of(fleet).senders[NodeId(0x10)]
    assert ("Corner Shop", "High St", {1}, 5) == (
        sender.premises,
        sender.place,
        sender.schemes,
        sender.office_premises,
    )


def test_node_whose_claim_was_taken_back_is_struck(fleet: Fleet) -> None:
    withdraw(fleet, "00000010")

    found = collect(fleet.folder, changed(fleet, entry("00000010")))

    assert [()] == [found.taken]
    assert directory_of(fleet).senders[NodeId(0x10)].is_revoked


def test_node_without_a_scheme_whose_claim_was_taken_back_leaves_a_record_that_can_be_read(fleet: Fleet) -> None:
    withdraw(fleet, "00000010")

    collect(fleet.folder, changed(fleet, entry("00000010", schemes=())))

    assert ["00000010"] == [node.node for node in Fleet.open(fleet.layout.town).nodes]


def test_node_that_the_delegate_has_struck_since_stays_struck(fleet: Fleet) -> None:
    found = collect(fleet.folder, changed(fleet, entry("00000010", revoked_at=fleet.now())))

    assert ["Corner Shop"] == [node.premises for node in found.struck]
    assert directory_of(fleet).senders[NodeId(0x10)].is_revoked


def test_number_that_was_never_reserved_is_left_out_and_told(fleet: Fleet) -> None:
    found = collect(fleet.folder, changed(fleet, entry("00000010"), entry("00000012")))

    assert ("00000012",) == found.strangers
    assert NodeId(0x12) not in directory_of(fleet).senders


def test_delegates_directory_without_news_changes_nothing(fleet: Fleet) -> None:
    file = changed(fleet, entry("00000010"))
    collect(fleet.folder, file)
    record = fleet.record

    found = collect(fleet.folder, file)

    assert ((), ()) == (found.taken, found.struck)
    assert record == fleet.record


@pytest.mark.parametrize("is_renewed", [True, False])
def test_what_was_changed_under_a_delegation_that_is_over_is_refused(fleet: Fleet, *, is_renewed: bool) -> None:
    file = changed(fleet, entry("00000010"))
    if is_renewed:
        delegate_to(fleet.folder, DELEGATE.public.raw)
    else:
        end_delegation(fleet.folder)

    with pytest.raises(FleetInputError, match="changed under a delegation that is over"):
        collect(fleet.folder, file)

    assert () == fleet.nodes


def test_directory_of_another_town_is_refused(fleet: Fleet, tmp_path: Path) -> None:
    other = Fleet.init(tmp_path / "other", schemes={"hart": "HART"})

    with pytest.raises(FleetInputError, match=r"is not used\. It is not signed by the authority\."):
        collect(fleet.folder, other.layout.directory)


def test_collected_node_is_revoked_like_any_other(fleet: Fleet) -> None:
    collect(fleet.folder, changed(fleet, entry("00000010")))

    with pytest.raises(Exception, match="struck from the directory"):
        fleet.revoke("00000010", lambda: None, deadline_s=0.1)

    assert directory_of(fleet).senders[NodeId(0x10)].is_revoked


def test_list_says_that_a_collected_node_renews_itself(fleet: Fleet) -> None:
    collect(fleet.folder, changed(fleet, entry("00000010")))

    table = as_table(list_fleet(fleet))

    assert "00000010  Corner Shop  High St  hart      5       renews itself" in table
    assert "Corner Shop's certificate" not in table


def test_older_issuer_counts_while_a_collected_node_may_have_its_certificate(fleet: Fleet) -> None:
    """Its certificates are not known here: left out of the broker's lists, all of them would be refused."""
    collect(fleet.folder, changed(fleet, entry("00000010")))

    new_root(fleet.folder, is_replacement=True)

    assert "nodes-1" in fleet.folder.issuers_in_force()


def test_older_issuer_counts_while_a_number_waits_whose_node_may_have_its_certificate(fleet: Fleet) -> None:
    """It may have claimed it, and not been collected yet."""
    new_root(fleet.folder, is_replacement=True)

    assert "nodes-1" in fleet.folder.issuers_in_force()


def test_collected_node_gets_another_certificate_when_the_issuer_is_cut_off(fleet: Fleet) -> None:
    """It cannot be known which issuer signed for it last: without one it has no network until somebody notices."""
    collect(fleet.folder, changed(fleet, entry("00000010")))

    with pytest.raises(BrokerUnprovenError):
        cut_off(fleet.folder, "nodes-1", lambda: None, deadline_s=0.1)

    ours = x509.load_pem_x509_certificates((fleet.layout.node("00000010") / "client.pem").read_bytes())
    assert fleet.issuer(NODES).certificate.subject == ours[0].issuer
    assert ["nodes-2"] == [one.issuer for one in fleet.nodes[0].certificates]


@pytest.mark.integration
def test_session_under_a_number_that_waits_is_ended_with_its_issuer(tmp_path: Path) -> None:
    """The broker lets it hear the scheme before anybody has claimed it."""
    fleet = Fleet.init(tmp_path / "town", schemes={"hart": "HART"}, port=free_port())
    (made,) = reserve(fleet, [SHOP])
    thief = tmp_path / "thief"
    thief.mkdir()
    fleet.layout.write_certificate(thief, "client", issue_client_certificate(fleet.issuer(NODES), made.claim.node))
    shutil.copy(fleet.layout.trusted, thief / "ca.pem")

    def hang_up() -> None:
        os.kill(int(fleet.layout.pid_file.read_text()), signal.SIGHUP)

    with running_broker(fleet.layout.broker / "mosquitto.conf", fleet.record.broker.port):
        fleet.enforce(hang_up)
        with listening(fleet.record.broker.port, thief) as open_session:
            cut_off(fleet.folder, "nodes-1", hang_up)
            wait_until(open_session.disconnected.is_set, "the thief's session ends")


def test_collect_says_whom_it_took_over_and_whom_not(
    fleet: Fleet, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    withdraw(fleet, "00000011")
    file = changed(fleet, entry("00000010"), entry("00000011"), entry("00000012"))
    command = ["collect", "--dir", str(fleet.layout.town), "--from", str(file)]

    assert 0 == main([*command, "--yes"])

    said = capsys.readouterr().out
    assert "00000010 (Corner Shop) has claimed its premises, and is this fleet's from now on." in said
    assert "! 00000011 (Somewhere) claimed its premises, but is struck or had its claim taken back: revoked." in said
    assert "! 00000012 was added by the delegate, and this fleet never reserved that number." in said
    assert "Copy " in said
    assert 2 == main(["collect", "--dir", str(fleet.layout.town), "--from", str(tmp_path / "nowhere")])
    assert "The enrolment service writes it." in capsys.readouterr().err


def test_unit_whose_claim_the_record_has_forgotten_is_not_revoked_unasked(
    fleet: Fleet, capsys: pytest.CaptureFixture[str]
) -> None:
    """An older copy of the record was put back, with its numbers raised: the unit is a shop whose alerts count."""
    withdraw(fleet, "00000011")
    file = changed(fleet, entry("00000010"), entry("00000011"))

    assert 2 == main(["collect", "--dir", str(fleet.layout.town), "--from", str(file)])

    assert "not in this fleet's record: 00000011 (Somewhere)." in capsys.readouterr().err
    assert () == Fleet.open(fleet.layout.town).nodes


@pytest.mark.integration
def test_unit_that_the_real_service_enrolled_is_collected_and_stays_heard(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """From the label to the authority's directory, which the service then leaves as it is."""
    town = EnrollingTown.found(tmp_path / "town")
    (made,) = reserve(town.fleet, [SHOP])
    number = int(made.claim.node, 16)
    unit = NewUnit(number=number, code=made.code)
    service = ServiceProcess(town)
    try:
        status, _ = service.ask(unit.sealed())
        assert 200 == status
        assert 0 == main(["collect", "--dir", str(town.fleet.layout.town)])
        assert "(Corner Shop) has claimed its premises" in capsys.readouterr().out
        assert unit.signing.public == directory_of(town.fleet).senders[NodeId(number)].key
        # Nothing is left for the delegate to say.
        wait_until(lambda: town.fleet.layout.directory.read_bytes() == town.changed.read_bytes(), "the directory")
    finally:
        service.end()
