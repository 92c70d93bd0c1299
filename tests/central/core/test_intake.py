"""What comes in at central: admitted, committed, and only then answered (N2, N8, N13)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from central.core import effects as do
from central.core import events as ev
from central.core.journal import KeptNode, Recall, SeenFrame
from central.core.paths import Paths
from central.core.unit_lines import UnitFacts
from central.core.view import Acknowledge, Done
from tests.support.central_town import (
    BAKERY,
    CORNER,
    CROWN,
    KEYS,
    SCHEMES,
    START,
    Town,
    frame_entry,
    make_directory,
    only,
    opened,
)
from wire.frames import Alert, PathTest, Receipt, Response, encode
from wire.ids import CENTRAL, FrameId, NodeId, node_text
from wire.kinds import AlertKind, MemberResponse, Path
from wire.messages import Health, PendingFrame, Sync
from wire.topics import FrameTopic

HART = FrameTopic("hart", CORNER)
SEVEN = FrameId(CORNER, 7)


def alert(counter: int = 7, node: NodeId = CORNER, schemes: tuple[int, ...] | None = None) -> Alert:
    return Alert(node, counter, int(START.timestamp()), AlertKind.ASSIST, counter, schemes or SCHEMES[node])


@pytest.mark.finding(12)
def test_attack_gets_its_receipt_although_the_rules_failed_on_it_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """It was neither new nor on disk: it had no receipt however often it came, and nobody was answered any more."""
    town, take_arrival = Town(), Paths.take_arrival
    failed: list[bool] = []

    def fail_once(self: Paths, *rest: object, **more: object) -> None:
        if not failed:
            failed.append(True)
            raise ZeroDivisionError
        take_arrival(self, *rest, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(Paths, "take_arrival", fail_once)
    with pytest.raises(ZeroDivisionError):
        town.press(7)
    said = town.press(7)

    assert [SEVEN] == [order.target for order in only(said, do.SendReceipt)]
    assert isinstance(town.act(Acknowledge("00000010-7")), Done)


def test_core_tells_nobody_before_the_commit(town: Town) -> None:
    """N8: a receipt is the word that the alert is on disk."""
    town.is_disk_slow = True

    said = town.press(7)

    assert [do.CommitFrame] == [type(order) for order in said if not isinstance(order, do.ShowChange)]
    assert () == town.board().cards


def test_core_sends_the_receipt_after_the_commit(town: Town) -> None:
    said = town.press(7)

    assert [do.SendReceipt(CORNER, SEVEN, is_late=False)] == only(said, do.SendReceipt)
    assert "unanswered" == town.card().state


def test_core_sends_receipts_before_everything_else(town: Town) -> None:
    """Somebody frightened waits for each of them; pages and tools wait behind."""
    town.is_disk_slow = True
    for counter in (7, 8, 9):
        town.press(counter)
    ids = tuple(frame_entry(entry).signed.frame.id for entry in town.waiting)

    said = town.handle(ev.FramesCommitted(ids))

    assert [do.SendReceipt] * 3 == [type(order) for order in said[:3]]


def test_core_answers_identical_bytes_again_without_a_second_commit(town: Town) -> None:
    town.press(7)

    again = town.press(7)

    assert [do.SendReceipt(CORNER, SEVEN, is_late=False)] == again
    assert 1 == town.card().alert_count


def test_core_gives_no_receipt_for_a_repetition_that_is_still_on_its_way_to_disk(town: Town) -> None:
    town.is_disk_slow = True
    town.press(7)

    assert [] == town.press(7)
    assert 1 == len(only(town.commit(), do.SendReceipt))


def test_core_takes_one_alert_on_two_scheme_topics_as_one(town: Town) -> None:
    """Premises in both schemes publish the same bytes to each."""
    arcade = NodeId(0x13)
    data = encode(alert(7, arcade), KEYS[arcade])
    town.is_disk_slow = True
    for scheme in ("hart", "pubwatch"):
        town.arrive(data, FrameTopic(scheme, arcade))

    town.commit()

    assert ["00000013-7"] == [card.incident for card in town.board().cards]
    assert ("hart", "pubwatch") == town.card("00000013-7").schemes


def test_core_refuses_another_frame_under_a_known_id(town: Town) -> None:
    town.press(7)

    said = town.press(7, AlertKind.ATTACK)

    assert [] == only(said, do.SendReceipt)
    assert "assist" == town.card().kind
    assert 1 == town.rejected()["id conflict", "00000010"]


def test_core_refuses_another_frame_under_an_id_that_is_on_its_way(town: Town) -> None:
    town.is_disk_slow = True
    town.press(7)
    town.press(7, AlertKind.ATTACK)

    assert 1 == len(only(town.commit(), do.SendReceipt))
    assert "assist" == town.card().kind


def test_core_forgets_a_frame_that_the_disk_refused_so_that_it_is_tried_anew(town: Town) -> None:
    """N3: no receipt, the page says so, and the node's retransmission is not taken for a repetition."""
    town.is_disk_slow = True
    town.press(7)
    refused = town.refuse("database or disk is full")
    is_disk_ok_then = town.board().is_disk_ok
    town.is_disk_slow = False

    again = town.press(7)

    assert [] == only(refused, do.SendReceipt)
    assert not is_disk_ok_then
    assert [do.SendReceipt(CORNER, SEVEN, is_late=False)] == only(again, do.SendReceipt)
    assert town.board().is_disk_ok


def test_core_probes_a_disk_that_refused_until_it_works(town: Town) -> None:
    town.is_disk_slow = True
    town.press(7)
    town.refuse()
    town.is_disk_slow = False

    assert 2 == len(only(town.later(10), do.ProbeStore))
    town.handle(ev.StoreRecovered())
    assert town.board().is_disk_ok
    assert [] == only(town.later(10), do.ProbeStore)


def test_core_answers_a_frame_that_only_the_disk_still_knew(town: Town) -> None:
    """Ids of more than 90 days ago are not in memory; the table's key is the last guard."""
    town.is_disk_slow = True
    town.press(7)
    entry = frame_entry(town.waiting.pop())

    said = town.handle(ev.FramesKnown((SeenFrame(SEVEN, entry.digest, is_late=True),)))

    assert [do.SendReceipt(CORNER, SEVEN, is_late=True)] == only(said, do.SendReceipt)
    assert () == town.board().cards


def test_core_shows_a_frame_that_was_committed_although_the_disk_said_no(town: Town) -> None:
    """A database server whose link broke during the commit: a receipt for an alert that nobody sees would be a lie."""
    town.is_disk_slow = True
    town.press(7)
    town.refuse("server closed the connection unexpectedly")
    town.press(7)
    entry = frame_entry(town.waiting.pop())

    said = town.handle(ev.FramesKnown((SeenFrame(SEVEN, entry.digest, is_late=False),)))

    assert [do.SendReceipt(CORNER, SEVEN, is_late=False)] == only(said, do.SendReceipt)
    assert ("unanswered", 1) == (town.card().state, town.card().alert_count)
    assert 1 == len(only(said, do.PublishIncident))


def test_core_refuses_a_frame_whose_id_the_disk_knows_with_other_bytes(town: Town) -> None:
    town.is_disk_slow = True
    town.press(7)
    town.waiting.clear()

    said = town.handle(ev.FramesKnown((SeenFrame(SEVEN, b"other".ljust(32), is_late=False),)))

    assert [] == only(said, do.SendReceipt)
    assert 1 == town.rejected()["id conflict", "00000010"]


@pytest.mark.parametrize(
    ("frame", "key", "topic", "reason"),
    [
        (alert(), BAKERY, HART, "signature"),
        (alert(schemes=(2,)), CORNER, FrameTopic("pubwatch", CORNER), "foreign scheme"),
        (alert(), CORNER, FrameTopic("pubwatch", CORNER), "topic scheme"),
        (alert(), CORNER, FrameTopic("hart", BAKERY), "topic sender"),
        (Alert(NodeId(0x99), 7, 0, AlertKind.ASSIST, 7, (1,)), CORNER, HART, "unknown sender"),
        (Receipt(CORNER, 7, 0, FrameId(BAKERY, 1)), CORNER, HART, "not central"),
        (Receipt(CENTRAL, 7, 0, FrameId(BAKERY, 1)), CENTRAL, None, "from central"),
        (Response(CORNER, 7, 0, FrameId(CORNER, 1), MemberResponse.SEEN, (1,)), CORNER, HART, "foreign incident"),
    ],
)
def test_core_counts_and_drops_what_nobody_may_say(
    town: Town, frame: Alert, key: NodeId, topic: FrameTopic | None, reason: str
) -> None:
    said = town.arrive(encode(frame, KEYS[key]), topic)

    assert [] == only(said, do.CommitFrame) + only(said, do.SendReceipt)
    assert 1 == town.rejected()[reason, node_text(topic.node) if topic else ""]


def test_core_drops_everything_of_a_revoked_node_even_what_it_had_taken(town: Town) -> None:
    """F2: a stolen node gets no more receipts, from its next byte on."""
    town.press(7)
    data = make_directory(2, revoked=(CORNER,))
    town.handle(ev.DirectoryChanged(opened(data), data))

    assert [] == only(town.press(7) + town.press(8), do.SendReceipt)
    assert 2 == town.rejected()["revoked sender", "00000010"]
    assert "revoked" == town.node_state(CORNER)
    assert "unanswered" == town.card().state


def test_core_refuses_an_answer_to_an_incident_of_another_scheme(town: Town) -> None:
    town.press(7)

    said = town.respond(CROWN, 1, SEVEN, MemberResponse.SEEN)

    assert [] == only(said, do.CommitFrame)
    assert () == town.card().members


def test_core_accepts_and_counts_a_counter_that_runs_backwards(town: Town) -> None:
    town.press(9)

    said = town.press(7)

    assert 1 == len(only(said, do.SendReceipt))
    assert 1 == town.rejected()["counter backwards (accepted)", "00000010"]


def test_core_shows_the_arrival_time_of_a_frame_from_the_future(town: Town) -> None:
    """A clock that jumped years is no reason to lose an alert."""
    future_s = int((START + timedelta(days=3650)).timestamp())

    said = town.press(7, at_s=future_s)

    assert [do.SendReceipt(CORNER, SEVEN, is_late=False)] == only(said, do.SendReceipt)
    assert (None, True, START) == (town.card().pressed_at, town.card().is_clock_ahead, town.card().arrived_at)
    assert START == only(said, do.PublishIncident)[0].state.opened_at
    assert 1 == town.rejected()["clock ahead (accepted)", "00000010"]


@pytest.mark.parametrize(("age_s", "is_late"), [(59, False), (60, False), (61, True), (20 * 365 * 86_400, True)])
def test_core_marks_an_alert_late_after_a_minute_and_still_opens_it(town: Town, age_s: int, *, is_late: bool) -> None:
    """N13."""
    said = town.press(7, at_s=int(START.timestamp()) - age_s)

    assert [do.SendReceipt(CORNER, SEVEN, is_late=is_late)] == only(said, do.SendReceipt)
    assert (is_late, "unanswered") == (town.card().is_late, town.card().state)
    assert is_late == only(said, do.PublishIncident)[0].state.late


def test_core_knows_from_a_sync_that_an_alert_without_a_proven_time_is_late(town: Town) -> None:
    """N13: the age comes from the node's own monotonic clock."""
    pending = (PendingFrame(counter=7, age_ms=61_000), PendingFrame(counter=8, age_ms=1_000))
    town.handle(ev.SyncArrived(CORNER, Sync(boot_id="n1", pending=pending)))

    town.press(7, at_s=0)
    town.press(8, at_s=0)

    assert (True, False) == (town.card("00000010-7").is_late, town.card("00000010-8").is_late)


@pytest.mark.parametrize(("age_ms", "is_late"), [(62_000, True), (59_000, False), (2**53, True)])
def test_core_finds_an_alert_late_when_its_sync_comes_after_it(town: Town, age_ms: int, *, is_late: bool) -> None:
    town.press(7, at_s=0)

    said = town.handle(ev.SyncArrived(CORNER, Sync(boot_id="n1", pending=(PendingFrame(counter=7, age_ms=age_ms),))))

    assert is_late == town.card().is_late
    assert [is_late] * is_late == [order.state.late for order in only(said, do.PublishIncident)]


def test_core_writes_once_that_an_alert_is_late_however_often_its_node_syncs(town: Town) -> None:
    """While the disk is slow every sync says it again."""
    town.press(7, at_s=0)
    town.is_disk_slow = True
    town.press(8, incident=7)
    for _ in range(50):
        town.handle(ev.SyncArrived(CORNER, Sync(boot_id="n1", pending=(PendingFrame(counter=7, age_ms=62_000),))))

    town.commit()

    assert 1 == [line.what for line in town.card().history].count("found-late")


def test_core_does_not_call_late_what_arrived_live_and_waits_for_its_receipt_only(town: Town) -> None:
    town.press(7, at_s=0)
    town.later(120)
    pending = (PendingFrame(counter=7, age_ms=120_500),)

    town.handle(ev.SyncArrived(CORNER, Sync(boot_id="n1", pending=pending)))

    assert not town.card().is_late


def test_core_commits_and_receipts_a_path_test_without_an_incident(town: Town) -> None:
    """N11."""
    said = town.send(PathTest(CORNER, 3, 0, Path.NETWORK))

    assert [do.SendReceipt(CORNER, FrameId(CORNER, 3), is_late=False)] == only(said, do.SendReceipt)
    assert () == town.board().cards


def test_core_bounds_the_lines_of_rejected_input(town: Town) -> None:
    """A flood under ever new names costs no memory."""
    for number in range(2_000):
        town.handle(ev.InputRejected(f"reason {number % 300}", NodeId(number + 1)))

    counts = town.rejected()

    assert 2_000 == sum(counts.values())
    assert len(counts) <= 256 + 65


def test_core_reports_a_flood_in_few_facts(town: Town) -> None:
    said: list[do.Effect] = []
    for _ in range(1_000):
        said += town.handle(ev.InputRejected("truncated", CORNER))

    assert 12 == len(only(said, do.ReportFact))


def test_core_goes_on_after_a_restart_as_if_nothing_had_happened(town: Town) -> None:
    """Kill -9 between commit and receipt: the node sends again, gets its receipt, and no second incident."""
    town.press(7)
    town.press(8, AlertKind.ATTACK, incident=7)
    entries = tuple(frame_entry(entry) for entry in town.disk)
    seen = tuple(SeenFrame(e.signed.frame.id, e.digest, e.is_late) for e in entries)
    recall = Recall(journal=entries, seen=seen, highest_counters=((CORNER, 8),), last_entry=2)

    again = Town(recall)
    said = again.press(7)

    assert [do.SendReceipt(CORNER, SEVEN, is_late=False)] == only(said, do.SendReceipt)
    assert town.card() == again.card()


def test_core_reports_committed_once_for_each_alert(town: Town) -> None:
    said = town.press(7) + town.press(7)

    facts = [order for order in only(said, do.ReportFact) if order.fact == "committed"]
    assert [SEVEN] == [fact.alert for fact in facts]
    assert "Corner Shop" == dict(facts[0].detail)["premises"]


def test_core_keeps_nodes_on_disk_coarsely(town: Town) -> None:
    """SD cards and databases are not worn by heartbeats (F5)."""
    kept: list[do.KeepNodes] = []
    for _ in range(60):
        town.handle(ev.HealthArrived(CORNER, Health(state="armed", boot_id="n1")))
        kept += only(town.later(10), do.KeepNodes)

    assert 1 <= len(kept) <= 2
    assert KeptNode(CORNER, kept[0].nodes[0].last_seen_at, "n1", facts=UnitFacts()) == kept[0].nodes[0]
