"""What comes in over the air: the same frame, the same gate, once, whichever relays bring it (N8, N9)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from central.core import effects as do
from central.core import events as ev
from tests.support.central_town import (
    ARCADE,
    BAKERY,
    CORNER,
    CROWN,
    GATEWAY,
    KEYS,
    START,
    Town,
    frame_entry,
    make_directory,
    only,
    opened,
)
from wire.frames import Acknowledgement, Alert, Frame, PathTest, Receipt, ReceiptBatch, Receipted, Response, encode
from wire.ids import CENTRAL, FrameId, NodeId, node_text
from wire.kinds import AlertKind, AnswerState, MemberResponse, Path, Role
from wire.messages import Health, RadioReport, Sync
from wire.topics import FrameTopic

SEVEN = FrameId(CORNER, 7)


def test_alert_heard_on_the_radio_is_committed_before_anybody_is_told(air: Town) -> None:
    air.is_disk_slow = True

    said = air.hear(air.alert())

    assert [do.CommitFrame] == [type(order) for order in said if not isinstance(order, do.ShowChange)]
    assert () == air.board().cards


def test_alert_heard_on_the_radio_is_a_card_that_says_so_and_through_whom(air: Town) -> None:
    """N3, N8: the operator sees by which path it came; the fact log, too."""
    said = air.hear(air.alert(), GATEWAY)
    card = air.card()

    assert ("radio", ("radio",)) == (card.path, card.paths)
    assert "ATTACK, by radio, heard at Control room radio" == card.history[0].text
    [fact] = [o for o in only(said, do.ReportFact) if o.fact == "committed"]
    assert {("path", "radio"), ("relay", node_text(GATEWAY))} < set(fact.detail)
    assert GATEWAY == frame_entry(air.disk[-1]).relay


def test_alert_by_network_says_so_in_its_fact(air: Town) -> None:
    [fact] = [o for o in only(air.press(7), do.ReportFact) if o.fact == "committed"]

    assert ("path", "network") in fact.detail
    assert "relay" not in dict(fact.detail)


@pytest.mark.parametrize("is_radio_first", [True, False])
def test_frame_that_comes_by_both_paths_is_one_alert_that_shows_both(air: Town, *, is_radio_first: bool) -> None:
    """N8: every receiver shows it once; the path is that of the first copy, both are shown and counted."""
    alert = air.alert()
    steps: list[Callable[[], list[do.Effect]]] = [lambda: air.hear(alert), lambda: air.send(alert)]
    for step in steps if is_radio_first else reversed(steps):
        step()
    air.later(1)

    card = air.card()
    expected = ("radio", "network") if is_radio_first else ("network", "radio")
    assert (expected[0], expected, 1) == (card.path, card.paths, card.alert_count)
    assert 1 == sum(hasattr(entry, "signed") for entry in air.disk)
    air.later(60)
    air.beat(CORNER)
    frames = {figures.path: figures.frames for figures in air.line(CORNER).figures}
    assert {"network": 1, "radio": 1} == frames


def test_upgrade_that_comes_by_both_paths_minutes_after_the_first_press_counts_too(air: Town) -> None:
    air.press(7)
    air.later(300)
    air.beat(BAKERY, "untested")
    air.press(8, AlertKind.ATTACK, incident=7)
    air.hear(air.alert(8, incident=7))
    air.later(1)

    assert ("network", "radio") == air.card().paths


def test_second_press_by_radio_alone_is_one_frame_in_the_figures(air: Town) -> None:
    air.press(7)
    air.hear(air.alert(8, incident=7))
    air.later(61)
    air.beat(CORNER)

    frames = {figures.path: figures.frames for figures in air.line(CORNER).figures}
    assert {"network": 1, "radio": 1} == frames


def test_second_relay_of_one_over_changes_nothing(air: Town) -> None:
    air.hear(air.alert(), BAKERY)
    before = air.card()

    said = air.hear(air.alert(), GATEWAY)

    assert [] == only(said, do.CommitFrame)
    assert before == air.card()


def test_neighbours_response_by_network_does_not_make_the_alert_come_by_network(air: Town) -> None:
    """The presser is still cut off: central must go on answering over the air."""
    air.hear(air.alert())
    air.respond(ARCADE, 1, SEVEN, MemberResponse.SEEN)

    assert ("radio",) == air.card().paths


def refused(town: Town, frame: Frame, relay: NodeId = BAKERY, key: NodeId | None = None) -> dict[tuple[str, str], int]:
    """What was counted when ``relay`` passed this on; nothing may have come of it."""
    said = town.hear(frame, relay, KEYS[key] if key else None)

    assert [] == [o for o in said if not isinstance(o, do.ShowChange | do.ReportFact)]
    assert ["rejected"] * len(only(said, do.ReportFact)) == [o.fact for o in only(said, do.ReportFact)]
    return town.rejected()


CENTRALS: dict[str, Frame] = {
    "receipt": Receipt(CENTRAL, 1, 0, SEVEN),
    "batch": ReceiptBatch(CENTRAL, 2, 0, (Receipted(SEVEN),)),
    "acknowledgement": Acknowledgement(CENTRAL, 3, 0, SEVEN, Role.PCSO, AnswerState.ANSWERED, "J Patel"),
}


@pytest.mark.parametrize("frame", CENTRALS.values(), ids=CENTRALS.keys())
def test_centrals_own_words_come_back_from_the_air_are_refused(air: Town, frame: Frame) -> None:
    assert {("from central", node_text(BAKERY)): 1} == refused(air, frame)


def test_forged_frame_is_refused_and_counted_for_whoever_passed_it_on(air: Town) -> None:
    """The broker vouches for the relay alone; the frame's claim names nobody."""
    assert {("signature", node_text(BAKERY)): 1} == refused(air, air.alert(), key=BAKERY)


def test_frame_of_a_stranger_or_in_a_foreign_scheme_is_refused(air: Town) -> None:
    stranger = Alert(NodeId(0x99), 1, 0, AlertKind.ATTACK, 1, (1,))

    assert {("unknown sender", node_text(BAKERY)): 1} == refused(air, stranger, key=BAKERY)
    assert 1 == refused(air, air.alert(schemes=(2,)))["foreign scheme", node_text(BAKERY)]


def test_bytes_that_are_no_frame_are_refused(air: Town) -> None:
    for data in (b"", b"\x11", bytes(96), bytes(5_000)):
        assert [] == only(air.hear_bytes(data), do.CommitFrame)

    assert 4 == sum(air.rejected().values())


def test_own_frame_passed_on_by_its_sender_is_refused(air: Town) -> None:
    """Nobody hears itself: it would make its radio look as if it worked (N11)."""
    assert {("own relay", node_text(CORNER)): 1} == refused(air, air.alert(), CORNER)
    air.hear(air.alert())
    air.hear(air.alert(), CORNER)
    assert 2 == air.rejected()["own relay", node_text(CORNER)]


def test_relay_that_is_revoked_or_unknown_is_not_listened_to() -> None:
    town = Town(directory=make_directory(revoked=(BAKERY,)))

    for relay in (BAKERY, NodeId(0x77)):
        assert [] == only(town.hear(town.alert(), relay), do.CommitFrame)

    assert {("revoked sender", node_text(BAKERY)): 1, ("unknown sender", "00000077"): 1} == town.rejected()


def test_relay_that_is_revoked_later_is_cut_off_with_the_next_directory(air: Town) -> None:
    data = make_directory(2, revoked=(BAKERY,), has_gateway=True)
    air.handle(ev.DirectoryChanged(opened(data), data))

    assert [] == only(air.hear(air.alert()), do.CommitFrame)
    assert [do.CommitFrame] == [type(o) for o in only(air.hear(air.alert(), GATEWAY), do.CommitFrame)]


def test_sender_that_is_revoked_is_refused_over_the_air_and_its_old_frames_are_not_answered(air: Town) -> None:
    air.hear(air.alert())
    data = make_directory(2, revoked=(CORNER,), has_gateway=True)
    air.handle(ev.DirectoryChanged(opened(data), data))
    air.later(60)

    for frame in (air.alert(8), air.alert(7, at_s=int(START.timestamp()))):
        said = air.hear(frame)
        assert [] == [o for o in said if not isinstance(o, do.ShowChange | do.ReportFact)]
    assert 2 == air.rejected()["revoked sender", node_text(BAKERY)]


def test_relay_that_brings_more_than_a_channel_carries_is_not_listened_to_any_more(air: Town) -> None:
    """A flood of valid frames, of garbage, or of repetitions costs no more than its first second."""
    taken = [air.hear(air.alert(counter, CROWN)) for counter in range(1, 201)]

    commits = sum(bool(only(said, do.CommitFrame)) for said in taken)
    assert 60 == commits
    assert 140 == air.rejected()["relay flood", node_text(BAKERY)]
    assert only(air.hear(air.alert(), GATEWAY), do.CommitFrame)
    air.later(10)
    assert only(air.hear(air.alert(300, CROWN)), do.CommitFrame)


@pytest.mark.finding(1)
def test_what_a_silent_unit_once_passed_on_does_not_bring_it_back_to_life() -> None:
    """The broker may bring it again, also a day later: only its health bears a time."""
    town = Town(directory=make_directory(signs=True))
    for node in (CORNER, BAKERY):
        town.handle(ev.HealthArrived(node, Health(state="armed", boot_id="n1", uptime_ms=1_000), is_signed=True))
    heard = encode(town.alert(7, CORNER), KEYS[CORNER])
    town.hear_bytes(heard, BAKERY)
    town.later(60)
    assert "no-contact" == town.node_state(BAKERY)
    town.hear_bytes(heard, BAKERY)
    town.later(1)

    assert "no-contact" == town.node_state(BAKERY)


def test_gateway_whose_health_hangs_still_answers_by_what_it_hears() -> None:
    """Alerts come by a connection of their own: a shop without a network is not to lose its receipt."""
    town = Town(directory=make_directory(signs=True, has_gateway=True))
    for uptime_ms in (1_000, 2_000):
        health = Health(state="armed", boot_id="n1", uptime_ms=uptime_ms, radio=RadioReport(state="ready"))
        town.handle(ev.HealthArrived(GATEWAY, health, is_signed=True))
    for number in range(4):
        town.later(10)
        town.hear(town.alert(10 + number, BAKERY), GATEWAY)
    said = town.hear(town.alert(7, CORNER), GATEWAY)

    assert [GATEWAY] == [order.node for order in only(said, do.SendReceiptsToAir)]


@pytest.mark.finding(1)
def test_syncs_that_were_held_back_keep_no_silent_unit_alive() -> None:
    town = Town(directory=make_directory(signs=True))
    town.handle(ev.HealthArrived(CORNER, Health(state="armed", boot_id="n1", uptime_ms=1_000), is_signed=True))
    for number in range(12):
        town.later(5)
        town.handle(ev.SyncArrived(CORNER, Sync(boot_id="n1", nonce=f"{number:032x}"), is_signed=True))

    assert "no-contact" == town.node_state(CORNER)


def test_relaying_is_a_sign_of_life_of_the_relay_and_none_of_the_sender(air: Town) -> None:
    """N11: the broker vouches for the first; the second is only on the air."""
    air.later(40)
    assert ["no-contact", "no-contact"] == [air.node_state(BAKERY), air.node_state(CORNER)]

    air.hear(air.alert())

    assert ["ok", "no-contact"] == [air.node_state(BAKERY), air.node_state(CORNER)]


def test_frame_without_a_time_that_is_older_than_what_came_since_is_late_over_the_air(air: Town) -> None:
    """N13: what is on the air can be kept and said again next week; it must not look like a press of now."""
    air.hear(air.alert(9, at_s=0))
    said = air.hear(air.alert(8, at_s=0))

    assert [True] == [entry.entry.is_late for entry in only(said, do.CommitFrame)]
    assert air.card("00000010-8").is_late
    assert not air.card("00000010-9").is_late


def test_alert_recorded_and_played_back_after_a_minute_is_late(air: Town) -> None:
    recorded = encode(air.alert(), KEYS[CORNER])
    air.later(61)
    air.beat(BAKERY, "untested")
    air.hear_bytes(recorded)

    assert air.card().is_late


# Path tests.


def test_path_test_by_radio_is_committed_as_a_figure_and_answered_over_the_air_alone(air: Town) -> None:
    """N11: a receipt by network would prove nothing of the radio; nobody is alarmed."""
    said = air.hear(PathTest(CORNER, 7, int(START.timestamp()), Path.RADIO))

    assert [do.SendReceiptsToAir(GATEWAY, (Receipted(SEVEN),))] == only(said, do.SendReceiptsToAir)
    assert [] == only(said, do.SendReceipt)
    assert () == air.board().cards
    assert [("path_test", SEVEN)] == [(o.fact, o.alert) for o in only(said, do.ReportFact)]
    assert START == air.radio(CORNER).heard_at


def test_path_test_by_network_is_answered_by_network_alone(air: Town) -> None:
    said = air.send(PathTest(CORNER, 7, int(START.timestamp()), Path.NETWORK))

    assert [do.SendReceipt(CORNER, SEVEN, is_late=False)] == only(said, do.SendReceipt)
    assert [] == only(said, do.SendReceiptsToAir)


@pytest.mark.parametrize("path", Path)
def test_path_test_that_came_by_the_other_path_is_refused(air: Town, path: Path) -> None:
    frame = PathTest(CORNER, 7, 0, path)
    said = air.hear(frame) if path is Path.NETWORK else air.send(frame, FrameTopic("hart", CORNER))

    assert [] == [o for o in said if not isinstance(o, do.ShowChange | do.ReportFact)]
    assert ["wrong path"] == [reason for reason, _ in air.rejected()]


def test_response_heard_on_the_radio_counts_like_one_by_network(air: Town) -> None:
    """N5, N9: neighbours without network answer over the air, too."""
    air.press(7, AlertKind.ATTACK)
    air.hear(Response(ARCADE, 1, int(START.timestamp()), SEVEN, MemberResponse.RESPONDING, (1,)))

    assert [("Arcade", "responding")] == [(line.premises, line.response) for line in air.card().members]


def test_disk_that_refuses_leaves_the_next_relay_to_be_taken(air: Town) -> None:
    air.is_disk_slow = True
    air.hear(air.alert(), BAKERY)
    assert [] == only(air.refuse(), do.SendReceiptsToAir)
    air.is_disk_slow = False

    said = air.hear(air.alert(), GATEWAY)

    assert 1 == len(only(said, do.CommitFrame))
    assert 1 == len(only(said, do.SendReceiptsToAir))


def test_press_days_after_a_replay_is_what_the_page_shows(air: Town) -> None:
    """A replay of a frame that is known neither opens, reopens nor changes anything."""
    old = encode(air.alert(), KEYS[CORNER])
    air.hear_bytes(old)
    before = air.card()
    air.now_at += timedelta(hours=5)
    air.later(2)
    air.beat(BAKERY, "untested")
    air.hear_bytes(old)

    assert (before.revision, before.alert_count, before.is_late) == (
        air.card().revision,
        air.card().alert_count,
        air.card().is_late,
    )
