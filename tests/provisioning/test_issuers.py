"""Which issuers count, and under which names a sender is known: while a fleet moves, and after."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from provisioning.errors import FleetInputError
from provisioning.fleet import Fleet
from provisioning.issuer_changes import new_root
from provisioning.issuers import (
    current_issuer,
    issuers_in_force,
    node_users,
    roots_for_broker,
    roots_for_senders,
    server_issuer,
)
from provisioning.records import CertificateRecord, FleetRecord, IssuerRecord
from tests.provisioning.conftest import Clock
from wire.subjects import NODES, SERVICES

FIRST = IssuerRecord(name="ca", organisation="", root="ca")


@pytest.fixture
def moved(fleet: Fleet, clock: Clock) -> FleetRecord:
    """A fleet in its 30th day since it got its issuers; one of its two nodes still has a certificate of the old CA."""
    old, new = fleet.add("Corner Shop", "", ["hart"]), fleet.add("Bakery", "", ["hart"])
    of_old = CertificateRecord(serial="1", expires_at=clock.at + timedelta(days=60))
    record = fleet.record.with_node(msgspec.structs.replace(old, certificates=(of_old,)))
    record = record.with_node(msgspec.structs.replace(new, certificates=(of_old, *new.certificates)))
    return msgspec.structs.replace(record, issuers=(FIRST, *record.issuers), broker_certificates=(of_old,))


def cut(record: FleetRecord, name: str, clock: Clock) -> FleetRecord:
    issuers = tuple(
        msgspec.structs.replace(one, cut_off_at=clock.at) if one.name == name else one for one in record.issuers
    )
    return msgspec.structs.replace(record, issuers=issuers)


def test_old_ca_counts_until_no_unrevoked_node_has_an_unexpired_certificate(moved: FleetRecord, clock: Clock) -> None:
    revoked = moved
    for node in moved.nodes:
        revoked = revoked.with_node(msgspec.structs.replace(node, revoked_at=clock.at))

    named = [
        [one.name for one in issuers_in_force(record, at)]
        for record, at in ((moved, clock.at), (revoked, clock.at), (moved, clock.at + timedelta(days=61)))
    ]

    assert [["ca", "nodes-1", "services-1"], ["nodes-1", "services-1"], ["nodes-1", "services-1"]] == named


def test_broker_has_a_certificate_that_every_sender_can_verify(moved: FleetRecord, clock: Clock) -> None:
    later = clock.at + timedelta(days=61)

    assert ["ca", "services-1"] == [server_issuer(moved, at).name for at in (clock.at, later)]
    assert [("root-1", "ca"), ("root-1",)] == [roots_for_broker(moved, at) for at in (clock.at, later)]
    assert ("root-1", "ca") == roots_for_senders(moved, clock.at)


def test_nobody_gets_a_new_certificate_of_the_old_ca(moved: FleetRecord, clock: Clock) -> None:
    """Not even where an issuer is missing: what it signs would be good for anybody."""
    assert ["nodes-1", "services-1"] == [current_issuer(moved, kind).name for kind in (NODES, SERVICES)]
    with pytest.raises(FleetInputError, match="new-issuer services"):
        current_issuer(cut(moved, "services-1", clock), SERVICES)


def test_node_has_both_names_while_its_old_certificate_is_good(moved: FleetRecord, clock: Clock) -> None:
    old, new = moved.nodes
    at_once = issuers_in_force(moved, clock.at)
    later = clock.at + timedelta(days=61)
    struck = msgspec.structs.replace(old, revoked_at=clock.at)

    assert ("CN=00000010", "CN=00000010,O=node") == node_users(moved, at_once, old, clock.at)
    assert ("CN=00000011", "CN=00000011,O=node") == node_users(moved, at_once, new, clock.at)
    assert ("CN=00000010,O=node",) == node_users(moved, issuers_in_force(moved, later), old, later)
    assert ("CN=00000010", "CN=00000010,O=node") == node_users(moved, issuers_in_force(moved, later), struck, later)


def test_nobody_has_a_name_of_an_issuer_that_was_cut_off(moved: FleetRecord, clock: Clock) -> None:
    """A session that its thief has open is silenced by that, where there is no new issuer yet."""
    for name, left in (("nodes-1", ("CN=00000010",)), ("ca", ("CN=00000010,O=node",))):
        record = cut(moved, name, clock)
        assert left == node_users(record, issuers_in_force(record, clock.at), record.nodes[0], clock.at)


def test_new_root_beside_another_has_names_of_its_own(fleet: Fleet) -> None:
    new_root(fleet.folder, is_replacement=True)

    assert [("nodes-1", "root-1"), ("services-1", "root-1"), ("nodes-2", "root-2"), ("services-2", "root-2")] == [
        (one.name, one.root) for one in fleet.record.issuers
    ]
    assert "services-2" == fleet.record.central.certificates[-1].issuer
