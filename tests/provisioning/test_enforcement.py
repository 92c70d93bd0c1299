"""The command says that the running broker obeys only when it was seen to; otherwise, what it does instead."""

from __future__ import annotations

import contextlib
import signal
import subprocess
from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import chain, repeat
from pathlib import Path

import msgspec
import pytest

from provisioning import enforcement, folder
from provisioning.certificates import issue_crl
from provisioning.cli import main
from provisioning.enforcement import reload_by_command, reload_by_pid_file
from provisioning.errors import BrokerUnprovenError
from provisioning.fleet import Fleet
from provisioning.listing import list_fleet
from provisioning.records import encode_record
from runtime.proof_file import read_proof
from runtime.proof_serials import has_ended
from tests.support.fleet_broker import DEADLINE_S
from tests.support.proof_broker import CONNACK, Orders, ProofBroker
from wire.fleet_files import PROOF
from wire.subjects import NODES

NOT_LET_IN = b"\x20\x03\x00\x86\x00"


@pytest.fixture
def fleet(obeyed: Fleet) -> Fleet:
    return obeyed


def nothing() -> None:
    """The broker reads its files at each connection anyway."""


def obey_no_list(orders: Orders) -> None:
    orders.revoked = None


def obey_the_acl_of_before(orders: Orders) -> None:
    orders.acl = orders.folder / "acl-before"
    orders.acl.write_bytes((orders.folder / "acl").read_bytes())


def obey_no_acl(orders: Orders) -> None:
    orders.acl = None


def obey_an_expired_list(orders: Orders) -> None:
    fleet = Fleet.open(orders.folder.parent)
    orders.revoked = orders.folder / "expired.pem"
    orders.revoked.write_bytes(issue_crl(fleet.issuer(NODES), set(), 1, now=fleet.now() - timedelta(days=60)))


def believe_the_common_name(orders: Orders) -> None:
    orders.is_common_name_believed = True


def hang_up(orders: Orders) -> None:
    orders.puback = b""


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (obey_no_list, "LETS REVOKED CERTIFICATES IN: a revoked test certificate was let in, and its message taken"),
        (obey_the_acl_of_before, "still obeys an older ACL"),
        (obey_no_acl, "OBEYS NO ACL"),
        (believe_the_common_name, "BELIEVES A CERTIFICATE'S COMMON NAME, whoever signed it"),
        (obey_an_expired_list, "refuses valid certificates too (SSLV3_ALERT_CERTIFICATE_EXPIRED)"),
        (hang_up, "did not answer (the broker hung up)"),
    ],
)
def test_broker_that_does_not_obey_is_told_of_by_what_it_does(
    fleet: Fleet, broker: ProofBroker, fault: Callable[[Orders], None], words: str
) -> None:
    fault(broker.orders)

    with pytest.raises(BrokerUnprovenError) as told:
        fleet.enforce(nothing, deadline_s=0)

    assert f"the broker at 127.0.0.1:{broker.port} {words}" in str(told.value)


def test_canary_that_is_refused_for_another_reason_proves_no_list(fleet: Fleet, broker: ProofBroker) -> None:
    broker.orders.revoked = None
    broker.orders.connacks = chain([NOT_LET_IN], repeat(CONNACK))

    with pytest.raises(BrokerUnprovenError, match=r"refused the canary, but not as revoked \(CONNACK 2003008600\)"):
        fleet.enforce(nothing, deadline_s=0)


def test_broker_has_the_new_files_when_it_is_told_and_then_is_seen_to_obey(fleet: Fleet, broker: ProofBroker) -> None:
    on_disk: list[tuple[str, bytes]] = []
    before = (fleet.layout.broker / "crl.pem").read_bytes()

    fleet.enforce(
        lambda: on_disk.append(
            ((fleet.layout.broker / "acl").read_text(), (fleet.layout.broker / "crl.pem").read_bytes())
        )
    )

    ((acl, crl),) = on_disk
    # With a certificate of each issuer: what is allowed, what is not, and what a common name alone would give.
    allowed, forbidden, believed, *again = broker.orders.published
    assert [allowed, forbidden, believed] == again
    assert f"topic write {allowed}\n" in acl
    assert f"topic write {forbidden}\n" not in acl
    assert f"user proof\ntopic write {believed}\n" in acl
    assert before != crl


def test_nothing_that_is_done_daily_needs_the_roots_key(fleet: Fleet) -> None:
    """It lies offline."""
    (fleet.layout.authority / "root-1.key").unlink()

    fleet.add("Bakery", "High St", ["hart"])
    for who in ("00000010", "central", "alerts", "broker", "office"):
        fleet.renew(who)
    fleet.revoke("00000010", nothing)


def test_broker_may_take_its_time(fleet: Fleet, broker: ProofBroker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(enforcement, "PROOF_PAUSE_S", 0)
    broker.orders.connacks = chain([NOT_LET_IN] * 5, repeat(CONNACK))

    fleet.enforce(nothing, deadline_s=DEADLINE_S)


def test_each_proof_is_made_against_an_acl_of_its_own(fleet: Fleet, broker: ProofBroker) -> None:
    """Otherwise the proof of before would prove this one."""
    fleet.enforce(nothing)
    fleet.enforce(nothing)

    published = broker.orders.published
    assert published[0] != published[6]


def test_canaries_are_remembered_until_they_expire(fleet: Fleet) -> None:
    """One that were forgotten would be let in; one that never were would make the list grow for ever."""
    fleet.enforce(nothing)
    fleet.enforce(nothing)
    first, *others = fleet.record.canaries
    assert has_ended(int(first.serial, 16), first.expires_at), "whoever has only the list knows it too"
    past = msgspec.structs.replace(first, expires_at=fleet.now() - timedelta(seconds=1))
    fleet.layout.record.write_bytes(encode_record(msgspec.structs.replace(fleet.record, canaries=(past, *others))))

    fleet.enforce(nothing)

    assert ["nodes-1", "services-1"] * 2 == [canary.issuer for canary in (first, *others)]
    assert [one.serial for one in others] == [canary.serial for canary in fleet.record.canaries[:-2]]


def test_list_that_is_unfit_is_not_put_in_place_and_the_node_is_silenced_all_the_same(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a damaged list a broker lets everybody in."""
    before = (fleet.layout.broker / "crl.pem").read_bytes()
    files = {path.name for path in fleet.layout.broker.iterdir()}
    monkeypatch.setattr(folder, "issue_crl", lambda *_, **__: b"damaged")
    silenced: list[bool] = []

    with pytest.raises(BrokerUnprovenError, match="revocation list could not be written"):
        fleet.revoke(
            "00000010",
            lambda: silenced.append(
                "user CN=00000010,O=node\ntopic deny #\n" in (fleet.layout.broker / "acl").read_text()
            ),
        )

    assert [True, True] == silenced, "and once more, for central's page"
    assert before == (fleet.layout.broker / "crl.pem").read_bytes()
    assert files | {PROOF} == {path.name for path in fleet.layout.broker.iterdir()}


def test_broker_is_not_told_to_read_an_unfit_list(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    (fleet.layout.broker / "crl.pem").write_bytes(b"damaged")
    monkeypatch.setattr(folder, "issue_crl", lambda *_, **__: b"damaged too")

    with pytest.raises(BrokerUnprovenError, match="cannot be read back"):
        fleet.revoke("00000010", pytest.fail)


@pytest.mark.parametrize("lost", ["nodes-1", "services-1"])
def test_broker_is_not_told_to_read_lists_of_which_one_is_lost(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch, lost: str
) -> None:
    """It would refuse all certificates of that issuer: nobody has a network, or central has none."""
    kept = fleet.folder.authority({"nodes-1": "services-1", "services-1": "nodes-1"}[lost])
    (fleet.layout.broker / "crl.pem").write_bytes(issue_crl(kept, set(), 1, now=fleet.now()))
    monkeypatch.setattr(folder, "issue_crl", lambda *_, **__: b"damaged")

    with pytest.raises(BrokerUnprovenError, match="There are 1 revocation lists for 2 issuers"):
        fleet.enforce(pytest.fail)


def test_revoke_says_what_was_seen(fleet: Fleet, capsys: pytest.CaptureFixture[str]) -> None:
    status = main(["revoke", "--dir", str(fleet.layout.town), "00000010", "--reload-command", "true"])

    said = capsys.readouterr().out
    assert status == 0
    assert "00000010 (Corner Shop) is revoked, and the running broker was seen to obey" in said
    assert "directory serial 3 strikes it" in said


def test_renew_crl_says_until_when_the_list_is_good(fleet: Fleet, capsys: pytest.CaptureFixture[str]) -> None:
    status = main(["renew-crl", "--dir", str(fleet.layout.town), "--reload-command", "true"])

    expires_at = fleet.crl_expires_at()
    assert status == 0
    assert f"obeys the new revocation list, good until {expires_at:%Y-%m-%d}." in capsys.readouterr().out


def test_add_tells_a_running_broker(fleet: Fleet, capsys: pytest.CaptureFixture[str]) -> None:
    town = str(fleet.layout.town)
    status = main(
        ["add", "--with-keys", "--dir", town, "--premises", "Bakery", "--scheme", "hart", "--reload-command", "true"],
    )

    assert status == 0
    assert "The running broker knows it." in capsys.readouterr().out


@contextlib.contextmanager
def running(program: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process of that name, until the end of this block; its name is its own only once it has answered."""
    program.symlink_to("/bin/cat")
    # Who starts the tests may ignore SIGHUP (nohup), and a child inherits that.
    with subprocess.Popen(
        ["env", "--default-signal=HUP", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(b"up\n")
        process.stdin.flush()
        process.stdout.readline()
        yield process


def test_reload_by_pid_file_sends_mosquitto_a_hangup(tmp_path: Path) -> None:
    with running(tmp_path / "mosquitto") as broker:
        (tmp_path / "pid").write_text(f"{broker.pid}\n")
        reload_by_pid_file(tmp_path / "pid")()

    assert -signal.SIGHUP == broker.returncode


def test_reload_leaves_a_process_alone_that_is_not_mosquitto(tmp_path: Path) -> None:
    """A stale file may name any by now, and SIGHUP ends most."""
    with running(tmp_path / "bystander") as bystander:
        (tmp_path / "pid").write_text(f"{bystander.pid}\n")
        with pytest.raises(BrokerUnprovenError, match=r"stale: process \d+ is 'bystander'"):
            reload_by_pid_file(tmp_path / "pid")()

    assert 0 == bystander.returncode


@pytest.mark.parametrize("text", ["", "mosquitto", "-5"])
def test_reload_by_a_file_that_names_no_process_is_no_reload(tmp_path: Path, text: str) -> None:
    (tmp_path / "pid").write_text(text)

    with pytest.raises(BrokerUnprovenError, match="No running broker could be reloaded"):
        reload_by_pid_file(tmp_path / "pid")()


def test_reload_by_command_runs_it_with_its_arguments(tmp_path: Path) -> None:
    reload_by_command(f"touch '{tmp_path}/told to reload'")()

    assert (tmp_path / "told to reload").exists()


@pytest.mark.parametrize("command", ["false", "/no/such/program", "'unfinished"])
def test_reload_by_a_command_that_fails_is_no_reload(command: str) -> None:
    with pytest.raises(BrokerUnprovenError, match="could not be reloaded"):
        reload_by_command(command)()


def test_what_is_not_proven_is_listed_until_it_is(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    """A timer at night tells nobody."""
    # All in one minute, which may end at any moment.
    at, open_now = fleet.now(), Fleet.open
    monkeypatch.setattr(Fleet, "open", lambda town: open_now(town, clock=lambda: at))
    town = ["--dir", str(fleet.layout.town)]
    for pid_file in ("/nowhere/a", "/nowhere/b"):
        assert 1 == main(["renew-crl", *town, "--deadline", "0", "--broker-pid-file", pid_file])
    told = "\n".join(list_fleet(fleet).warnings)
    assert f"NOT PROVEN since {at:%Y-%m-%d %H:%M} UTC that the broker obeys: No running broker" in told
    assert "/nowhere/b" in told
    fleet.enforce(nothing)

    assert not [one for one in list_fleet(fleet).warnings if "NOT PROVEN" in one]


def test_proof_that_was_cut_short_is_listed_too(fleet: Fleet) -> None:
    def die() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fleet.enforce(die)

    assert "or was interrupted" in list_fleet(fleet).warnings[0]


def test_central_is_brought_what_was_not_proven_and_that_it_is(fleet: Fleet, broker: ProofBroker) -> None:
    """Its page stands on another machine, before the people who are there at night."""
    brought: list[bool] = []

    def bring() -> None:
        brought.append(read_proof(fleet.layout.proof) is not None)

    fleet.enforce(bring)
    assert [False] == brought
    assert not fleet.layout.proof.exists(), "nothing to tell"
    hang_up(broker.orders)
    for _ in range(2):
        with pytest.raises(BrokerUnprovenError):
            fleet.enforce(bring, deadline_s=0)
    assert [False, False, True, True] == brought, "at once, and the second time it is known"
    broker.orders.puback = None
    fleet.enforce(bring)
    fleet.enforce(bring)

    assert [True, False, False] == brought[4:]


def test_machine_that_could_not_be_reached_is_not_tried_twice(fleet: Fleet) -> None:
    """A person waits."""
    tries: list[bytes] = []

    def fail() -> None:
        tries.append(b"")
        raise BrokerUnprovenError("No route to host.")

    with pytest.raises(BrokerUnprovenError, match="No route"):
        fleet.enforce(fail)

    assert 1 == len(tries)
    assert None is not read_proof(fleet.layout.proof), "for the next pack"
