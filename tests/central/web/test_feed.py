from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from central.core.cards import NOT_DRAWN, bare_line
from central.core.rights import WHOLE_TOWN
from central.core.view import Board, RejectedLine
from central.web import feed as feed_module
from central.web.feed import CHANGES_KEPT, PIECES_QUEUED_MAX, Feed, FeedFullError, FeedTiming, encode_shown
from runtime.event_stream import Listener
from tests.central.web.scripted_board import ScriptedBoard

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


def events(sent: bytes | None) -> list[tuple[str, str, dict[str, Any]]]:
    """(event, id, data) of each event in what was sent."""

    def parsed() -> Iterator[tuple[str, str, dict[str, Any]]]:
        for block in (sent or b"").decode().split("\n\n")[:-1]:
            fields = dict(line.split(": ", 1) for line in block.split("\n"))
            yield fields["event"], fields.get("id", ""), json.loads(fields["data"])

    return list(parsed())


def on_loop(script: Callable[[ScriptedBoard, Feed], Awaitable[None]]) -> None:
    async def run() -> None:
        board = ScriptedBoard()
        feed = Feed(board, timing=FeedTiming(beat_ms=1), page="p", now=lambda: NOON)
        feed.open()
        feed.leave(feed.join(None, WHOLE_TOWN))  # Somebody has looked: from now on changes are kept.
        await script(board, feed)
        feed.close()

    asyncio.run(run())


async def names(listener: Listener) -> list[str]:
    return [f"{event} {event_id}".strip() for event, event_id, _ in events(await listener.next())]


def test_joining_gets_the_board_then_a_beat() -> None:
    async def script(board: ScriptedBoard, feed: Feed) -> None:
        board.press("attack")
        sent = events(await feed.join(None, WHOLE_TOWN).next())

        assert ["board", "beat"] == [event for event, _, _ in sent]
        assert "boot-1/8" == sent[0][1]
        assert ["00000010-1"] == [card["incident"] for card in sent[0][2]["cards"]]
        expected = {"at": "2026-11-21T12:00:00Z", "boot_id": "boot-1", "sequence": 8, "page": "p"}
        assert expected == sent[1][2]

    on_loop(script)


@pytest.mark.finding(12)
def test_card_that_cannot_be_sent_costs_only_itself_and_is_still_there_to_be_answered() -> None:
    """Half of a surrogate pair is no text that JSON can bear."""

    async def script(board: ScriptedBoard, feed: Feed) -> None:
        board.press("attack")
        board.press("assist")
        bad = next(iter(board.cards.values()))
        board.show(replace(bad, place="\ud800"))
        joined = feed.join(None, WHOLE_TOWN)
        sent = events(await joined.next())
        board.show(replace(bad, place="\ud800"))
        board.press("theft")
        later = events(await joined.next())

        cards = [[(card["incident"], card["place"]) for card in data["cards"]] for _, _, data in (sent[0], *later)]
        (place,) = {card.place for card in board.cards.values()} - {"\ud800"}
        first = ("00000010-1", NOT_DRAWN)
        assert [[first, ("00000010-2", place)], [first], [("00000010-3", place)]] == cards
        assert ("attack", "unanswered") == (sent[0][2]["cards"][0]["kind"], sent[0][2]["cards"][0]["state"])

    on_loop(script)


@pytest.mark.finding(12)
def test_premises_that_cannot_be_sent_is_still_named() -> None:
    bakery, corner = bare_line("00000011"), replace(bare_line("00000010"), place="\ud800")
    sent = json.loads(encode_shown(replace(ScriptedBoard().board(), nodes=(corner, bakery))))

    assert [("00000010", NOT_DRAWN), ("00000011", NOT_DRAWN)] == [(one["node"], one["place"]) for one in sent["nodes"]]


def test_change_reaches_every_listener_once() -> None:
    async def script(board: ScriptedBoard, feed: Feed) -> None:
        listeners = [feed.join(None, WHOLE_TOWN) for _ in range(3)]
        for listener in listeners:
            await listener.next()
        board.press("assist")

        assert [["change boot-1/8"]] * 3 == [await names(listener) for listener in listeners]

    on_loop(script)


def test_missed_changes_are_replayed_not_the_board() -> None:
    async def script(board: ScriptedBoard, feed: Feed) -> None:
        for _ in range(3):
            board.press("theft")

        assert ["change boot-1/9", "change boot-1/10", "beat"] == await names(feed.join("boot-1/8", WHOLE_TOWN))
        assert ["beat"] == await names(feed.join("boot-1/10", WHOLE_TOWN))

    on_loop(script)


@pytest.mark.parametrize(
    "after", ["boot-0/8", "boot-1/6", "boot-1/11", "boot-1/x", "boot-1/", "8", "", "boot-1/²", "boot-1/" + "9" * 30]
)
def test_unknown_position_gets_the_board(after: str) -> None:
    """C1: recovers by itself after central restarts, whatever the browser remembers."""

    async def script(board: ScriptedBoard, feed: Feed) -> None:
        for _ in range(3):
            board.press("theft")

        assert ["board boot-1/10", "beat"] == await names(feed.join(after, WHOLE_TOWN))

    on_loop(script)


def test_ring_is_bounded() -> None:
    async def script(board: ScriptedBoard, feed: Feed) -> None:
        for _ in range(CHANGES_KEPT + 1):
            board.tell()

        assert "board boot-1/520" == (await names(feed.join("boot-1/7", WHOLE_TOWN)))[0]
        assert CHANGES_KEPT + 1 == len(await names(feed.join("boot-1/8", WHOLE_TOWN)))

    on_loop(script)


def big_change() -> tuple[RejectedLine, ...]:
    """About a megabyte."""
    return tuple(RejectedLine("malformed " * 10, f"{number:08x}", 1, NOON) for number in range(6_000))


@pytest.mark.finding(17)
def test_ring_is_bounded_in_bytes() -> None:
    async def script(board: ScriptedBoard, feed: Feed) -> None:
        for _ in range(20):
            board.tell(rejected=big_change())

        assert 10_000_000 > sum(len(piece) for _, piece in feed._channels[WHOLE_TOWN]._ring)
        assert ["change boot-1/27", "beat"] == await names(feed.join("boot-1/26", WHOLE_TOWN))

    on_loop(script)


@pytest.mark.finding(17)
def test_listener_is_let_go_before_it_holds_many_bytes() -> None:
    async def script(board: ScriptedBoard, feed: Feed) -> None:
        slow, quick = feed.join(None, WHOLE_TOWN), feed.join(None, WHOLE_TOWN)
        for _ in range(20):
            board.tell(rejected=big_change())
            await quick.next()

        assert (True, False) == (slow.has_ended, quick.has_ended)

    on_loop(script)


def test_board_of_many_bytes_reaches_a_listener() -> None:
    async def script(board: ScriptedBoard, feed: Feed) -> None:
        board.rejected = big_change() * 10
        listener = feed.join(None, WHOLE_TOWN)
        board.tell()

        assert ["board boot-1/7", "beat", "change boot-1/8"] == await names(listener)

    on_loop(script)


def test_listener_that_does_not_read_is_let_go_and_keeps_nothing() -> None:
    async def script(board: ScriptedBoard, feed: Feed) -> None:
        slow, quick = feed.join(None, WHOLE_TOWN), feed.join(None, WHOLE_TOWN)
        for _ in range(PIECES_QUEUED_MAX):
            board.tell()
            await quick.next()

        assert (True, False) == (slow.has_ended, quick.has_ended)
        assert await slow.next() is None

    on_loop(script)


def test_streams_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed_module, "LISTENERS_MAX", 2)

    async def script(board: ScriptedBoard, feed: Feed) -> None:
        first, _ = feed.join(None, WHOLE_TOWN), feed.join(None, WHOLE_TOWN)
        with pytest.raises(FeedFullError):
            feed.join(None, WHOLE_TOWN)
        feed.leave(first)
        feed.join(None, WHOLE_TOWN)

    on_loop(script)


def test_closing_ends_every_stream() -> None:
    async def script(board: ScriptedBoard, feed: Feed) -> None:
        listener = feed.join(None, WHOLE_TOWN)
        feed.close()

        assert await listener.next() is None

    on_loop(script)


def test_beats_come_by_themselves() -> None:
    async def script(board: ScriptedBoard, feed: Feed) -> None:
        beats = asyncio.create_task(feed.beat_for_ever())
        listener = feed.join(None, WHOLE_TOWN)
        await listener.next()

        assert {"beat"} == set(await names(listener))
        beats.cancel()

    on_loop(script)


def test_board_decodes_as_the_seams_board() -> None:
    async def script(board: ScriptedBoard, feed: Feed) -> None:
        sent = events(await feed.join(None, WHOLE_TOWN).next())
        assert board.board() == msgspec.convert(sent[0][2], Board)

    on_loop(script)
