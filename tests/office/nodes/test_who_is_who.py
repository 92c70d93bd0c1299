"""Which directory and which revocation lists count at the machine port."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509

from office.nodes.rules.asking import Asker, Certificate
from office.nodes.who_is_who import WhoIsWho
from provisioning.certificates import CertificateAuthority
from runtime.config import ConfigError
from tests.support.asking_town import AUTHORITY, HART, OTHER_SHOP, SENDERS, SHOP, AskingTown, sender
from wire.directory import DelegateChanges, Delegation, seal_changes
from wire.ids import NodeId, node_text
from wire.signing import SigningKey
from wire.subjects import NODES

NEW, DELEGATE = NodeId(0x20), SigningKey(b"d" * 32)


@pytest.fixture
def town(tmp_path: Path) -> AskingTown:
    return AskingTown(tmp_path)


def reading(town: AskingTown) -> WhoIsWho:
    """By the clock of the town."""
    return WhoIsWho(
        AUTHORITY.public,
        town.folder / "directory.json",
        town.folder / "changed.json",
        lists_file=town.folder / "crl.pem",
        issuers=[town.nodes.certificate],
        now_s=town.now.timestamp,
    )


def certificate_of(town: AskingTown, node: NodeId = SHOP) -> Certificate:
    found = x509.load_pem_x509_certificate(town.certificate(node).certificate_pem)
    return Certificate(found.subject.rfc4514_string(), found.issuer.rfc4514_string(), found.serial_number, 0, 2**40)


def delegates(town: AskingTown, base: bytes, *, node: NodeId = NEW, number: int = 1) -> bytes:
    """The authority's directory with a shop that has claimed its place since."""
    changes = DelegateChanges(
        serial=town.serial + number,
        made_at=town.now,
        added=(sender(node, (HART,), 9),),
        struck=(node_text(OTHER_SHOP),),
    )
    return seal_changes(base, changes, DELEGATE, AUTHORITY.public)


def named(town: AskingTown, epoch: int, serial: int, *, ends: timedelta = timedelta(days=90)) -> bytes:
    """The authority's directory, which names the delegate."""
    town.serial = serial
    town.list(
        *SENDERS.values(), delegation=Delegation(epoch=epoch, key=DELEGATE.public.raw, expires_at=town.now + ends)
    )
    return (town.folder / "directory.json").read_bytes()


def test_shop_that_has_claimed_its_place_is_somebody_before_the_fleet_knows(town: AskingTown) -> None:
    who = reading(town)
    base = named(town, 1, 1_000_000)
    assert who.look()
    assert "unknown node" == who.judge(certificate_of(town, NEW))

    town.write("changed.json", delegates(town, base))
    assert who.look()

    assert isinstance(who.judge(certificate_of(town, NEW)), Asker)
    assert "struck" == who.judge(certificate_of(town, OTHER_SHOP)), "the delegate strikes, too"


def test_delegate_that_was_ended_adds_nobody(town: AskingTown) -> None:
    """Whoever stole the enrolment service writes its file for ever."""
    stolen = delegates(town, named(town, 1, 1_000_000), number=999_000)
    named(town, 2, 2_000_000)
    who = reading(town)

    town.write("changed.json", stolen)
    assert not who.look()
    assert "unknown node" == who.judge(certificate_of(town, NEW))
    town.write("changed.json", delegates(town, named(town, 3, 3_000_000, ends=-timedelta(days=1))))
    who.look()
    assert "unknown node" == who.judge(certificate_of(town, NEW)), "its time is over"


def test_older_directory_brings_nobody_back(town: AskingTown) -> None:
    old = (town.folder / "directory.json").read_bytes()
    town.strike(SHOP)
    who = reading(town)

    town.write("directory.json", old)

    assert not who.look()
    assert "struck" == who.judge(certificate_of(town))


def test_list_that_is_older_damaged_or_a_strangers_changes_nothing(town: AskingTown) -> None:
    town.list_number = 7
    town.revoke(certificate_of(town).serial)
    who = reading(town)
    stranger = CertificateAuthority.create_root("Elsewhere", town.now).create_issuer(NODES, "nodes-1", town.now)

    town.list_number = 3
    town.revoke()
    assert not who.look()
    town.write("crl.pem", b"-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n")
    assert not who.look()
    assert "revoked" == who.judge(certificate_of(town))

    town.list_number = 9
    town.revoke(by=stranger)
    who.look()
    assert "no list" == who.judge(certificate_of(town)), "an issuer that was cut off has none"


def test_port_does_not_start_without_a_directory_or_without_lists(town: AskingTown) -> None:
    (town.folder / "crl.pem").unlink()
    with pytest.raises(ConfigError, match="no revocation lists"):
        reading(town)
    town.revoke()
    (town.folder / "directory.json").write_bytes(b"{}")
    with pytest.raises(ConfigError, match="no directory of this town's authority"):
        reading(town)
