"""The watch over the liar's town sees every movement but those that it names; a watch that sees none proves nothing."""

from __future__ import annotations

import asyncio
import io
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from typing import TypeVar

import msgspec
import pytest
from PIL import Image

from central.core.unit_lines import UnitFacts
from central.core.view import Board, Card, NodeLine, OnDuty, Person, RejectedLine
from demo.board import Look
from demo.chronicle import Chronicle
from demo.notice import NeverCameError
from demo.scripts.liar_watch import (
    FACTS,
    OF_BOARD,
    OF_MACHINE,
    OF_UNIT,
    Panel,
    Watch,
    is_passing,
    read_on,
    things_of,
    told_by,
)
from demo.scripts.stage import Stage
from demo.town import Town
from node.hw.fake_board_client import BoardView

T = TypeVar("T", bound=msgspec.Struct)

AT = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
LATER = datetime(2026, 11, 26, 13, 0, tzinfo=UTC)
CARD = Card(
    incident="00000010-7",
    key="00000010-7",
    revision=3,
    node="00000010",
    premises="Corner Shop",
    place="High St",
    schemes=("hart",),
    kind="attack",
    priority=1,
    state="answered",
    pressed_at=AT,
    arrived_at=AT,
    path="network",
    is_late=False,
    is_silent=False,
    is_drill=False,
    answered_by=Person("pcso", "J Patel"),
)
UNIT = NodeLine(
    node="00000010", premises="Corner Shop", place="High St", schemes=("hart",), state="ok", since=AT, last_seen_at=AT
)
OF_UNITS_OWN = UnitFacts(version="0.1.0")
BOARD = Board(
    sequence=7,
    at=AT,
    boot_id="one",
    is_broker_linked=True,
    is_disk_ok=True,
    on_duty=(OnDuty("pcso", "J Patel", AT),),
    cards=(CARD,),
    nodes=(UNIT,),
    rejected=(),
)


def moved(record: T, name: str) -> T:
    """The like of it in which this field has another value; nothing asks for its type."""
    return msgspec.structs.replace(record, **{name: ("another", getattr(record, name))})


def differs(one: Board, another: Board) -> bool:
    return read_on(one) != read_on(another)


def names_of(record: type[msgspec.Struct]) -> list[str]:
    return [field.name for field in msgspec.structs.fields(record)]


# -- central's page -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", names_of(Card))
def test_watch_sees_every_field_of_a_card(name: str) -> None:
    assert differs(BOARD, msgspec.structs.replace(BOARD, cards=(moved(CARD, name),)))


@pytest.mark.parametrize("name", names_of(NodeLine))
def test_watch_sees_every_field_of_a_unit_but_those_it_names(name: str) -> None:
    after = msgspec.structs.replace(BOARD, nodes=(moved(UNIT, name),))

    assert (name not in OF_UNIT) == differs(BOARD, after)


@pytest.mark.parametrize("name", names_of(UnitFacts))
def test_watch_sees_every_fact_of_a_unit_but_those_it_names(name: str) -> None:
    """A disk that others filled meanwhile was told as a lie's doing."""
    before, after = (
        msgspec.structs.replace(BOARD, nodes=(msgspec.structs.replace(UNIT, facts=facts),))
        for facts in (OF_UNITS_OWN, moved(OF_UNITS_OWN, name))
    )

    assert (name not in OF_MACHINE) == differs(before, after)


@pytest.mark.parametrize("name", [name for name in names_of(Board) if name not in ("cards", "nodes")])
def test_watch_sees_every_field_of_the_page_but_those_it_names(name: str) -> None:
    assert (name not in OF_BOARD) == differs(BOARD, moved(BOARD, name))


def test_watch_names_no_field_that_is_not_there() -> None:
    assert set(names_of(NodeLine)) >= OF_UNIT
    assert set(names_of(Board)) >= OF_BOARD
    assert set(names_of(UnitFacts)) >= OF_MACHINE


@pytest.mark.parametrize(
    "without",
    [msgspec.structs.replace(BOARD, cards=()), msgspec.structs.replace(BOARD, nodes=())],
    ids=["cards", "nodes"],
)
def test_watch_sees_what_leaves_the_page_and_what_comes(without: Board) -> None:
    assert read_on(BOARD).keys() - read_on(without).keys()
    assert not read_on(without).keys() - read_on(BOARD).keys()


def test_watch_leaves_out_that_time_goes_by() -> None:
    after = msgspec.structs.replace(
        BOARD,
        sequence=8,
        at=LATER,
        rejected=(RejectedLine("bad signature", "", 1, LATER),),
        nodes=(msgspec.structs.replace(UNIT, last_seen_at=LATER, rejected=5),),
    )

    assert not differs(BOARD, after)


# -- facts ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fact", ["receipt", "duplicate_identity", "path_test", "one that is yet to be invented"])
def test_watch_sees_every_fact(chronicle: Chronicle, fact: str) -> None:
    before = told_by(chronicle)
    chronicle.take("00000010", {"at_ms": 1.0, "fact": fact})

    assert before != told_by(chronicle)


def test_watch_sees_a_fact_of_another_unit(chronicle: Chronicle) -> None:
    chronicle.take("00000010", {"at_ms": 1.0, "fact": "shown"})
    before = told_by(chronicle)
    chronicle.take("00000011", {"at_ms": 2.0, "fact": "shown"})

    assert len(before) + 1 == len(told_by(chronicle))


def test_watch_leaves_out_the_facts_it_names_and_the_demo_s_own(chronicle: Chronicle) -> None:
    for fact in FACTS:
        chronicle.take("00000010", {"at_ms": 1.0, "fact": fact})
    chronicle.say(2.0, "lied")

    assert {} == told_by(chronicle)


# -- panels ---------------------------------------------------------------------------------------------------------

PLAIN, FRAMED, INVERTED = "plain", "framed", "inverted"


def png(emphasis: str) -> bytes:
    image = Image.new("1", (128, 64), 1 if emphasis == INVERTED else 0)
    if emphasis == FRAMED:
        image.paste(1, (0, 0, 128, 2))
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def shows(face: str, headline: str, *lines: str, emphasis: str = PLAIN) -> BoardView:
    return BoardView(face, headline, lines, is_blank=False, png=png(emphasis), led="ready", sound="off")


ONE = shows("neighbour", "ATTACK", "Bell's Outdoor", "1 of 2 ▲Seen ►Coming", emphasis=FRAMED)
TWO = shows("neighbour", "ASSIST", "Penny Books", "2 of 2 ▲Seen ►Coming", emphasis=FRAMED)
ALONE = shows("received", "RECEIVED", "by central system", "No one answered yet")
READY = shows("ready", "READY", "12:34  Net✓", "On duty: PCSO")
SHOWS_TWO = "shows neighbour · framed · ASSIST · Penny Books · 2 of 2 ▲Seen ►Coming"
PAGES_MS = 14_000.0


def turning(*views: BoardView) -> tuple[Panel, list[Look]]:
    """A panel that has shown each of them for five seconds, again and again for twenty, and its looks."""
    looks = [Look(at_ms, views[at_ms // 5_000 % len(views)]) for at_ms in range(0, 20_000, 5_000)]
    return Panel("Shop", looks, 20_000 - PAGES_MS, 20_000), looks


def watched(view: BoardView, after: BoardView) -> list[str]:
    """What is said of a board that did one thing, and does another."""
    looks = [Look(0, view)]
    panel = Panel("Shop", looks, 0, PAGES_MS)
    looks.append(Look(PAGES_MS + 1, after))
    return panel.moved(PAGES_MS + 2)


@pytest.mark.parametrize(
    "after",
    [
        replace(ALONE, face="on-the-way"),
        replace(ALONE, headline="COMING"),
        replace(ALONE, lines=("by central system", "NOBODY ON DUTY")),
        replace(ALONE, lines=("by central, LATE", "No one answered yet")),
        replace(ALONE, led="answered"),
        replace(ALONE, led="off"),
        replace(ALONE, sound="attack"),
        replace(ALONE, png=png(INVERTED)),
        replace(ALONE, png=png(FRAMED)),
        replace(ALONE, is_blank=True),
    ],
)
def test_watch_sees_all_that_a_panel_shows_lights_and_sounds(after: BoardView) -> None:
    assert 1 == len(watched(ALONE, after))


def test_watch_sees_a_sound_that_stops() -> None:
    assert ["Shop sounds off"] == watched(replace(ALONE, sound="undelivered"), ALONE)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("1 of 2 ▲Seen ►Coming", "1 of 3 ▲Seen ►Coming"),
        ("14:32:10 after 14 s", "14:32:10 after 0 s"),
        ("on the way 14:32", "on the way 14:33"),
        ("On duty: CCTV, 3 more", "On duty: CCTV, 2 more"),
        ("No one answered yet", "No news for 23 s"),
    ],
)
def test_watch_sees_numbers_that_say_something(before: str, after: str) -> None:
    assert watched(replace(ALONE, lines=("", before)), replace(ALONE, lines=("", after)))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("12:34  Net✓", "12:35  Net✓"),
        ("12:34  Net✓ Radio✓", "13:00  Net✓ Radio✓"),
        ("No news for 23 s", "No news for 2 min"),
        ("By radio now     4 s", "By radio now    14 s"),
    ],
)
def test_watch_leaves_out_clocks_and_ages(before: str, after: str) -> None:
    assert not watched(replace(READY, lines=(before, "")), replace(READY, lines=(after, "")))


def test_watch_says_once_what_it_saw() -> None:
    looks = [Look(0, READY)]
    panel = Panel("Shop", looks, 0, PAGES_MS)
    looks += [Look(PAGES_MS + 1, ALONE), Look(PAGES_MS + 2, READY), Look(PAGES_MS + 3, ALONE)]

    assert ["Shop shows received · plain · RECEIVED · by central system · No one answered yet"] == panel.moved(
        PAGES_MS + 4
    )
    assert [] == panel.moved(PAGES_MS + 5)


def test_watch_sees_what_came_and_went_between_two_looks() -> None:
    looks = [Look(0, READY)]
    panel = Panel("Shop", looks, 0, PAGES_MS)
    looks += [Look(PAGES_MS + 1, replace(READY, sound="attack")), Look(PAGES_MS + 2, READY)]

    assert ["Shop sounds attack"] == panel.moved(PAGES_MS + 3)


def test_watch_lets_pages_take_their_turns() -> None:
    panel, looks = turning(ONE, TWO)
    looks += [Look(at_ms, (ONE, TWO)[at_ms // 5_000 % 2]) for at_ms in range(20_000, 100_000, 5_000)]

    assert [] == panel.moved(100_000)


def test_watch_sees_a_page_that_is_gone() -> None:
    panel, looks = turning(ONE, TWO)
    looks.append(Look(20_000, ONE))

    assert [] == panel.moved(20_000 + PAGES_MS)
    assert [f"Shop no longer {SHOWS_TWO}"] == panel.moved(20_001 + PAGES_MS)


def test_watch_sees_a_page_that_was_gone_and_is_back() -> None:
    panel, looks = turning(ONE, TWO)
    looks += [Look(20_000, ONE), Look(20_001 + PAGES_MS, TWO)]

    assert [f"Shop no longer {SHOWS_TWO}"] == panel.moved(22_000 + PAGES_MS)


def test_watch_knows_what_will_not_stay() -> None:
    new = shows("neighbour", "ATTACK", "Bell's Outdoor", emphasis=INVERTED)
    lost = shows("undelivered", "NOT DELIVERED", "", "Use radio or call 999", emphasis=INVERTED)

    assert any(map(is_passing, things_of(new)))
    assert any(map(is_passing, things_of(replace(READY, sound="assist"))))
    assert any(map(is_passing, things_of(replace(ALONE, face="answered"))))
    assert any(map(is_passing, things_of(shows("fault", "NO LINK", "Alerts are saved here"))))
    assert not any(is_passing(thing) for view in (READY, ALONE, ONE, lost) for thing in things_of(view))


# -- all of it ------------------------------------------------------------------------------------------------------


def commit_a_frame(town: Town) -> None:
    with closing(sqlite3.connect(town.folder / "central" / "state" / "central.db")) as database, database:
        database.execute("INSERT INTO frames VALUES (16, 2)")


def watch(town: Town, monkeypatch: pytest.MonkeyPatch, act: Callable[[], object]) -> list[str]:
    """What a watch sees of it, in a town that nobody waits for."""

    async def board() -> Board:
        return BOARD

    async def sleep(_seconds: float) -> None:
        pass

    async def run() -> list[str]:
        watch = Watch(Stage(town))
        await watch.begin()
        assert [] == await watch.moved()
        act()
        moved = await watch.moved()
        assert [] == await watch.moved()
        return moved

    monkeypatch.setattr(town.watch_room, "board", board)
    monkeypatch.setattr(asyncio, "sleep", sleep)
    return asyncio.run(run())


def test_watch_sees_nothing_where_nothing_moves(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    assert [] == watch(town, monkeypatch, lambda: None)


def test_watch_sees_central_s_disk(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    assert ["central's disk: (1, 1) → (2, 1)"] == watch(town, monkeypatch, lambda: commit_a_frame(town))


def test_watch_sees_a_fact(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    fact = {"at_ms": 1.0, "fact": "duplicate_identity"}

    assert ["fact 'duplicate_identity' of 00000010: nothing → 1"] == watch(
        town, monkeypatch, lambda: town.chronicle.take("00000010", fact)
    )


@pytest.mark.parametrize("key", ["corner-shop", "night-stop"])
def test_watch_sees_each_panel(town: Town, monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    one = town.premises[key]
    moved = watch(town, monkeypatch, lambda: one.board.looks.append(Look(town.now_ms(), READY)))

    assert f"{one.name} lights ready" in moved


@pytest.mark.parametrize(
    ("later", "said"),
    [
        (msgspec.structs.replace(BOARD, clock_fault="slow"), "page clock_fault:  → slow"),
        (msgspec.structs.replace(BOARD, nodes=()), "unit 00000010 state: ok → nothing"),
        (msgspec.structs.replace(BOARD, cards=()), "card 00000010-7 state: answered → nothing"),
    ],
)
def test_watch_sees_what_changes_on_the_page_and_what_leaves_it(
    town: Town, monkeypatch: pytest.MonkeyPatch, later: Board, said: str
) -> None:
    async def board() -> Board:
        return later

    assert said in watch(town, monkeypatch, lambda: monkeypatch.setattr(town.watch_room, "board", board))


def test_watch_does_not_begin_while_something_moves_by_itself(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    town.premises["night-stop"].board.looks.append(Look(0, replace(READY, sound="attack")))

    with pytest.raises(NeverCameError, match="sounds attack"):
        watch(town, monkeypatch, lambda: None)
