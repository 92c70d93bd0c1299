"""What paho holds of what we say is bounded in bytes, and nobody's answer is lost with it."""

from __future__ import annotations

import pytest
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.reasoncodes import ReasonCode

from runtime.outgoing import CONFIRMED_SHARE, HELD_BYTES, Handed, Outgoing

BYTES_MAX = 100_000
PUBACK = ReasonCode(PacketTypes.PUBACK)


def fill(outgoing: Outgoing, qos: int, content_bytes: int = 1_000) -> list[Handed]:
    """Hand over until there is no room."""
    taken: list[Handed] = []
    while handed := outgoing.reserve(qos, len(taken), content_bytes):
        outgoing.note(len(taken) + 1, handed)
        taken.append(handed)
        assert len(taken) < BYTES_MAX
    return taken


@pytest.mark.parametrize(("qos", "share"), [(0, 1.0), (1, CONFIRMED_SHARE)])
def test_what_is_held_is_bounded_in_bytes(qos: int, share: float) -> None:
    outgoing = Outgoing(BYTES_MAX)

    assert int(share * BYTES_MAX // (1_000 + HELD_BYTES[qos])) == len(fill(outgoing, qos))


def test_receipts_find_room_beside_what_waits_for_pubacks() -> None:
    outgoing = Outgoing(BYTES_MAX)
    fill(outgoing, 1)

    assert outgoing.reserve(0, None, 100)


def test_what_is_written_or_answered_makes_room_and_says_whose_it_was() -> None:
    outgoing = Outgoing(BYTES_MAX)
    count = len(fill(outgoing, 1))
    settled = [outgoing.settle(mid, PUBACK) for mid in range(1, count + 1)]

    assert list(range(count)) == [handed and handed.token for handed in settled]
    assert count == len(fill(outgoing, 1))


def test_answer_that_comes_before_its_message_is_noted_makes_room_too() -> None:
    outgoing = Outgoing(BYTES_MAX)
    for mid in range(1, 1_000):
        handed = outgoing.reserve(1, mid, 1_000)
        assert handed
        assert outgoing.settle(mid, PUBACK) is None
        assert PUBACK == outgoing.note(mid, handed)


def test_lost_connection_makes_room_of_what_paho_throws_away_alone() -> None:
    outgoing = Outgoing(BYTES_MAX)
    confirmed = outgoing.reserve(1, "mine", 1_000)
    assert confirmed
    outgoing.note(60_000, confirmed)
    count = len(fill(outgoing, 0))
    outgoing.drop_lost()

    assert count == len(fill(outgoing, 0))
    assert confirmed == outgoing.settle(60_000, PUBACK)


def test_what_paho_did_not_take_makes_room() -> None:
    outgoing = Outgoing(BYTES_MAX)
    for _ in range(1_000):
        handed = outgoing.reserve(0, None, 1_000)
        assert handed
        outgoing.give_back(handed)


def test_id_that_comes_round_again_is_counted_once() -> None:
    outgoing = Outgoing(BYTES_MAX)
    for token in range(1_000):
        handed = outgoing.reserve(1, token, 1_000)
        assert handed
        outgoing.note(7, handed)
