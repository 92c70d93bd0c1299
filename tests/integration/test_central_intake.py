"""Central, Mosquitto over mutual TLS, and raw clients that press, repeat, lie and flood (N2, N8, N13, F2)."""

from __future__ import annotations

import contextlib
import resource
import sqlite3
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from msgspec.structs import replace

from central.core.view import Acknowledge, Close, Done, Person, Refused, StartDuty
from provisioning.fleet import Fleet, NewNode
from tests.support.central_program import KILL_BEFORE_RECEIPT, CentralProgram, running_central
from tests.support.fleet_broker import free_port, running_broker, wait_until
from tests.support.raw_member import ROOT, Node, wait_for_link
from wire.directory import DirectoryDocument, SenderEntry, seal_directory
from wire.frames import Acknowledgement, Response, decode, encode
from wire.ids import CENTRAL, FrameId
from wire.kinds import AlertKind, AnswerState, MemberResponse, Role
from wire.messages import CentralStatus, Health, IncidentState, Sync, SyncAnswer, decode_message, encode_message
from wire.signing import SigningKey

pytestmark = pytest.mark.integration

SHOP, BAKERY, CROWN = "00000010", "00000011", "00000012"
CCTV = Person("cctv", "Ann Jones")


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    fleet = Fleet.init(
        tmp_path / "town", schemes={"hart": "HART", "pubwatch": "Pub Watch"}, port=free_port(), web_port=free_port()
    )
    fleet.add_all(
        [
            NewNode("Corner Shop", "High St", ["hart"]),
            NewNode("Bakery", "High St", ["hart"]),
            NewNode("The Crown", "Market Sq", ["pubwatch"]),
        ]
    )
    with running_broker(fleet.layout.broker / "mosquitto.conf", fleet.record.broker.port):
        yield fleet


@pytest.fixture
def config(fleet: Fleet) -> Path:
    return fleet.layout.town / "central" / "central.toml"


@pytest.fixture
def central(config: Path) -> Iterator[CentralProgram]:
    with running_central(config) as central:
        wait_for_link(central)
        yield central


@pytest.fixture
def shop(fleet: Fleet) -> Iterator[Node]:
    node = Node(fleet, SHOP, "hart", 1)
    with contextlib.closing(node.client):
        yield node


@pytest.fixture
def bakery(fleet: Fleet) -> Iterator[Node]:
    node = Node(fleet, BAKERY, "hart", 1)
    with contextlib.closing(node.client):
        yield node


def directory_of(fleet: Fleet) -> DirectoryDocument:
    """The newest: the office has made one since this fleet was opened."""
    return Fleet.open(fleet.layout.town).record.directory()


def database_of(config: Path) -> Path:
    return config.parent / "state" / "central.db"


def test_press_is_committed_receipted_shown_answered_and_closed(
    fleet: Fleet, config: Path, central: CentralProgram, shop: Node, bakery: Node
) -> None:
    """The first alert, as central sees it: N3, N5, N8, C1."""
    assert Done is type(central.act(StartDuty("page"), CCTV))
    shop.send(shop.alert(7))
    receipt = shop.wait_for_receipt(7)
    with sqlite3.connect(database_of(config)) as disk:
        rows = disk.execute("SELECT sender, counter FROM frames").fetchall()
    disk.close()
    bakery.send(Response(bakery.id, 1, int(time.time()), FrameId(shop.id, 7), MemberResponse.RESPONDING, (1,)))
    bakery.wait_for_receipt(1)

    assert (CENTRAL, False, [(16, 7)]) == (receipt.sender, receipt.late, rows)
    assert Done is type(central.act(Acknowledge("00000010-7", "assist"), CCTV))
    assert Done is type(central.act(Close("00000010-7", "two detained"), CCTV))
    wait_until(lambda: len(shop.heard("/down/ack")) == 2, "both acknowledgements")
    said = [decode(payload).frame for payload in shop.heard("/down/ack")]

    def states() -> list[IncidentState]:
        return [decode_message(payload, IncidentState) for payload in bakery.heard("/incident")]

    wait_until(lambda: "closed" in [state.state for state in states()], "closed")
    assert [(AnswerState.ANSWERED, Role.CCTV, "A Jones"), (AnswerState.CLOSED, Role.CCTV, "A Jones")] == [
        (frame.state, frame.role, frame.name) for frame in said if isinstance(frame, Acknowledgement)
    ]
    assert ["unanswered", "unanswered", "answered", "closed"] == [state.state for state in states()]
    assert ["responding"] == [member.response for member in states()[1].members]
    duty = [decode_message(payload, CentralStatus).on_duty for payload in bakery.heard("/scheme/hart/central")]
    assert ("cctv",) == duty[-1]
    central.wait_for_fact("committed", alert="00000010-7", premises="Corner Shop", kind="assist")
    central.wait_for_fact("response", alert="00000010-7", from_premises="Bakery")
    assert (1, 1) == (central.count("committed"), central.count("response"))
    assert 0 == central.stop()


def test_press_repeated_is_answered_again_and_is_one_alert(central: CentralProgram, shop: Node) -> None:
    frame = shop.alert(7)
    shop.send(frame)
    shop.wait_for_receipt(7)

    shop.send(frame)

    second = shop.wait_for_receipt(7, count=2)
    assert second.counter > shop.receipts()[0].counter
    card = central.card("00000010-7")
    central.wait_for_fact("committed")
    assert (1, 1) == (central.count("committed"), card.alert_count)


def test_press_during_a_locked_database_gets_no_receipt_until_it_is_free(
    config: Path, central: CentralProgram, shop: Node
) -> None:
    """A receipt is never sent before the commit; the page says that the disk refuses, and recovers by itself."""
    central.people.request("", CCTV)  # signed in before: that needs the disk as well
    central.board()
    lock = sqlite3.connect(database_of(config), isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")
    frame = shop.alert(7)
    shop.send(frame)
    board = central.wait_for_board(lambda board: not board.is_disk_ok, "the page says that the disk refuses")
    receipts_then = shop.receipts()
    refused = central.act(StartDuty("page"), CCTV)

    lock.execute("ROLLBACK")
    lock.close()

    assert ((), []) == (board.cards, receipts_then)
    assert isinstance(refused, Refused)
    assert "locked" in refused.reason
    central.wait_for_board(lambda board: board.is_disk_ok, "the disk is seen to work again, without a press")
    shop.send(frame)
    shop.wait_for_receipt(7)


def test_press_on_a_full_disk_gets_no_receipt_until_there_is_room(
    config: Path, central: CentralProgram, shop: Node
) -> None:
    """No byte more may be written to any file: what a full disk does to a program."""
    shop.send(shop.alert(6))
    shop.wait_for_receipt(6)
    full = database_of(config).with_name("central.db-wal").stat().st_size
    pid = central.process.pid
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (full, resource.RLIM_INFINITY))
    frame = shop.alert(7)
    shop.send(frame)
    central.wait_for_board(lambda board: not board.is_disk_ok, "the page says that the disk refuses")
    receipts_then = [receipt.target.counter for receipt in shop.receipts()]

    resource.prlimit(pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    shop.send(frame)

    assert [6] == receipts_then
    shop.wait_for_receipt(7)
    central.wait_for_board(lambda board: board.is_disk_ok, "the disk is seen to work again")


def test_press_survives_a_kill_between_commit_and_receipt(fleet: Fleet, config: Path, shop: Node) -> None:
    """N2, N8: the node sends again, gets its receipt from the next run, and there is no second incident."""
    frame = shop.alert(7)
    with running_central(config, KILL_BEFORE_RECEIPT) as first:
        wait_for_link(first)
        shop.send(frame)
        killed = first.wait()
        committed_before = first.count("committed")

    with running_central(config) as second:
        shop.send(frame)
        shop.wait_for_receipt(7)
        card = second.card("00000010-7")
        shop.send(shop.alert(8, AlertKind.ATTACK, incident=7))
        shop.wait_for_receipt(8)

        assert (-9, 0, 0) == (killed, committed_before, sum(f.get("alert") == "00000010-7" for f in second.facts))
        assert ("unanswered", 1) == (card.state, card.alert_count)
        upgraded = second.card("00000010-7", alert_count=2)
        assert ("attack", 2) == (upgraded.kind, upgraded.alert_count)
    counters = [receipt.counter for receipt in shop.receipts()]
    assert len(counters) == len(set(counters))


def test_receipts_of_a_killed_central_were_all_on_disk(config: Path, shop: Node) -> None:
    """Kill -9 in the middle of a burst: whatever was receipted is there after the restart."""
    with running_central(config) as first:
        wait_for_link(first)
        for counter in range(1, 201):
            shop.client.client.publish(f"{ROOT}/scheme/hart/frame/{SHOP}", encode(shop.alert(counter), shop.key), qos=1)
        wait_until(lambda: len(shop.receipts()) > 20, "some receipts")
        first.kill()

    receipted = {receipt.target.counter for receipt in shop.receipts()}
    with sqlite3.connect(database_of(config)) as disk:
        stored = {counter for (counter,) in disk.execute("SELECT counter FROM frames")}
    disk.close()
    assert receipted <= stored
    with running_central(config) as second:
        shown = sum(card.stands_for for card in second.board().cards)
        with sqlite3.connect(database_of(config)) as disk:
            ((count,),) = disk.execute("SELECT count(*) FROM frames")
        disk.close()
    # The broker sends again what the first had not acknowledged, so there may be more by now.
    assert len(stored) <= shown <= count


def test_lies_are_counted_and_harm_nobody(fleet: Fleet, central: CentralProgram, shop: Node, bakery: Node) -> None:
    """Forged, foreign, cut, flipped, oversized, misspelt; and the alert behind them all arrives."""
    # Until alerts have their connection each is heard by both. The answer to a sync comes after the other one's end.
    central.wait_for_board(lambda board: board.has_alerts_lane, "alerts have a connection of their own")
    shop.up("sync", encode_message(Sync(boot_id="s1")))
    wait_until(lambda: bool(shop.heard("/down/sync")), "the answer")
    frames = f"{ROOT}/scheme/hart/frame/{SHOP}"
    good = encode(shop.alert(50), shop.key)
    shop.send(shop.alert(7), key=bakery.key)
    shop.send(shop.alert(8, schemes=(1, 2)))
    shop.send(bakery.alert(9), key=bakery.key)
    shop.client.publish(frames, good[:50])
    shop.client.publish(frames, good[:20] + bytes([good[20] ^ 1]) + good[21:])
    shop.client.publish(frames, b"x" * 65_000)
    shop.up("health", b"{" * 65_000)
    shop.up("health", encode_message(Health(state="armed", boot_id="\u202eevil\u0007" + "n" * 50)))
    shop.up("health", b'{"state": ["armed"], "boot_id": null}')
    shop.up("sync", "\u202e{\u0000".encode())
    shop.up("\u202ehealth", b"")
    shop.up("nonsense", b"")

    shop.send(shop.alert(10))

    shop.wait_for_receipt(10)
    expected = {
        ("signature", SHOP): 1,
        ("foreign scheme", SHOP): 1,
        ("topic sender", SHOP): 1,
        ("truncated", SHOP): 1,
        ("too long", SHOP): 1,
        ("message too large", SHOP): 1,
        ("message field", SHOP): 1,
        ("message json", SHOP): 1,
    }
    wait_until(lambda: expected.keys() <= central.rejected().keys(), "the page says what was dropped")
    counted = central.rejected()
    flipped = {key: count for key, count in counted.items() if key not in expected}
    assert expected.items() <= {**counted, ("signature", SHOP): 1}.items()
    assert 1 == sum(flipped.values()) + counted["signature", SHOP] - 1
    central.card("00000010-10")
    assert ["00000010-10"] == [card.incident for card in central.board().cards]
    central.wait_for_fact("rejected", reason="foreign scheme", sender=SHOP)
    assert all("\u202e" not in line.premises + line.version for line in central.board().nodes)


def test_flood_does_not_keep_an_alert_from_its_receipt(central: CentralProgram, shop: Node, bakery: Node) -> None:
    """A node gone mad beside one that is pressed."""
    for number in range(5_000):
        bakery.client.client.publish(f"{ROOT}/scheme/hart/frame/{BAKERY}", b"\x11" + bytes([number % 256]) * 90, qos=0)
    shop.send(shop.alert(7))

    shop.wait_for_receipt(7)
    assert len(central.board().rejected) <= 8
    assert len([f for f in central.facts if f["fact"] == "rejected"]) < 100


def test_revoked_node_is_refused_within_seconds_of_a_new_directory(
    fleet: Fleet, central: CentralProgram, shop: Node, bakery: Node
) -> None:
    """F2: by central itself, whatever the broker still lets through. A directory of somebody else's changes nothing."""
    bakery.up(
        "health", encode_message(Health(state="armed", boot_id="b1", directory_serial=directory_of(fleet).serial))
    )
    shop.send(shop.alert(7))
    shop.wait_for_receipt(7)
    document = directory_of(fleet)
    struck = [_struck(sender) if sender.node == SHOP else sender for sender in document.senders]
    newer = replace(document, serial=document.serial + 1, issued_at=datetime.now(UTC), senders=tuple(struck))
    path = fleet.layout.directory
    path.write_bytes(seal_directory(newer, SigningKey(b"somebody else's key".ljust(32))))
    central.wait_for_fact("rejected", reason="directory signature")
    shop.send(shop.alert(8))
    shop.wait_for_receipt(8)

    authority = bytes.fromhex((fleet.layout.authority / "authority.key").read_text().strip())
    path.write_bytes(seal_directory(newer, SigningKey(authority)))
    central.wait_for_board(
        lambda board: any(line.state == "revoked" for line in board.nodes), "the page shows it as revoked"
    )
    shop.send(shop.alert(9))

    central.wait_for_fact("rejected", reason="revoked sender", sender=SHOP)
    assert {7, 8} == {receipt.target.counter for receipt in shop.receipts()}
    wait_until(lambda: len(bakery.heard("/down/directory")) == 1, "the neighbour gets the new directory")
    assert [path.read_bytes()] == bakery.heard("/down/directory")


def _struck(sender: SenderEntry) -> SenderEntry:
    fields = {name: getattr(sender, name) for name in sender.__struct_fields__}
    return SenderEntry(**{**fields, "revoked_at": datetime.now(UTC)})


def test_sync_is_answered_after_a_restart_with_what_was_missed(config: Path, shop: Node, bakery: Node) -> None:
    with running_central(config) as first:
        wait_for_link(first)
        shop.send(shop.alert(7, AlertKind.ATTACK))
        shop.wait_for_receipt(7)
        first.act(Acknowledge("00000010-7"), CCTV)
        first.kill()

    with running_central(config) as second:
        bakery.up("sync", encode_message(Sync(boot_id="b1")))
        shop.up("sync", encode_message(Sync(boot_id="s1")))
        wait_until(lambda: bool(bakery.heard("/down/sync") and shop.heard("/down/sync")), "both answers")

        answers = [decode_message(node.heard("/down/sync")[0], SyncAnswer) for node in (shop, bakery)]
        assert [7, 0] == [answer.counter_floor for answer in answers]
        # The page's is that of its scope: central's own, and a tail.
        assert {second.board().boot_id.partition("-")[0]} == {answer.boot_id for answer in answers}
        for answer in answers:
            [state] = answer.incidents
            assert ("00000010-7", "answered", "Ann Jones") == (
                state.incident,
                state.state,
                state.answer.name if state.answer else "",
            )


def test_node_is_silent_at_its_last_will(fleet: Fleet, central: CentralProgram, bakery: Node) -> None:
    """N11: a dead node shows at once."""
    bakery.up("health", encode_message(Health(state="armed", boot_id="b1")))
    central.wait_for_board(lambda board: "ok" in {line.state for line in board.nodes}, "it is alive")

    bakery.up("health", encode_message(Health(state="lost", boot_id="b1")))

    board = central.wait_for_board(lambda board: "no-contact" in {line.state for line in board.nodes}, "it is silent")
    assert ["Bakery"] == [line.premises for line in board.nodes if line.state == "no-contact"]


def test_late_alert_is_told_as_late(central: CentralProgram, shop: Node) -> None:
    """N13."""
    shop.send(shop.alert(7, at_s=int(time.time()) - 3_600))

    assert shop.wait_for_receipt(7).late
    central.wait_for_fact("late", alert="00000010-7")
    assert central.card("00000010-7").is_late


def test_other_scheme_hears_nothing(fleet: Fleet, central: CentralProgram, shop: Node) -> None:
    """G4's wall, for alerts: a Pub Watch pub learns nothing of HART."""
    crown = Node(fleet, CROWN, "pubwatch", 2)
    with contextlib.closing(crown.client):
        shop.send(shop.alert(7, AlertKind.ATTACK))
        shop.wait_for_receipt(7)
        crown.send(crown.alert(3))
        crown.wait_for_receipt(3)
        wait_until(lambda: bool(crown.heard("/scheme/pubwatch/incident")), "its own incident")

        assert {"00000012-3"} == {
            decode_message(payload, IncidentState).incident for payload in crown.heard("/incident")
        }
    wait_until(lambda: central.count("committed") == 2, "both alerts' facts")
