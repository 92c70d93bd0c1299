"""Each invariant of the air bites where it should, and only there (N3, N4, N8, N9, N10)."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from node.core import effects as do
from node.core import events as ev
from node.core.air import BURSTS_PER_OVER_MAX, OVER_MS_MAX, Mode, Phrase
from node.core.screens import Face, Screen
from sim.air import Carrier, over_ms
from sim.broken import BrokenInvariantError
from sim.invariants_air import (
    ALL_MS_MAX,
    ANSWERS_MAX,
    ASKED_MS_MAX,
    FIRST_TRIES,
    OWN_MS_MAX,
    RELAYS_MAX,
    SAME_FRAME_MAX,
)
from sim.node_actor import SimNode
from sim.town import STRANGER, RadioPlan, Town
from wire.frames import Alert, Receipt, decode, encode
from wire.ids import CENTRAL, FrameId, NodeId
from wire.kinds import AlertKind


class Scene:
    """A town that has started and does nothing; what its nodes store is put there by hand."""

    def __init__(self) -> None:
        self.town = Town(1, 3, None, RadioPlan(unlicensed=frozenset({2})))
        self.town.start()
        self.town.timeline.run_until(1_000, lambda: None)
        self.node, self.neighbour, self.listener = self.town.nodes
        self.invariants = self.town.invariants.air
        self._over = 0

    def stored(self, node: SimNode, kind: AlertKind = AlertKind.ASSIST, *, silent: bool = False) -> bytes:
        counter = 1_000 + len(self.town.invariants.truth)  # Far from those of the node's own path tests.
        data = encode(Alert(node.id, counter, 0, kind, counter, (1,), silent=silent), self.town.keys[node.id])
        self.town.invariants.stored(node, decode(data))
        return data

    def said(self, target: FrameId) -> bytes:
        data = encode(Receipt(CENTRAL, 1, 0, target), self.town.keys[CENTRAL])
        self.invariants.central_said.add(data)
        return data

    def over(self, node: SimNode, *bursts: bytes, mode: Mode = Mode.IL2P_1200, phrase: Phrase | None = None) -> None:
        self._over += 1
        self.invariants.node_orders(node, do.TransmitOver(self._over, bursts, mode, phrase))

    def forget_over(self, node: SimNode) -> None:
        self.invariants._station(node.id).over = None


@pytest.fixture
def scene() -> Scene:
    return Scene()


def breaks(invariant: str) -> pytest.RaisesExc[BrokenInvariantError]:
    return pytest.raises(BrokenInvariantError, match=f"^{invariant}")


def test_over_with_something_unreceipted_is_in_order(scene: Scene) -> None:
    first, second = scene.stored(scene.node), scene.stored(scene.node)
    scene.invariants.node_orders(scene.node, do.MarkReceipted(decode(first).frame.id))

    scene.over(scene.node, first, second)


def test_over_of_nothing_but_receipted_frames_breaks_i11(scene: Scene) -> None:
    data = scene.stored(scene.node)
    scene.invariants.node_orders(scene.node, do.MarkReceipted(decode(data).frame.id))

    with breaks("I11"):
        scene.over(scene.node, data)


def spend(scene: Scene, total_ms: int) -> None:
    """So much airtime of the first node's is behind it, and none of it is forgotten yet."""
    at_ms = scene.town.timeline.now_ms
    for length_ms in (*[20_000] * (total_ms // 20_000), total_ms % 20_000):
        scene.invariants.transmitted(scene.node, Carrier(scene.node.name, at_ms, at_ms + length_ms))
        at_ms += length_ms
    scene.town.timeline.now_ms = at_ms


def tried(scene: Scene, data: bytes, times: int) -> None:
    for _ in range(times):
        scene.over(scene.node, data)
        scene.invariants.radio_tells(scene.node, ev.OverEnded(scene._over, 0))


@pytest.mark.parametrize(
    ("kind", "tries", "limit_ms"),
    [
        (AlertKind.ASSIST, 0, ALL_MS_MAX),
        (AlertKind.ASSIST, FIRST_TRIES, OWN_MS_MAX),
        (AlertKind.ATTACK, FIRST_TRIES, ALL_MS_MAX),
    ],
)
def test_own_over_beyond_the_duty_cycle_breaks_i12(scene: Scene, kind: AlertKind, tries: int, limit_ms: int) -> None:
    data = scene.stored(scene.node, kind)
    tried(scene, data, tries)
    spend(scene, limit_ms - over_ms((len(data),), Mode.IL2P_1200, is_spoken=False))
    scene.over(scene.node, data)
    scene.forget_over(scene.node)
    spend(scene, 1)

    with breaks("I12"):
        scene.over(scene.node, data)


def test_first_tries_of_an_attack_know_no_duty_cycle(scene: Scene) -> None:
    data = scene.stored(scene.node, AlertKind.ATTACK)
    spend(scene, ALL_MS_MAX + 60_000)

    tried(scene, data, FIRST_TRIES)


def test_what_central_asks_for_beyond_its_share_breaks_i12(scene: Scene) -> None:
    spend(scene, ASKED_MS_MAX)

    with breaks("I12"):
        scene.over(scene.node, scene.said(FrameId(scene.neighbour.id, 1)))


def test_over_that_was_cut_short_is_no_try(scene: Scene) -> None:
    """What interrupted it was more urgent; the alert it carried is as fresh as before."""
    data = scene.stored(scene.node)
    spend(scene, OWN_MS_MAX)
    for _ in range(FIRST_TRIES + 1):
        scene.over(scene.node, data)
        scene.invariants.node_orders(scene.node, do.StopOver(scene._over))
        scene.invariants.radio_tells(scene.node, ev.OverEnded(scene._over, 0))


@pytest.mark.parametrize(
    ("bursts", "mode", "phrase"),
    [(0, Mode.IL2P_1200, None), (BURSTS_PER_OVER_MAX + 1, Mode.IL2P_1200, None)],
)
def test_over_too_empty_or_too_full_breaks_i13(scene: Scene, bursts: int, mode: Mode, phrase: Phrase | None) -> None:
    data = scene.stored(scene.node)

    with breaks("I13"):
        scene.over(scene.node, *[data] * bursts, mode=mode, phrase=phrase)


def test_second_over_while_one_is_out_breaks_i13(scene: Scene) -> None:
    data = scene.stored(scene.node)
    scene.over(scene.node, data)

    with breaks("I13"):
        scene.over(scene.node, data)


def test_transmission_longer_than_the_cap_breaks_i13(scene: Scene) -> None:
    with breaks("I13"):
        scene.invariants.transmitted(scene.node, Carrier(scene.node.name, 0, OVER_MS_MAX + 1))


def test_over_without_a_licence_breaks_i14(scene: Scene) -> None:
    with breaks("I14"):
        scene.over(scene.listener, scene.stored(scene.listener))


def test_alert_that_did_not_come_by_a_chain_breaks_i15(scene: Scene) -> None:
    scene.stored(scene.node)
    scene.invariants.judge_chains(frozenset({scene.neighbour.id}), ())

    with breaks("I15: .* did not reach central"):
        scene.invariants.judge_chains(frozenset({scene.node.id}), ())


def test_presser_who_does_not_learn_that_it_arrived_breaks_i15(scene: Scene) -> None:
    alert = decode(scene.stored(scene.node)).frame.id
    with breaks("I15"):
        scene.invariants.judge_chains(frozenset({scene.node.id}), {alert})
    scene.invariants.node_orders(scene.node, do.MarkReceipted(alert))

    scene.invariants.judge_chains(frozenset({scene.node.id}), {alert})


def test_neighbour_that_was_not_shown_an_alert_breaks_i16(scene: Scene) -> None:
    scene.stored(scene.node)
    (truth,) = scene.town.invariants.truth.values()
    says, hears = frozenset({scene.node.id}), {scene.neighbour.id: frozenset({1})}
    with breaks("I16"):
        scene.invariants.judge_neighbours(0, says, hears)
    truth.shown_at.add(scene.neighbour.id)

    scene.invariants.judge_neighbours(0, says, hears)


def forged(scene: Scene) -> bytes:
    return encode(Alert(scene.node.id, 9, 0, AlertKind.ATTACK, 9, (1,)), scene.town.keys[STRANGER])


def test_forged_frame_on_the_air_breaks_i17(scene: Scene) -> None:
    with breaks("I17"):
        scene.over(scene.neighbour, forged(scene))


def test_word_that_central_never_said_breaks_i17(scene: Scene) -> None:
    data = encode(Receipt(CENTRAL, 1, 0, FrameId(scene.node.id, 1)), scene.town.keys[STRANGER])

    with breaks("I17"):
        scene.over(scene.neighbour, data)


def test_relay_of_a_forged_frame_breaks_i17(scene: Scene) -> None:
    data = forged(scene)

    with breaks("I17"):
        scene.invariants.node_orders(scene.neighbour, do.RelayFrame(decode(data).frame.id, data))


def test_relay_of_a_revoked_sender_breaks_i17_once_it_is_known(scene: Scene) -> None:
    data = scene.stored(scene.node)
    relay = do.RelayFrame(decode(data).frame.id, data)
    scene.invariants.node_orders(scene.neighbour, relay)
    scene.town.timeline.run_until(12_000, lambda: None)
    scene.town.revoke(scene.node.id)
    scene.town.timeline.run_until(60_000, lambda: None)

    with breaks("I17"):
        scene.invariants.node_orders(scene.neighbour, relay)


def test_same_answer_again_and_again_breaks_i18(scene: Scene) -> None:
    data = scene.said(FrameId(scene.node.id, 1))
    for _ in range(SAME_FRAME_MAX):
        scene.over(scene.neighbour, data)
        scene.forget_over(scene.neighbour)

    with breaks("I18"):
        scene.over(scene.neighbour, data)


def test_same_relay_again_and_again_breaks_i18(scene: Scene) -> None:
    data = scene.stored(scene.node)
    relay = do.RelayFrame(decode(data).frame.id, data)
    for _ in range(RELAYS_MAX):
        scene.invariants.node_orders(scene.neighbour, relay)

    with breaks("I18"):
        scene.invariants.node_orders(scene.neighbour, relay)


def test_answers_to_nothing_new_break_i18(scene: Scene) -> None:
    for _ in range(ANSWERS_MAX):
        scene.invariants.answered()

    with breaks("I18"):
        scene.invariants.answered()


PROMISE = Screen(Face.FAULT, ("BY RADIO",), ("Network down", "Alerts go by radio"))


def test_promise_of_the_radio_without_a_test_breaks_i19(scene: Scene) -> None:
    with breaks("I19"):
        scene.invariants.on_panel(scene.node, PROMISE)


def test_promise_of_the_radio_without_a_licence_breaks_i19(scene: Scene) -> None:
    scene.invariants._station(scene.listener.id).tested_ms = 1

    with breaks("I19"):
        scene.invariants.on_panel(scene.listener, PROMISE)


def test_promise_of_a_broken_radio_breaks_i19(scene: Scene) -> None:
    scene.invariants._station(scene.node.id).tested_ms = 1
    scene.invariants.on_panel(scene.node, PROMISE)
    assert scene.node.radio is not None
    scene.node.radio.fail()
    scene.town.timeline.run_until(10_000, lambda: None)

    with breaks("I19"):
        scene.invariants.on_panel(scene.node, PROMISE)


def set_neutral_words(node: SimNode) -> None:
    radio = node.settings.radio
    assert radio is not None
    node.settings = replace(node.settings, radio=replace(radio, has_neutral_phrase=True))


def test_silent_attack_spoken_breaks_i20_even_where_there_are_neutral_words(scene: Scene) -> None:
    data = scene.stored(scene.node, AlertKind.ATTACK, silent=True)
    set_neutral_words(scene.node)

    with breaks("I20"):
        scene.over(scene.node, data, phrase=Phrase.ATTACK)


def test_neutral_words_that_nobody_set_break_i20(scene: Scene) -> None:
    data = scene.stored(scene.node, AlertKind.ATTACK, silent=True)

    with breaks("I20"):
        scene.over(scene.node, data, phrase=Phrase.NEUTRAL)


def test_silent_attack_may_say_the_neutral_words_of_its_scheme(scene: Scene) -> None:
    data = scene.stored(scene.node, AlertKind.ATTACK, silent=True)
    set_neutral_words(scene.node)

    scene.over(scene.node, data, phrase=Phrase.NEUTRAL)


def test_thief_is_believed_until_the_directory_says_otherwise(scene: Scene) -> None:
    """N9: a stolen node's frames are well signed; only a newer directory tells."""
    thief = NodeId(scene.node.id)
    data = encode(Alert(thief, 99, 0, AlertKind.ATTACK, 99, (1,)), scene.town.keys[thief])
    stolen = decode(data).frame.id
    scene.invariants.stolen[stolen] = data
    assert scene.invariants.is_thief_unknown_to(scene.neighbour, stolen)
    scene.town.timeline.run_until(12_000, lambda: None)
    scene.town.revoke(thief)
    scene.town.timeline.run_until(60_000, lambda: None)

    assert not scene.invariants.is_thief_unknown_to(scene.neighbour, stolen)
