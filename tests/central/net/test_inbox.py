"""What waits is bounded, and only messages are ever dropped."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from central.core.fair_queue import ALERTS_AT_ONCE, MESSAGES_MAX, FairQueue
from central.net.inbox import Inbox, Published


def test_inbox_drops_messages_over_its_number_and_counts_them() -> None:
    """What is no topic of ours belongs to one sender, who has a fourth of an empty room."""
    inbox: Inbox[str] = Inbox(messages_max=8)
    for number in range(5):
        inbox.put_message(Published(f"t{number}", b""))
    inbox.put("link up")

    assert ["link up", Published("t0", b""), Published("t1", b"")] == inbox.take(10, 0)
    assert (3, 0) == (inbox.take_dropped(), inbox.take_dropped())


def test_inbox_drops_messages_over_its_bytes_and_has_room_again_when_they_are_taken() -> None:
    inbox: Inbox[str] = Inbox(bytes_max=100)
    inbox.put_message(Published("a", b"x" * 60))
    inbox.put_message(Published("b", b"x" * 60))
    first = inbox.take(10, 0)
    inbox.put_message(Published("c", b"x" * 60))

    assert ([Published("a", b"x" * 60)], [Published("c", b"x" * 60)]) == (first, inbox.take(10, 0))


def test_inbox_counts_topics_too() -> None:
    """A stolen node may write to topics of 65,535 bytes below its own name, with nothing in them."""
    inbox: Inbox[str] = Inbox(bytes_max=400)
    for _ in range(3):
        inbox.put_message(Published("t" * 50, b""))

    assert (1, 2) == (inbox.take_dropped(), len(inbox.take(10, 0)))


def test_inbox_gives_at_most_what_is_asked_for_and_does_not_wait_for_more() -> None:
    inbox: Inbox[int] = Inbox()
    for number in range(7):
        inbox.put(number)

    assert ([0, 1, 2, 3, 4], [5, 6], []) == (inbox.take(5, 0), inbox.take(5, 0), inbox.take(5, 0))


@pytest.mark.parametrize(("more", "has_room"), [(0, True), (1, False)])
def test_room_for_what_waits_is_sixteen_mebibytes(more: int, *, has_room: bool) -> None:
    """As docs/memory.md says."""
    queue: FairQueue[str] = FairQueue()

    assert has_room is queue.put("m", topic="watchlink/1/node/00000010/up/heard", size=16 * 2**20 + more, now_s=0)


ROOT = "watchlink/1"
FLOODER, SHOP = "00000011", "00000010"


def frame_of(node: str, number: int = 0) -> Published:
    return Published(f"{ROOT}/scheme/hart/frame/{node}", number.to_bytes(4))


def health_of(node: str, number: int = 0) -> Published:
    return Published(f"{ROOT}/node/{node}/up/health", number.to_bytes(4))


def sync_of(node: str) -> Published:
    return Published(f"{ROOT}/node/{node}/up/sync", b"{}")


@pytest.mark.finding(14)
@pytest.mark.parametrize("flood", [frame_of, health_of, lambda node, _number: Published(f"{node}", b"")])
def test_inbox_that_one_sender_fills_has_room_for_anothers_alert(flood: Callable[[str, int], Published]) -> None:
    inbox: Inbox[str] = Inbox()
    for number in range(MESSAGES_MAX + 10):
        inbox.put_message(flood(FLOODER, number))
    inbox.put_message(frame_of(SHOP))

    assert frame_of(SHOP) in inbox.take(MESSAGES_MAX, 0)


@pytest.mark.finding(14)
@pytest.mark.parametrize("size_bytes", [64, 8_192])
def test_inbox_that_many_senders_fill_has_room_for_anothers_alert(size_bytes: int) -> None:
    """Four stolen units with a fourth of the room each left none."""
    inbox: Inbox[str] = Inbox()
    for sender in range(20):
        topic = f"{ROOT}/scheme/hart/frame/{sender:08x}"
        for _ in range(MESSAGES_MAX // 4):
            inbox.put_message(Published(topic, bytes(size_bytes - len(topic))))
    inbox.put_message(frame_of("000000ff"))

    assert frame_of("000000ff") in inbox.take(MESSAGES_MAX, 0)


def test_storm_of_a_big_town_fits_with_each_press_sent_once_more() -> None:
    """What a flood may fill is small, for Python keeps it; 5,000 members who press at once still lose nothing (N8)."""
    inbox: Inbox[str] = Inbox()
    presses = [frame_of(f"{0x10 + shop:08x}", tries) for tries in range(2) for shop in range(5_000)]
    for press in presses:
        inbox.put_message(press)

    assert 0 == inbox.take_dropped()


@pytest.mark.finding(14)
@pytest.mark.parametrize("flood", [frame_of, health_of])
def test_alert_is_taken_before_a_flood_that_came_earlier(flood: Callable[[str, int], Published]) -> None:
    """Whoever floods waits for himself."""
    inbox: Inbox[str] = Inbox()
    for number in range(1_000):
        inbox.put_message(flood(FLOODER, number))
    inbox.put_message(frame_of(SHOP))
    inbox.put("what central's own parts say")

    taken = inbox.take(10, 0)

    assert "what central's own parts say" == taken[0]
    assert frame_of(SHOP) in taken


def test_what_one_sender_says_of_its_alerts_is_taken_in_its_order() -> None:
    """A sync tells the age of the frames behind it (N13)."""
    inbox: Inbox[str] = Inbox()
    said = [sync_of(SHOP), frame_of(SHOP, 1), frame_of(SHOP, 2), sync_of(SHOP)]
    for message in said:
        inbox.put_message(message)

    assert said == inbox.take(10, 0)


@pytest.mark.finding(14)
@pytest.mark.parametrize(
    ("say", "at_once", "in_a_minute"),
    [(sync_of, 128, 120), (lambda node: Published(f"{ROOT}/node/{node}/up/health", b"{}"), 32, 240)],
)
def test_sender_that_repeats_itself_is_heard_within_its_budget(
    say: Callable[[str], Published], at_once: int, in_a_minute: int
) -> None:
    now_s = [0.0]
    inbox: Inbox[str] = Inbox(monotonic_s=lambda: now_s[0])

    def heard(times: int) -> int:
        count = 0
        for _ in range(times):
            inbox.put_message(say(FLOODER))
            count += len(inbox.take(10, 0))
        return count

    first, later = heard(1_000), 0
    for _ in range(60):
        now_s[0] += 1
        later += heard(100)
    assert (at_once, in_a_minute) == (first, later)
    inbox.put_message(say(SHOP))
    assert 1 == len(inbox.take(10, 0))


@pytest.mark.finding(14)
def test_sender_alone_gets_a_few_alerts_in_at_a_time_and_loses_none() -> None:
    """Another's alert that comes now waits for these few, and not for hundreds."""
    inbox: Inbox[str] = Inbox()
    for number in range(100):
        inbox.put_message(frame_of(FLOODER, number))

    first = inbox.take(500, 0)
    inbox.put_message(frame_of(SHOP))

    assert [frame_of(FLOODER, number) for number in range(ALERTS_AT_ONCE)] == first
    assert frame_of(SHOP) in inbox.take(500, 0)
    rest = [message for _ in range(100) for message in inbox.take(500, 0)]
    assert 100 - 2 * ALERTS_AT_ONCE == len(rest)
