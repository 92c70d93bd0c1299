"""A stolen node is cut off, and the command says so only when the running broker was seen to obey (F2, fleet.md)."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import ssl
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import chain, repeat
from pathlib import Path

import pytest

from demo.broker_log import TELLS_OF_RELOADS
from provisioning import enforcement
from provisioning import folder as fleet_folder
from provisioning.certificates import IssuedCertificate, issue_crl
from provisioning.cli import main
from provisioning.delegate import delegate_to
from provisioning.enforcement import reload_by_command, reload_by_pid_file
from provisioning.errors import BrokerUnprovenError
from provisioning.fleet import Fleet, NewNode
from runtime.broker_probe import Verdict
from tests.support.fleet_broker import (
    DEADLINE_S,
    free_port,
    listening,
    probe_of,
    running_broker,
    seen_to_reload,
)
from wire.directory import open_directory
from wire.ids import NodeId
from wire.signing import PublicKey, SigningKey
from wire.subjects import NODES

pytestmark = pytest.mark.integration

STOLEN, SHOP = "00000010", "00000011"
FRAMES = "watchlink/1/scheme/hart/frame"
NOT_AUTHORISED = 0x87
CONNECT = b"\x10\x10\x00\x04MQTT\x05\x02\x00\x1e\x00\x00\x03any"
"""MQTT 5, clean start, keep alive 30 s, client id "any"."""


def make_town(town: Path) -> Fleet:
    fleet = Fleet.init(town, schemes={"hart": "HART"}, port=free_port())
    fleet.add_all([NewNode("Corner Shop", "High St", ["hart"]), NewNode("Bakery", "High St", ["hart"])])
    return fleet


@pytest.fixture
def fleet(tmp_path: Path) -> Fleet:
    return make_town(tmp_path / "town")


@pytest.fixture
def live(fleet: Fleet) -> Iterator[Fleet]:
    with running_broker(fleet.layout.broker / "mosquitto.conf", fleet.record.broker.port):
        yield fleet


def seen(fleet: Fleet, identity: Path) -> Verdict:
    """What the broker does with the certificate in that folder, publishing to its node's own frame topic."""
    certificate = IssuedCertificate(
        (identity / "client.pem").read_bytes(), (identity / "client.key").read_bytes(), 0, datetime.now(UTC)
    )
    return probe_of(fleet).observe(certificate, f"{FRAMES}/{identity.name}").verdict


def reload_of(fleet: Fleet) -> Callable[[], None]:
    return reload_by_pid_file(fleet.layout.pid_file)


def is_struck(fleet: Fleet) -> bool:
    authority = PublicKey(bytes.fromhex((fleet.layout.authority / "authority.pub").read_text()))
    return open_directory(fleet.layout.directory.read_bytes(), authority).senders[NodeId(0x10)].is_revoked


def test_revoke_has_the_broker_refuse_the_node_and_no_other(live: Fleet) -> None:
    before = seen(live, live.node_folder(STOLEN))

    live.revoke(STOLEN, reload_of(live))

    assert before is Verdict.ACCEPTED
    assert seen(live, live.node_folder(STOLEN)) is Verdict.REVOKED
    assert seen(live, live.node_folder(SHOP)) is Verdict.ACCEPTED
    assert is_struck(live)


def test_revoke_silences_a_session_that_stays_connected(live: Fleet) -> None:
    """Whoever holds the stolen node hears nothing more and says nothing more, without a reconnect."""
    port = live.record.broker.port
    with listening(port, live.node_folder(STOLEN)) as stolen, listening(port, live.node_folder(SHOP)) as shop:
        stolen.subscribe(f"{FRAMES}/+")
        shop.subscribe(f"{FRAMES}/+")
        shop.publish(f"{FRAMES}/{SHOP}", b"before")
        stolen.wait_for(b"before")

        live.revoke(STOLEN, reload_of(live))
        shop.publish(f"{FRAMES}/{SHOP}", b"after")
        shop.wait_for(b"after")
        # The answer comes down the same connection: what the broker had sent it before would be here first.
        answer = stolen.publish(f"{FRAMES}/{STOLEN}", b"from the thief")
        shop.publish(f"{FRAMES}/{SHOP}", b"last")
        shop.wait_for(b"last")

        assert answer.value == NOT_AUTHORISED
        assert [payload for _, payload in stolen.received] == [b"before"]
        assert [payload for _, payload in shop.received] == [b"before", b"after", b"last"]
        assert not stolen.disconnected.is_set()
        assert not shop.disconnected.is_set()


def test_revoke_tells_the_broker_again_whose_signal_was_lost(live: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(enforcement, "RELOAD_AGAIN_S", 0)
    signals = chain([lambda: None], repeat(reload_of(live)))

    def reload() -> None:
        next(signals)()

    live.revoke(STOLEN, reload, deadline_s=DEADLINE_S)

    assert seen(live, live.node_folder(STOLEN)) is Verdict.REVOKED


def test_revoke_ends_the_tls_tickets_too(live: Fleet) -> None:
    """Whoever resumes a session shows no certificate, so the list alone would not be asked."""
    stolen = live.node_folder(STOLEN)
    context = ssl.create_default_context(cafile=str(stolen / "ca.pem"))
    context.load_cert_chain(stolen / "client.pem", stolen / "client.key")

    def connected(ticket: ssl.SSLSession | None) -> tuple[bool, bytes, ssl.SSLSession | None]:
        with (
            socket.create_connection(("127.0.0.1", live.record.broker.port), timeout=DEADLINE_S) as plain,
            context.wrap_socket(plain, server_hostname="127.0.0.1", session=ticket) as link,
        ):
            try:
                link.sendall(CONNECT)
                return bool(link.session_reused), link.recv(4), link.session
            except OSError:
                return bool(link.session_reused), b"", None

    _, _, ticket = connected(None)
    before = connected(ticket)[:2]
    live.revoke(STOLEN, reload_of(live))

    assert (True, 0x20) == (before[0], before[1][0])
    assert (False, b"") == connected(ticket)[:2]


def test_replace_ends_the_broken_unit_like_a_stolen_one(live: Fleet, capsys: pytest.CaptureFixture[str]) -> None:
    delegate_to(live.folder, SigningKey(bytes(range(32))).public.raw)

    assert 0 == main(["replace", "--dir", str(live.layout.town), STOLEN, "--yes"])

    assert seen(live, live.node_folder(STOLEN)) is Verdict.REVOKED
    assert seen(live, live.node_folder(SHOP)) is Verdict.ACCEPTED
    assert is_struck(live)
    assert "00000012 takes its place" in capsys.readouterr().out


def test_revoke_covers_every_certificate_the_node_ever_had(live: Fleet, tmp_path: Path) -> None:
    """The old one stays good after a renewal, so it must not survive a revocation."""
    old = tmp_path / STOLEN
    shutil.copytree(live.node_folder(STOLEN), old)
    live.renew(STOLEN)
    still_good = seen(live, old)

    live.revoke(STOLEN, reload_of(live))

    assert still_good is Verdict.ACCEPTED
    assert [seen(live, old), seen(live, live.node_folder(STOLEN))] == [Verdict.REVOKED, Verdict.REVOKED]


def test_revoke_outlives_the_broker(fleet: Fleet) -> None:
    configuration = fleet.layout.broker / "mosquitto.conf"
    with running_broker(configuration, fleet.record.broker.port):
        fleet.revoke(STOLEN, reload_of(fleet))
    with running_broker(configuration, fleet.record.broker.port):
        verdicts = [seen(fleet, fleet.node_folder(node)) for node in (STOLEN, SHOP)]

    assert verdicts == [Verdict.REVOKED, Verdict.ACCEPTED]


def test_revoke_again_proves_again_and_strikes_once(live: Fleet) -> None:
    first = live.revoke(STOLEN, reload_of(live))
    serial = live.record.directory_serial

    second = live.revoke(STOLEN, reload_of(live))

    assert second.revoked_at == first.revoked_at
    assert live.record.directory_serial == serial


def test_revoke_without_a_running_broker_strikes_and_fails_and_can_be_finished(
    fleet: Fleet, capsys: pytest.CaptureFixture[str]
) -> None:
    failed = main(["revoke", "--dir", str(fleet.layout.town), STOLEN])
    said = capsys.readouterr().err
    struck = is_struck(fleet)
    with running_broker(fleet.layout.broker / "mosquitto.conf", fleet.record.broker.port):
        finished = main(["revoke", "--dir", str(fleet.layout.town), STOLEN])
        verdict = seen(fleet, fleet.node_folder(STOLEN))

    assert [failed, finished] == [1, 0]
    assert "NOT PROVEN: No running broker could be reloaded" in said
    assert f"{STOLEN} (Corner Shop) is struck from the directory" in said
    assert struck
    assert verdict is Verdict.REVOKED


@contextlib.contextmanager
def running_otherwise(fleet: Fleet, change: Callable[[str], str]) -> Iterator[None]:
    """A broker whose own configuration differs from the fleet's, as after a hand's edit on its machine."""
    other = fleet.layout.broker / "other.conf"
    other.write_text(change((fleet.layout.broker / "mosquitto.conf").read_text()) + "\n" + TELLS_OF_RELOADS)
    with running_broker(other, fleet.record.broker.port):
        yield


def seen_reload_of(fleet: Fleet) -> Callable[[], None]:
    """Of one that runs otherwise: before it has reloaded, what it does wrong is something else."""
    return seen_to_reload(fleet.layout.broker / "mosquitto.log", reload_of(fleet))


def without_list(configuration: str) -> str:
    return "\n".join(line for line in configuration.splitlines() if not line.startswith("crlfile"))


def test_revoke_is_loud_about_a_broker_that_lets_revoked_certificates_in(fleet: Fleet) -> None:
    """Fails open in Mosquitto, so it is the canary that must notice."""
    with (
        running_otherwise(fleet, without_list),
        pytest.raises(BrokerUnprovenError, match="LETS REVOKED CERTIFICATES IN"),
    ):
        fleet.revoke(STOLEN, reload_of(fleet), deadline_s=1)

    assert is_struck(fleet)


def test_revoke_is_loud_about_a_broker_that_obeys_an_older_acl(fleet: Fleet) -> None:
    """New connections are refused then, but a session that is open would go on hearing everything."""
    old_acl = fleet.layout.broker / "old-acl"
    shutil.copy(fleet.layout.broker / "acl", old_acl)

    with (
        running_otherwise(
            fleet, lambda text: text.replace(f"acl_file {old_acl.with_name('acl')}", f"acl_file {old_acl}")
        ),
        pytest.raises(BrokerUnprovenError, match="still obeys an older ACL"),
    ):
        fleet.revoke(STOLEN, seen_reload_of(fleet), deadline_s=1)


def test_revoke_is_loud_about_a_broker_that_obeys_no_acl(fleet: Fleet) -> None:
    """Mosquitto 2.0.21 allows everything when it reloads an ACL that it cannot read."""
    acl = f"acl_file {fleet.layout.broker / 'acl'}"
    with (
        running_otherwise(fleet, lambda text: text.replace(acl, "")),
        pytest.raises(BrokerUnprovenError, match="OBEYS NO ACL"),
    ):
        fleet.revoke(STOLEN, seen_reload_of(fleet), deadline_s=1)


def test_revoke_is_loud_about_a_broker_that_refuses_everybody(fleet: Fleet) -> None:
    """An expired list does that; a canary alone would have been content."""
    expired = fleet.layout.broker / "expired.pem"
    expired.write_bytes(issue_crl(fleet.issuer(NODES), frozenset(), 1, now=datetime.now(UTC) - timedelta(days=60)))

    with (
        running_otherwise(
            fleet, lambda text: text.replace(f"crlfile {expired.with_name('crl.pem')}", f"crlfile {expired}")
        ),
        pytest.raises(BrokerUnprovenError, match="refuses valid certificates too"),
    ):
        fleet.revoke(STOLEN, reload_of(fleet), deadline_s=1)


@pytest.mark.parametrize("made", [b"-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n", b"", None])
def test_revoke_never_puts_an_unfit_list_in_place_and_still_silences(
    live: Fleet, monkeypatch: pytest.MonkeyPatch, made: bytes | None
) -> None:
    """Damaged, empty, or without the stolen node's serial: the list before stays, and the ACL is obeyed."""
    before = live.layout.broker.joinpath("crl.pem").read_bytes()
    lacking = issue_crl(live.issuer(NODES), frozenset(), 9, now=live.now())
    monkeypatch.setattr(fleet_folder, "issue_crl", lambda *_, **__: lacking if made is None else made)
    with listening(live.record.broker.port, live.node_folder(STOLEN)) as stolen:
        with pytest.raises(BrokerUnprovenError, match="revocation list could not be written"):
            live.revoke(STOLEN, reload_of(live), deadline_s=1)
        answers: list[int] = []
        for _ in range(100):
            answers.append(stolen.publish(f"{FRAMES}/{STOLEN}").value)
            if answers[-1] == NOT_AUTHORISED:
                break

    assert live.layout.broker.joinpath("crl.pem").read_bytes() == before
    assert sorted(p.name for p in live.layout.broker.glob(".crl*")) == []
    assert answers[-1] == NOT_AUTHORISED


def test_enforce_replaces_a_lost_list_before_the_broker_reloads(live: Fleet) -> None:
    """Told to reload without one, Mosquitto 2.0.21 would let the revoked back in."""
    live.revoke(STOLEN, reload_of(live))
    (live.layout.broker / "crl.pem").unlink()

    live.enforce(reload_of(live))

    assert seen(live, live.node_folder(STOLEN)) is Verdict.REVOKED


def test_enforce_lets_a_node_in_that_was_added_while_the_broker_ran(live: Fleet) -> None:
    added = live.add("Chemist", "Mill Lane", ["hart"])
    before = seen(live, live.node_folder(added.node))

    live.enforce(reload_of(live))

    assert [before, seen(live, live.node_folder(added.node))] == [Verdict.FORBIDDEN, Verdict.ACCEPTED]


def test_enforce_has_the_broker_use_its_renewed_certificate(live: Fleet) -> None:
    live.renew("broker")

    live.enforce(reload_of(live))

    assert seen(live, live.node_folder(SHOP)) is Verdict.ACCEPTED


def test_reload_leaves_whoever_has_a_stale_pid_files_number_alone(fleet: Fleet) -> None:
    """SIGHUP ends most programs."""
    with subprocess.Popen(["sleep", "600"]) as bystander:
        fleet.layout.pid_file.write_text(f"{bystander.pid}\n")
        with pytest.raises(BrokerUnprovenError, match="stale"):
            reload_of(fleet)()
        is_alive = bystander.poll() is None
        bystander.kill()

    assert is_alive


def test_reload_command_that_fails_is_not_taken_for_a_reload(live: Fleet) -> None:
    with pytest.raises(BrokerUnprovenError, match="could not be reloaded"):
        live.revoke(STOLEN, reload_by_command("false"), deadline_s=1)


def test_reload_command_serves_a_broker_on_another_machine(live: Fleet) -> None:
    pid = live.layout.pid_file.read_text().strip()

    live.revoke(STOLEN, reload_by_command(f"kill -HUP {pid}"))

    assert seen(live, live.node_folder(STOLEN)) is Verdict.REVOKED


def test_revoke_by_root_stays_readable_to_a_broker_of_another_user() -> None:
    """What the broker's user cannot read is a list that is missing: root gives its files to the folder's owner."""
    user = "nobody" if os.geteuid() == 0 else None
    with tempfile.TemporaryDirectory(prefix="watchlink-town-") as parent:
        fleet = make_town(Path(parent) / "town")
        if user:
            for path in (Path(parent), fleet.layout.town, fleet.layout.broker, *fleet.layout.broker.rglob("*")):
                shutil.chown(path, user)
        with running_broker(fleet.layout.broker / "mosquitto.conf", fleet.record.broker.port, user=user):
            fleet.revoke(STOLEN, reload_of(fleet))
            verdicts = [seen(fleet, fleet.node_folder(node)) for node in (STOLEN, SHOP)]

    assert verdicts == [Verdict.REVOKED, Verdict.ACCEPTED]
