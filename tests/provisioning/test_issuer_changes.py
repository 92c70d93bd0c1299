"""What an engineer is told when an issuer changes, and what an interruption leaves to be finished."""

from __future__ import annotations

import contextlib

import pytest

from provisioning import issuer_changes
from provisioning.certificates import whole_lists
from provisioning.cli import main
from provisioning.errors import BrokerUnprovenError, FleetInputError
from provisioning.fleet import Fleet
from provisioning.issuer_changes import cut_off, find_issuer, new_issuer
from provisioning.listing import list_fleet
from tests.support.proof_broker import ProofBroker
from wire.subjects import NODES, SERVICES


@pytest.fixture
def fleet(obeyed: Fleet) -> Fleet:
    return obeyed


def nothing() -> None:
    """The broker reads its files at each connection anyway."""


def test_broker_that_still_lets_a_cut_off_issuer_in_is_told_of(fleet: Fleet, broker: ProofBroker) -> None:
    """Its old list is there beside the new ones, as where a file was not brought."""
    of_nodes, _ = whole_lists((fleet.layout.broker / "crl.pem").read_bytes())
    both = broker.orders.revoked = fleet.layout.broker / "both.pem"

    def mix() -> None:
        both.write_bytes(of_nodes + (fleet.layout.broker / "crl.pem").read_bytes())

    with pytest.raises(BrokerUnprovenError, match="LETS CERTIFICATES OF nodes-1 IN") as told:
        cut_off(fleet.folder, "nodes-1", mix, deadline_s=0)

    assert "nodes-1 is cut off in the files of" in str(told.value)


def test_interrupted_cut_off_is_finished_by_running_it_again(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    """The new issuer was there, but no node had a certificate of it."""
    with monkeypatch.context() as patch:
        patch.setattr(issuer_changes, "renew_nodes", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            cut_off(fleet.folder, "nodes-1", nothing)

    renewed = cut_off(fleet.folder, "nodes-1", nothing)

    assert ("00000010",) == renewed
    assert "nodes-2" == fleet.record.node("00000010").certificates[-1].issuer
    assert () == cut_off(fleet.folder, "nodes-1", nothing)


def test_revoked_node_gets_no_certificate_of_the_new_issuer(fleet: Fleet) -> None:
    fleet.add("Bakery", "High St", ["hart"])
    fleet.revoke("00000010", nothing)

    assert ("00000011",) == cut_off(fleet.folder, "nodes-1", nothing)


@pytest.mark.parametrize(
    ("issuer", "words"),
    [
        ("nodes-1", ["New certificates for 1 nodes are in", "Delete root-1.key"]),
        ("services-1", ["(client, alerts and ca.pem) to central and restart it at once", "Delete root-1.key"]),
    ],
)
def test_cut_off_says_what_to_carry(
    fleet: Fleet, capsys: pytest.CaptureFixture[str], issuer: str, words: list[str]
) -> None:
    assert 0 == main(["cut-off", "--dir", str(fleet.layout.town), issuer, "--reload-command", "true"])

    said = capsys.readouterr().out
    assert f"{issuer} is cut off, and the running broker was seen to refuse its certificates" in said
    assert [] == [one for one in words if one not in said]


@pytest.mark.parametrize(("issuer", "kind"), [("nodes-1", NODES), ("services-1", SERVICES)])
def test_cut_off_without_the_roots_key_says_how_to_go_on(
    fleet: Fleet, capsys: pytest.CaptureFixture[str], issuer: str, kind: str
) -> None:
    town, root = str(fleet.layout.town), fleet.layout.authority / "root-1.key"
    key = root.read_bytes()
    root.unlink()

    assert 0 == main(["cut-off", "--dir", town, issuer, "--reload-command", "true"])
    assert f"'watchlink fleet new-issuer {kind}'" in capsys.readouterr().out
    assert any(f"Nobody signs {kind} certificates" in one for one in list_fleet(Fleet.open(fleet.layout.town)).warnings)
    assert 1 == main(["new-issuer", "--dir", town, kind])
    assert "root-1 cannot be read" in capsys.readouterr().err

    root.write_bytes(key)

    assert 0 == main(["new-issuer", "--dir", town, kind])
    assert "'watchlink fleet renew-crl'" in capsys.readouterr().out
    assert 0 == main(["renew-crl", "--dir", town, "--reload-command", "true"])


def test_last_issuer_is_not_cut_off_without_the_roots_key(fleet: Fleet, capsys: pytest.CaptureFixture[str]) -> None:
    """The broker would get an empty list, and with that a broker that reloads lets everybody in."""
    town, root = str(fleet.layout.town), fleet.layout.authority / "root-1.key"
    key = root.read_bytes()
    root.unlink()
    assert 0 == main(["cut-off", "--dir", town, "nodes-1", "--reload-command", "true"])
    before = {name: (fleet.layout.broker / name).read_bytes() for name in ("ca.pem", "crl.pem", "issuers.pem")}
    capsys.readouterr()
    status = 0
    with contextlib.suppress(ValueError):  # of the empty list, once it is written
        status = main(["cut-off", "--dir", town, "services-1", "--reload-command", "true"])

    assert before == {name: (fleet.layout.broker / name).read_bytes() for name in before}
    said = capsys.readouterr().err
    assert 2 == status
    assert "services-1 is the last issuer" in said
    assert "Stop the broker now" in said

    root.write_bytes(key)

    assert 0 == main(["cut-off", "--dir", town, "services-1", "--reload-command", "true"])
    assert "Nobody signs node certificates now" in capsys.readouterr().out
    assert 0 == main(["new-issuer", "--dir", town, NODES])
    assert 0 == main(["renew-crl", "--dir", town, "--reload-command", "true"])


def test_issuer_that_signs_is_not_replaced_unless_it_was_cut_off(fleet: Fleet) -> None:
    with pytest.raises(FleetInputError, match="nodes-1 signs node certificates"):
        new_issuer(fleet.folder, NODES)
    with pytest.raises(FleetInputError, match="it has: nodes-1, services-1"):
        find_issuer(fleet.folder, "root-1")
