"""What waits is bounded, and only messages are ever dropped."""

from __future__ import annotations

from central.net.inbox import Inbox, Published


def test_inbox_drops_messages_over_its_number_and_counts_them() -> None:
    inbox: Inbox[str] = Inbox(messages_max=2)
    for number in range(5):
        inbox.put_message(Published(f"t{number}", b""))
    inbox.put("link up")

    assert [Published("t0", b""), Published("t1", b""), "link up"] == inbox.take(10, 0)
    assert (3, 0) == (inbox.take_dropped(), inbox.take_dropped())


def test_inbox_drops_messages_over_its_bytes_and_has_room_again_when_they_are_taken() -> None:
    inbox: Inbox[str] = Inbox(bytes_max=100)
    inbox.put_message(Published("a", b"x" * 60))
    inbox.put_message(Published("b", b"x" * 60))
    first = inbox.take(10, 0)
    inbox.put_message(Published("c", b"x" * 60))

    assert (["a"], ["c"]) == ([m.topic for m in first], [m.topic for m in inbox.take(10, 0)])


def test_inbox_counts_topics_too() -> None:
    """A stolen node may write to topics of 65,535 bytes below its own name, with nothing in them."""
    inbox: Inbox[str] = Inbox(bytes_max=100)
    for _ in range(3):
        inbox.put_message(Published("t" * 50, b""))

    assert (1, 2) == (inbox.take_dropped(), len(inbox.take(10, 0)))


def test_inbox_gives_at_most_what_is_asked_for_and_does_not_wait_for_more() -> None:
    inbox: Inbox[int] = Inbox()
    for number in range(7):
        inbox.put(number)

    assert ([0, 1, 2, 3, 4], [5, 6], []) == (inbox.take(5, 0), inbox.take(5, 0), inbox.take(5, 0))
