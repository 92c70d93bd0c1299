"""The board between the intake thread and the web's loop: it never stands still without a word (C1)."""

from __future__ import annotations

import asyncio

import pytest

from central.core import effects as do
from central.core import events as ev
from central.core.boards import BoardKeeper
from central.core.rights import WHOLE_TOWN, Rights, Scope
from central.core.sight import View
from central.core.view import Acknowledge, Board, Change, Close, Done, Refused
from central.live import LiveBoard
from central.web.feed import Feed, FeedTiming
from tests.support.central_town import ARCADE, CROWN, PATEL, START, Town


def board() -> Board:
    return Board(
        sequence=0,
        at=START,
        boot_id="boot-1",
        is_broker_linked=True,
        is_disk_ok=True,
        on_duty=(),
        cards=(),
        nodes=(),
        rejected=(),
    )


@pytest.mark.finding(12)
def test_live_board_knows_that_its_loop_hangs() -> None:
    now_s = 0.0

    async def look() -> list[bool]:
        nonlocal now_s
        live = LiveBoard(board(), lambda _asked: None, lambda: now_s)
        found = [live.is_moving]
        live.attach(asyncio.get_running_loop())
        now_s = 9.0
        await asyncio.sleep(0)
        now_s = 18.0
        found.append(live.is_moving)
        now_s = 19.0
        found.append(live.is_moving)
        return found

    assert [True, True, False] == asyncio.run(look())


@pytest.mark.parametrize(("sequences", "is_broken"), [((1, 2), False), ((1, 3, 4), True)])
def test_live_board_says_so_when_a_change_was_lost(sequences: tuple[int, ...], is_broken: bool) -> None:  # noqa: FBT001
    """Beats would go on, and every page would call a board live that no alert reaches any more."""

    async def show() -> LiveBoard:
        live = LiveBoard(board(), lambda _asked: None)
        live.attach(asyncio.get_running_loop())
        for sequence in sequences:
            live.show(Change(sequence=sequence, at=START))
        await asyncio.sleep(0)
        return live

    assert is_broken is asyncio.run(show()).is_broken


@pytest.mark.finding(12)
@pytest.mark.parametrize("error", [ValueError, KeyError, ZeroDivisionError])
def test_live_board_says_so_when_a_change_could_not_be_applied(
    monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    def failing(*_: object) -> None:
        raise error

    async def show() -> bool:
        live = LiveBoard(board(), lambda _asked: None)
        live.attach(asyncio.get_running_loop())
        monkeypatch.setattr(BoardKeeper, "apply", failing)
        live.show(Change(sequence=1, at=START))
        await asyncio.sleep(0)
        return live.is_broken

    assert asyncio.run(show())


HART = Rights(frozenset({("pcso", 1), ("police", 1)}))
PUB = Rights(frozenset({("pcso", 2)}))


class Web:
    """A live board over a core, as the intake thread and the web's loop have it, on one loop."""

    def __init__(self) -> None:
        self.town = Town()
        self.live = LiveBoard(self.town.board(), self._request)
        self.live.attach(asyncio.get_running_loop())
        self._taken = len(self.town.said)

    def _request(self, asked: ev.ActionRequested) -> None:
        self.town.handle(asked)
        self.go_on()

    def go_on(self) -> None:
        said, self._taken = self.town.said[self._taken :], len(self.town.said)
        for order in said:
            if isinstance(order, do.ShowChange):
                self.live.show(order.change)
            elif isinstance(order, do.AnswerAction):
                self.live.answer(order.request, order.result)


def test_act_is_told_the_number_of_its_own_feed() -> None:
    async def play() -> tuple[object, list[Change], int]:
        web = Web()
        changes: list[Change] = []
        web.live.subscribe(changes.append, HART.scope)
        for counter in range(1, 9):
            web.town.press(counter, node=CROWN)
        web.town.press(7)
        web.go_on()
        done = await web.live.act(Acknowledge("00000010-7"), PATEL, HART)
        return done, changes, web.town.board().sequence

    done, changes, whole = asyncio.run(play())
    assert [1, 2] == [change.sequence for change in changes]
    assert Done(2) == done
    assert whole > 8


def test_act_on_a_card_that_stands_for_many_is_for_what_was_on_screen() -> None:
    async def play() -> tuple[object, object, int]:
        web = Web()
        web.live.subscribe(lambda _: None, HART.scope)
        for counter in range(1, 6):
            web.town.press(counter)
        web.go_on()
        await asyncio.sleep(0)
        (card,) = web.live.board(HART.scope).cards
        web.town.press(6)
        web.go_on()
        await asyncio.sleep(0)
        close = Close(card.incident, "Button stuck", seen_through=card.through)
        done = await web.live.act(close, PATEL, HART)
        stale = await web.live.act(Close(card.incident, "Button stuck", seen_through=5), PATEL, HART)
        return done, stale, sum(one.state != "closed" for one in web.town.core._incidents.all())

    done, stale, still_open = asyncio.run(play())
    assert isinstance(done, Done)
    assert 1 == done.untouched == still_open
    assert Refused("The card has changed since you looked. Check it, then try again.") == stale


def test_scopes_share_nothing_but_central() -> None:
    async def play() -> tuple[Board, Board, Board]:
        web = Web()
        hart = web.live.board(HART.scope)
        for counter in range(1, 9):
            web.town.press(counter, node=CROWN)
        web.go_on()
        await asyncio.sleep(0)
        return hart, web.live.board(HART.scope), web.live.board(PUB.scope)

    before, after, pub = asyncio.run(play())
    assert (before.sequence, before.cards, before.nodes) == (after.sequence, after.cards, after.nodes)
    assert ["00000012"] == [card.node for card in pub.cards]
    assert 3 == len({before.boot_id, pub.boot_id, "boot-1"})


def test_streams_of_two_scopes_are_two_feeds_whoever_came_first() -> None:
    """A feed is kept for those who come later: for those of the same scope alone."""

    async def play() -> tuple[bytes, bytes]:
        web = Web()
        feed = Feed(web.live, timing=FeedTiming(), page="", now=lambda: START)
        feed.open()
        pub, hart = feed.join(None, PUB.scope), feed.join(None, HART.scope)
        web.town.press(7, node=CROWN)
        web.go_on()
        await asyncio.sleep(0)
        sent = await pub.next() or b"", await hart.next() or b""
        feed.close()
        return sent

    pub, hart = asyncio.run(play())
    assert b"The Crown" in pub
    assert b"The Crown" not in hart


def test_scope_that_nobody_looks_at_any_more_is_let_go() -> None:
    async def play() -> list[bool]:
        web = Web()
        end = web.live.subscribe(lambda _: None, PUB.scope)
        first, kept = web.live.board(HART.scope), web.live.board(PUB.scope)
        for number in range(10, 20):
            web.live.board(Scope(frozenset({number})))
        found = [first.boot_id != web.live.board(HART.scope).boot_id, kept.boot_id == web.live.board(PUB.scope).boot_id]
        end()
        for number in range(10, 20):
            web.live.board(Scope(frozenset({number})))
        return [*found, kept.boot_id != web.live.board(PUB.scope).boot_id]

    assert [True, True, True] == asyncio.run(play())


def failing_once(monkeypatch: pytest.MonkeyPatch, scope: Scope, error: type[Exception]) -> None:
    take = View.take
    failed: list[bool] = []

    def fail_once(self: View, change: Change) -> Change | None:
        if self._scope == scope and not failed:
            failed.append(True)
            raise error
        return take(self, change)

    monkeypatch.setattr(View, "take", fail_once)


@pytest.mark.finding(12)
@pytest.mark.parametrize("error", [ValueError, KeyError, ZeroDivisionError])
@pytest.mark.parametrize("scope", [HART.scope, WHOLE_TOWN])
def test_scope_whose_view_fails_on_an_alert_gets_its_card_with_a_new_board(
    monkeypatch: pytest.MonkeyPatch, scope: Scope, error: type[Exception]
) -> None:
    """The alert was missing from that page, and from all behind it, for good; and every page called itself live."""

    async def play() -> tuple[bytes, bytes, bytes, bool]:
        web = Web()
        feed = Feed(web.live, timing=FeedTiming(), page="", now=lambda: START)
        feed.open()
        page, pub = feed.join(None, scope), feed.join(None, PUB.scope)
        seen = (await page.next() or b"").partition(b"\n")[0].removeprefix(b"id: ").decode()
        failing_once(monkeypatch, scope, error)
        web.town.press(7, node=ARCADE)
        web.go_on()
        await asyncio.sleep(0)
        assert page.has_ended
        back = feed.join(seen, scope)
        web.town.press(8, node=ARCADE)
        web.go_on()
        await asyncio.sleep(0)
        sent = await back.next() or b"", await pub.next() or b""
        feed.close()
        return seen.rpartition("/")[0].encode(), *sent, web.live.is_broken

    old_name, new, pub, is_broken = asyncio.run(play())
    board, _, later = new.partition(b"event: change")
    assert b"event: board" in board
    assert b'"incident":"00000013-7"' in board
    assert b'"boot_id":"' + old_name + b'"' not in board
    assert b'"incident":"00000013-8"' in later
    assert b'"incident":"00000013-7"' in pub
    assert not is_broken


@pytest.mark.finding(12)
def test_page_whose_change_cannot_be_passed_on_begins_anew_and_keeps_it_from_no_other() -> None:
    def failing(_: Change) -> None:
        raise TypeError

    async def play() -> tuple[list[str], list[Change]]:
        web = Web()
        changes: list[Change] = []
        cut: list[str] = []
        web.live.subscribe(failing, HART.scope, lambda: cut.append("cut"))
        web.live.subscribe(changes.append, HART.scope)
        web.live.subscribe(changes.append, PUB.scope)
        for counter in (7, 8):
            web.town.press(counter, node=ARCADE)
        web.go_on()
        await asyncio.sleep(0)
        return cut, changes

    cut, changes = asyncio.run(play())
    assert ["cut"] == cut
    assert 4 == len([change for change in changes if change.cards])


@pytest.mark.finding(12)
def test_act_that_a_new_view_shows_is_told_no_number_of_the_old_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page would wait for it for ever."""

    async def play() -> object:
        web = Web()
        web.town.press(7)
        web.live.subscribe(lambda _: None, HART.scope)
        web.town.press(8, incident=7)
        web.go_on()
        await asyncio.sleep(0)
        failing_once(monkeypatch, HART.scope, KeyError)
        return await web.live.act(Acknowledge("00000010-7"), PATEL, HART)

    assert Done(0) == asyncio.run(play())
