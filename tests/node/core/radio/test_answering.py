"""N9: what central asks for, what is relayed, and what strangers on the air cannot make us do."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from node.core.air import LADDER, Mode
from node.core.controls import Button
from node.core.effects import RelayFrame, ShowScreen
from node.core.events import AirAsked, ChannelChanged, FrameReceived, LinkDown, OverEnded
from node.core.radio import answer_queue, channel_access, hearing, relays
from tests.support.node_world import World
from tests.support.radio_set import LICENSED, Set, radio_set
from wire.frames import (
    Acknowledgement,
    Alert,
    Cancel,
    Frame,
    PathTest,
    Receipt,
    ReceiptBatch,
    Receipted,
    Response,
)
from wire.ids import CENTRAL, FrameId, NodeId
from wire.kinds import AlertKind, AnswerState, CancelReason, MemberResponse, Path, Role

OURS, BOOTS, CAFE = NodeId(0x10), NodeId(0x11), NodeId(0x12)


def receipt(counter: int, target: int = 1, node: NodeId = BOOTS) -> Receipt:
    return Receipt(CENTRAL, counter, 0, FrameId(node, target))


def batch(counter: int, *targets: int) -> ReceiptBatch:
    return ReceiptBatch(CENTRAL, counter, 0, tuple(Receipted(FrameId(BOOTS, t)) for t in targets))


def ask(radio: Set, *frames: Frame) -> None:
    radio.world.do(*(AirAsked(radio.world.signed(frame).data) for frame in frames))


def alert(counter: int = 1, node: NodeId = BOOTS, kind: AlertKind = AlertKind.ATTACK) -> Alert:
    return Alert(node, counter, 0, kind, counter, (1,))


def test_answer_goes_out_at_once_on_a_clear_channel() -> None:
    """Ahead of any random wait."""
    radio = radio_set(is_online=True)
    radio.world.live(5_000)
    ask(radio, receipt(1))
    asked_ms = radio.world.now_ms
    over = radio.wait_over(1_000)

    assert radio.world.now_ms - asked_ms <= answer_queue.TURNAROUND_MS[1]
    assert (LADDER[0], None) == (over.mode, over.phrase)
    radio.carry(over)
    radio.world.live(300_000)
    assert 1 == len(radio.overs()), "never repeated unasked"


def test_warning_goes_before_a_cancel_that_was_asked_for_earlier() -> None:
    radio = radio_set(is_online=True)
    radio.world.do(ChannelChanged(is_busy=True))
    ask(radio, Cancel(BOOTS, 2, 0, 1, CancelReason.MISTAKE, (1,)))
    radio.world.after(10)
    ask(radio, alert(5, CAFE))

    assert [5, 2] == [asked.signed.frame.counter for asked in radio.world.state.radio.asked]


def test_node_without_a_licence_refuses_to_answer_and_says_why(world: World) -> None:
    world.do(AirAsked(world.receipt(1).data))

    assert {"air not licensed": 1} == dict(world.state.rejected)


def test_answer_waits_for_a_busy_channel_and_goes_before_our_own_alert(radio: Set) -> None:
    radio.world.do(ChannelChanged(is_busy=True))
    radio.world.tap(Button.ASSIST)
    ask(radio, receipt(1))
    radio.world.after(20_000)
    assert [] == radio.overs()

    radio.world.do(ChannelChanged(is_busy=False))
    assert [1] == radio.counters(radio.next_over(1_000))
    assert radio.world.state.outbox.rows.get(1) is not None
    assert radio.next_over(5_000).phrase is not None


def test_answer_to_an_alert_just_heard_is_not_kept_waiting() -> None:
    """N8: central took a tenth of a second; nobody but the presser is known to want the channel."""
    radio = radio_set(is_online=True, is_gateway=True)
    radio.hears(alert())
    radio.world.after(150)
    ask(radio, receipt(1))
    asked_ms = radio.world.now_ms
    radio.wait_over(1_000)

    assert radio.world.now_ms - asked_ms <= answer_queue.TURNAROUND_MS[1]


def test_receipts_go_first_and_several_in_one_over(radio: Set) -> None:
    radio.world.do(ChannelChanged(is_busy=True))
    ack = Acknowledgement(CENTRAL, 2, 0, FrameId(BOOTS, 1), Role.PCSO, AnswerState.ANSWERED, "J Patel")
    ask(radio, alert(9, CAFE), ack, receipt(3), receipt(4, 2), receipt(5, 3))
    radio.world.after(3_000, ChannelChanged(is_busy=False))

    assert [3, 4, 5, 2] == radio.counters(radio.next_over(5_000))
    assert [9] == radio.counters(radio.next_over(5_000))


def test_later_batch_replaces_what_it_covers(radio: Set) -> None:
    radio.world.do(ChannelChanged(is_busy=True))
    ask(radio, receipt(1, 1), batch(2, 1, 2), batch(3, 1, 2, 3), receipt(4, 2))
    radio.world.after(3_000, ChannelChanged(is_busy=False))

    assert [3] == radio.counters(radio.next_over(5_000))
    radio.world.after(60_000)
    assert 1 == len(radio.overs())


def test_batches_that_cover_a_third_between_them_go_without_it(radio: Set) -> None:
    """A crowd's receipts, three to a burst: each central's newest and the two before it."""
    radio.world.do(ChannelChanged(is_busy=True))
    ask(radio, receipt(1, 1), batch(2, 1, 2), *(batch(n, n - 2, n - 1, n) for n in range(3, 10)))
    radio.world.after(3_000, ChannelChanged(is_busy=False))

    assert [3, 6, 9] == radio.counters(radio.next_over(5_000))
    radio.world.after(60_000)
    assert 1 == len(radio.overs())


def test_receipt_that_somebody_else_says_is_dropped(radio: Set) -> None:
    ask(radio, receipt(1, 1))
    radio.hears(batch(2, 1, 2))
    radio.world.after(60_000)

    assert [] == radio.overs()


def test_asked_again_it_is_said_again_later_and_louder(radio: Set) -> None:
    """Whoever asks again has not heard us; whoever replays a frame cannot make us talk for ever."""
    moments, modes = [], []
    for counter in range(1, 200):
        ask(radio, receipt(counter))
        before = len(radio.overs())
        radio.world.after(2_000)
        if len(radio.overs()) > before:
            over = radio.overs()[-1]
            moments.append(radio.world.now_ms)
            modes.append(over.mode)
            radio.world.do(OverEnded(over.over, 1_300))

    assert list(LADDER) == modes[:3]
    assert len(moments) < 15
    assert moments[-1] - moments[-2] >= 58_000


def test_answer_uses_the_mode_that_its_asker_needed(radio: Set) -> None:
    """A slow burst was heard: the way back is as weak."""
    radio.world.do(ChannelChanged(is_busy=True))
    radio.world.after(4_300, FrameReceived(radio.world.signed(alert()).data, None, Path.RADIO))
    radio.world.after(60, ChannelChanged(is_busy=False))
    ask(radio, receipt(1))

    assert LADDER[-1] is radio.wait_over(5_000).mode


@pytest.mark.parametrize("wrong", ["signature", "not central", "no frame", "licence"])
def test_what_may_not_be_said_is_counted_and_not_said(wrong: str) -> None:
    radio = radio_set(replace(LICENSED, licence="" if wrong == "licence" else "L"))
    data = radio.world.signed(receipt(1)).data
    if wrong == "signature":
        data = radio.world.signed(receipt(1), radio.world.key_of(BOOTS)).data
    if wrong == "not central":
        data = radio.world.signed(Receipt(BOOTS, 1, 0, FrameId(CAFE, 1))).data
    radio.world.do(AirAsked(b"x" * 90 if wrong == "no frame" else data))
    radio.world.after(60_000)

    assert [] == radio.overs()
    assert 1 == sum(radio.world.state.rejected.values())


def test_answers_are_bounded_in_number_and_age(radio: Set) -> None:
    radio.world.do(ChannelChanged(is_busy=True))
    ask(radio, *(receipt(n, n) for n in range(1, 100)))
    assert answer_queue.QUEUE_MAX == len(radio.world.state.radio.asked)

    radio.world.after(answer_queue.KEPT_MS, ChannelChanged(is_busy=False))
    radio.world.after(30_000)
    assert [] == radio.overs()


def test_crowd_gathers_receipts(radio: Set) -> None:
    for _ in range(6):
        radio.talk(1_200)
        radio.world.after(300)
    ask(radio, receipt(1, 1))
    radio.world.after(3_000)
    assert [] == radio.overs()
    ask(radio, batch(2, 1, 2))

    assert [2] == radio.counters(radio.wait_over(channel_access.GATHER_MS + answer_queue.TURN_MS))


def test_batch_over_the_air_ends_our_own(radio: Set) -> None:
    radio.world.tap(Button.ASSIST)
    ours = ReceiptBatch(CENTRAL, 7, 0, (Receipted(FrameId(OURS, 1)), Receipted(FrameId(BOOTS, 4))))
    radio.hears(ours)
    radio.hears(receipt(8))

    assert 0 == len(radio.world.state.outbox.rows)
    assert ["radio"] == [fact["path"] for fact in radio.facts("receipt")]
    assert {} == dict(radio.world.state.rejected), "everybody hears what is meant for one"


@pytest.mark.parametrize(
    "frame",
    [
        alert(),
        Cancel(BOOTS, 2, 0, 1, CancelReason.MISTAKE, (1,)),
        Response(BOOTS, 3, 0, FrameId(CAFE, 1), MemberResponse.SEEN, (1,)),
        PathTest(BOOTS, 4, 0, Path.RADIO),
    ],
    ids=["alert", "cancel", "response", "path test"],
)
def test_member_with_a_network_relays_what_it_hears_after_a_moment(frame: Frame) -> None:
    radio = radio_set(is_online=True)
    assert [] == radio.world.of(RelayFrame, radio.hears(frame))
    done = radio.world.after(relays.WAIT_MS[1])
    data = radio.world.signed(frame).data

    assert [RelayFrame(frame.id, data)] == radio.world.of(RelayFrame, done)
    assert [frame.id] == [fact.alert for fact in radio.world.facts("relayed")]
    assert [frame.id] == [fact.alert for fact in radio.world.facts("heard")]


def test_gateway_relays_at_once() -> None:
    radio = radio_set(is_online=True, is_gateway=True)

    assert 1 == len(radio.world.of(RelayFrame, radio.hears(alert())))


@pytest.mark.parametrize("news", ["receipt", "incident"])
def test_relay_is_cancelled_when_central_has_it(news: str) -> None:
    radio = radio_set(is_online=True)
    radio.hears(alert())
    if news == "receipt":
        radio.world.do(FrameReceived(radio.world.signed(batch(1, 1)).data, None, Path.RADIO))
    else:
        radio.world.do(radio.world.says(BOOTS, 1))

    assert [] == radio.world.of(RelayFrame, radio.world.after(30_000))


def test_what_is_heard_while_central_is_away_is_relayed_when_it_returns() -> None:
    radio = radio_set(is_online=True)
    radio.world.do(LinkDown("gone"))
    radio.hears(alert())
    assert [] == radio.world.of(RelayFrame, radio.world.after(10_000))

    assert 1 == len(radio.world.of(RelayFrame, radio.world.online()))


def test_repeated_burst_is_shown_and_heard_once_and_relayed_a_bounded_number_of_times() -> None:
    """N9: its sender did not hear the receipt; or somebody replays it."""
    radio = radio_set(is_online=True, is_gateway=True)
    relayed = 0
    for _ in range(60):
        radio.world.do(radio.world.status())
        relayed += len(radio.world.of(RelayFrame, radio.hears(alert())))
        relayed += len(radio.world.of(RelayFrame, radio.world.after(2_000)))

    assert 2 <= relayed <= relays.TIMES_MAX
    assert 1 == len(radio.world.facts("heard"))
    assert 1 == len(radio.world.facts("shown"))
    assert 60 == radio.world.state.radio.bursts_heard


@pytest.mark.parametrize("first", ["network", "radio"])
def test_both_paths_show_it_once(first: str) -> None:
    """N8: the same bytes."""
    radio = radio_set(is_online=True)
    by_network = radio.world.alert_from(BOOTS, 5)
    by_radio = FrameReceived(by_network.data, None, Path.RADIO)
    both = (by_network, by_radio) if first == "network" else (by_radio, by_network)
    radio.world.do(*both)

    assert 1 == len(radio.world.facts("shown"))
    assert 1 == len(radio.world.state.neighbours)


def test_own_frame_from_the_air_is_an_echo() -> None:
    radio = radio_set(is_online=True)
    radio.world.tap(Button.ASSIST)
    ours = radio.world.published()[0].data
    radio.world.do(FrameReceived(ours, None, Path.RADIO))
    done = radio.world.after(10_000)

    assert [] == radio.world.of(RelayFrame, done)
    assert [] == radio.world.facts("heard")


def test_flood_is_verified_within_a_budget_and_remembered_within_bounds() -> None:
    """Well-formed frames of a known sender with a wrong signature: each would cost a check."""
    radio = radio_set(is_online=True)
    forged = radio.world.key_of(CAFE)
    for counter in range(1, 400):
        radio.world.do(FrameReceived(radio.world.signed(alert(counter), forged).data, None, Path.RADIO))
    rejected = dict(radio.world.state.rejected)
    assert hearing.CHECKS_MAX == rejected["signature"]
    assert 399 - hearing.CHECKS_MAX == rejected["air flood"]
    assert [] == radio.world.of(RelayFrame, radio.world.after(5_000))
    assert () == radio.world.state.radio.relays

    radio.hears(alert(1_000))
    assert 1 == len(radio.world.state.neighbours), "seconds later a true one is heard"


def test_flood_of_valid_frames_is_relayed_at_a_bounded_rate() -> None:
    """A stolen node."""
    radio = radio_set(is_online=True, is_gateway=True)
    before_ms = radio.world.now_ms
    relayed = 0
    for counter in range(1, 301):
        radio.world.do(radio.world.status())
        data = radio.world.signed(alert(counter, kind=AlertKind.ASSIST)).data
        relayed += len(radio.world.of(RelayFrame, radio.world.after(300, FrameReceived(data, None, Path.RADIO))))
    passed_ms = radio.world.now_ms - before_ms

    assert relayed <= relays.BURST + passed_ms // relays.REFILL_MS
    assert relayed > 150, "two a second: a storm of true alerts comes through"
    state = radio.world.state.radio
    assert relays.RELAYS_MAX == len(state.relays)
    assert hearing.KNOWN_MAX == len(state.known)
    assert len(state.heard) <= hearing.HEARD_MAX


def test_noise_from_the_air_changes_nothing_but_a_count(radio: Set) -> None:
    before = radio.world.state.radio
    done = radio.world.do(*(FrameReceived(bytes([n]) * 89, None, Path.RADIO) for n in range(200)))

    assert [] == radio.world.of(ShowScreen, done)
    assert before.known == radio.world.state.radio.known
    assert 200 == sum(radio.world.state.rejected.values())


def test_struck_sender_is_refused_even_if_it_was_verified_before() -> None:
    from node.core.events import DirectoryReceived  # noqa: PLC0415

    radio = radio_set(is_online=True)
    radio.hears(alert())
    struck = radio.world.sender(BOOTS, "Boots", "", 1, is_revoked=True)
    radio.world.do(DirectoryReceived(radio.world.directory(2, boots=struck), b"x"))
    heard = radio.world.state.radio.bursts_heard
    radio.hears(alert())

    assert heard == radio.world.state.radio.bursts_heard
    assert 1 == radio.world.state.rejected["revoked sender"]


def test_burst_that_is_heard_again_and_again_uses_up_no_checks() -> None:
    """All nodes in reach relay it; the next alert must be verified at once."""
    radio = radio_set(is_online=True)
    data = radio.world.signed(alert(1)).data
    for _ in range(2 * hearing.CHECKS_MAX):
        radio.world.do(FrameReceived(data, None, Path.RADIO))

    assert {} == dict(radio.world.state.rejected)


@pytest.mark.parametrize(("targets", "mode"), [((1,), LADDER[1]), ((1, 2), LADDER[0])])
def test_receipt_that_one_asker_did_not_hear_is_repeated_more_strongly(targets: tuple[int, ...], mode: Mode) -> None:
    """Two that ask again have rather met each other, and a slow burst makes that worse."""
    radio = radio_set(is_online=True)
    for counter in (1, 2):
        radio.world.live(60_000)
        ask(radio, batch(counter, *targets))
        radio.next_over(5_000)

    assert [LADDER[0], mode] == [over.mode for over in radio.overs()]
