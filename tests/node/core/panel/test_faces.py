"""The faces of docs/screen.md, word for word, and that nothing a name can do breaks a line."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from msgspec.structs import replace

from node.core.controls import Button
from node.core.effects import Effect
from node.core.events import DirectoryReceived, Event, LinkDown, LinkUp, StopAsked, Ticked
from node.core.panel.words import fullest, named, on_duty, person, span, where
from node.core.screens import (
    HEADLINE_CHARS_MAX,
    HEADLINE_SMALL_CHARS_MAX,
    HEADLINE_WORD_CHARS_MAX,
    LINE_CHARS_MAX,
    MARKS,
    Face,
    Screen,
)
from node.core.spelling import PANEL_LETTERS
from node.core.state import NodeState
from tests.support.members import NOON
from tests.support.node_world import StateWord, World
from wire.ids import NodeId
from wire.kinds import AlertKind, AnswerState, MemberResponse, Role

OURS, BOOTS = NodeId(0x10), NodeId(0x11)


def assert_fits(screen: Screen) -> None:
    """The panel's limits: 8 characters large, two words of 10 with one line below or of 14 with two; 21 small."""
    if len(screen.headline) == 1:
        assert 0 < len(screen.headline[0]) <= HEADLINE_CHARS_MAX
    else:
        assert 2 == len(screen.headline)
        limit = HEADLINE_SMALL_CHARS_MAX if screen.lines[0] else HEADLINE_WORD_CHARS_MAX
        assert all(0 < len(word) <= limit for word in screen.headline)
        assert "" == screen.lines[0] or screen.face is Face.NEIGHBOUR, "two large words take the place of row 2"
    assert all(len(line) <= LINE_CHARS_MAX and set(line) <= PANEL_LETTERS | MARKS for line in screen.lines)


def test_faces_are_those_of_the_look() -> None:
    """The table of docs/screen.md, as far as it goes without radio and gallery."""
    world = World()
    seen: dict[str, Screen] = {}

    def note(now: World, _event: Event, _effects: tuple[Effect, ...]) -> None:
        if now.state.screen is not None:
            seen.setdefault(now.face, now.screen)

    world.checks.append(note)
    world.start()
    world.tap(Button.ASSIST)
    world.do(LinkUp())
    world.live(2_500)
    world.do(world.receipt(1), world.ack(1))
    world.do(world.ack(1, AnswerState.ON_THE_WAY), world.ack(1, AnswerState.CLOSED))
    world.live(60_000)
    world.do(world.alert_from(BOOTS, 5))
    said = {face: (screen.headline, *screen.lines) for face, screen in seen.items()}

    assert {
        "boot": (("STARTING",), "Watchlink 1.4", "Looking for central"),
        "ready": (("READY",), "14:33  Net✓", "On duty: CCTV PCSO"),
        "stored": (("TRYING",), "Not received yet", "Saved, no network"),
        "sending": (("SENDING",), "ASSIST 14:32:00", "Saved on this unit"),
        "undelivered": (("NOT", "DELIVERED"), "", "Use radio or call 999"),
        "received": (("RECEIVED",), "by central system", "No one answered yet"),
        "answered": (("ANSWERED",), "PCSO J Patel", "14:32:02 after 2 s"),
        "on-the-way": (("COMING",), "PCSO J Patel", "on the way 14:32"),
        "closed": (("CLOSED",), "by PCSO J Patel", "at 14:32"),
        "neighbour": (("ATTACK",), "Boots, Gallowtree Ga…", "14:33 ▲Seen ►Coming"),
    } == said
    for screen in seen.values():
        assert_fits(screen)


def test_stopping_says_that_buttons_do_not_work(world: World) -> None:
    world.do(StopAsked())

    assert ("Buttons do not work", "Use radio or call 999") == world.screen.lines


NASTY = st.one_of(
    st.text(max_size=64),
    st.text(alphabet="W\u202eé\u0301\u200b\ufeff\u0000\n 🧑‍🚒" + chr(0x3000), max_size=64),
    st.sampled_from(
        ["", " ", "x" * 64, "A" * 30 + " " + "B" * 30, "\u202e" * 64, "Ⱥ" * 64, "a\u0301\u0301\u0301\u0301" * 12]
    ),
)


@given(
    name=NASTY,
    place=NASTY,
    role=st.one_of(st.sampled_from([r.slug for r in Role]), st.from_regex(r"\A[a-z][a-z0-9-]{0,31}\Z")),
    kind=st.sampled_from(list(AlertKind)),
    others=st.integers(0, 12),
    state=st.sampled_from(["unanswered", "answered", "on-the-way", "closed"]),
    is_late=st.booleans(),
    drill=st.booleans(),
    response=st.sampled_from([None, Button.SEEN, Button.RESPONDING]),
)
def test_every_neighbours_face_fits(
    *,
    name: str,
    place: str,
    role: str,
    kind: AlertKind,
    others: int,
    state: StateWord,
    response: Button | None,
    is_late: bool,
    drill: bool,
) -> None:
    world = World()
    world.checks.append(lambda w, _event, _effects: assert_fits(w.screen) if w.state.screen else None)
    senders = {str(n): world.sender(NodeId(0x100 + n), name, place, 1) for n in range(others + 1)}
    world.start(known=world.directory(2, **senders))
    world.online()
    at_s = int(world.wall().timestamp()) - 7_200 * is_late
    for n in range(others + 1):
        world.do(world.alert_from(NodeId(0x100 + n), 1, kind, at_s=at_s, drill=drill))
    if response:
        world.live(600)
        world.tap(response)
    answer = None if state == "unanswered" else world.answer(name, role)
    world.do(
        world.says(NodeId(0x100), 1, state, kind=kind.slug, answer=answer, premises=name, place=place, drill=drill)
    )
    world.live(12_000)


@given(
    name=NASTY,
    role=st.sampled_from([r.slug for r in Role] + ["superintendent-of-everything"]),
    wait=st.integers(0, 10**9),
)
def test_every_own_face_fits(name: str, role: str, wait: int) -> None:
    world = World()
    world.settings = replace(world.settings, version=name)
    world.state = NodeState(world.settings)
    world.checks.append(lambda w, _event, _effects: assert_fits(w.screen) if w.state.screen else None)
    world.start(known=world.directory(2, boots=world.sender(BOOTS, name, "", 1)))
    world.online()
    world.do(world.status(on_duty=(role, "pcso", "cctv", role)))
    world.hold(Button.ATTACK)
    world.live(2_500)
    world.do(world.response_from(BOOTS, 1, 1, MemberResponse.SEEN))
    assert Face.NEARBY is world.screen.face
    world.do(world.response_from(BOOTS, 2, 1), world.receipt(1))
    world.now_ms += wait
    for state in ("answered", "on-the-way", "closed"):
        world.do(world.says(OURS, 1, state, revision=wait, answer=world.answer(name, role)))
    world.do(DirectoryReceived(world.directory(3), b""))


@given(st.lists(st.from_regex(r"\A[a-z][a-z0-9-]{0,31}\Z"), max_size=16))
def test_duty_line_fits_and_counts_what_it_leaves_out(roles: list[str]) -> None:
    assert len(on_duty(tuple(roles))) <= LINE_CHARS_MAX


@pytest.mark.parametrize(
    ("roles", "expected"),
    [
        ((), "NOBODY ON DUTY"),
        (("cctv",), "On duty: CCTV"),
        (("cctv", "pcso"), "On duty: CCTV PCSO"),
        (("cctv", "pcso", "police"), "On duty: CCTV, 2 more"),
        (("co-ordinator", "police", "cctv", "pcso"), "Duty: CO-ORD, 3 more"),
    ],
)
def test_duty_line(roles: tuple[str, ...], expected: str) -> None:
    assert expected == on_duty(roles)


@pytest.mark.parametrize(
    ("role", "name", "expected"),
    [
        ("PCSO", "J Patel", "PCSO J Patel"),
        ("PCSO", "Jaswinder Patel", "PCSO Jaswinder Patel"),
        ("POLICE", "Jaswinder Patel", "POLICE J Patel"),
        ("CCTV", "Featherstonehaugh-Smythe", "CCTV Featherstonehau…"),
        ("CCTV", "", "CCTV"),
        ("CCTV", "Nguyễn Phở", "CCTV Nguyen Pho"),
        ("CCTV", "金龍", "CCTV"),
    ],
)
def test_person_is_named_as_fully_as_it_fits(role: str, name: str, expected: str) -> None:
    assert expected == person(role, name)


LLANFAIR = "Llanfairpwllgwyngyllgogerychwyrndrobwllllantysiliogogoch Arms"


@pytest.mark.parametrize(
    ("premises", "place", "expected", "expected_late"),
    [
        ("Spar", "High St", "Spar, High St", "LATE Spar, High St"),
        ("Spar", "", "Spar", "LATE Spar"),
        (LLANFAIR, "Church St", "Llanfairp…, Church St", "LATE Llan…, Church St"),
        (LLANFAIR, "Church Street", "Llanfairp…, Church St", "LATE Llan…, Church St"),
        (LLANFAIR, "Church Gate", "Llanfai…, Church Gate", "LATE Llan…, Church G…"),
        ("Spar", "Stratford upon Avon Road", "Spar, Stratford upon…", "LATE Spar, Stratford…"),
        ("The Crown", "Market Place", "The Crown, Market Pl", "LATE Crown, Market Pl"),
        ("The Railway Arms", "Kirk Road", "Railway Arms, Kirk Rd", "LATE Railwa…, Kirk Rd"),
        ("Cafe Zażółć", "Łódź St", "Cafe Zażółć, Łódź St", "LATE Cafe Z…, Łódź St"),
    ],
)
def test_place_stays_however_long_the_name_is(premises: str, place: str, expected: str, expected_late: str) -> None:
    """N5: whoever goes must know where to."""
    assert expected == where(premises, place)
    assert expected_late == where(premises, place, "LATE ")


@given(
    premises=st.text(max_size=64),
    place=st.text(max_size=64),
    street=st.sampled_from([("", ""), (" Street", " St"), (" ROAD", " Rd"), (" Gate", " Gate")]),
    before=st.sampled_from(["", "LATE "]),
)
def test_place_is_beside_every_name(premises: str, place: str, street: tuple[str, str], before: str) -> None:
    """Whole, or in short, or its first eight letters at the least."""
    name, at = named(premises), named(place)
    assume(name and at)
    said = where(name, at + street[0], before)
    whole = [f", {at}{last}" for last in street]

    assert len(said) <= LINE_CHARS_MAX
    assert said.startswith(before)
    assert said.removeprefix(before)[0] in (name[0], name.removeprefix("The ")[0])
    assert said.endswith((*whole, *(f"{whole[1][:n].rstrip()}…" for n in range(2 + 8, len(whole[1])))))


@pytest.mark.parametrize(
    ("premises", "place", "expected"),
    [
        ("🍺 The Swan", "High St", "The Swan, High St"),
        ("🦢", "High St", "Swan, High St"),
        ("金龍", "High St", "Neighbour, High St"),
        ("金龍", "", "00000011-5"),
        ("Net✓ ►Coming", "", "Net Coming"),
    ],
)
def test_neighbour_is_named_in_letters_that_the_panel_has(premises: str, place: str, expected: str) -> None:
    """The panel's own marks are not for names: they say what the node knows."""
    world = World()
    world.start(known=world.directory(2, boots=world.sender(BOOTS, premises, place, 1)))
    world.online()
    world.do(world.alert_from(BOOTS, 5))

    assert expected == world.screen.lines[0]


def test_member_without_a_name_that_can_be_spelled_is_a_neighbour() -> None:
    world = World()
    world.start(known=world.directory(2, boots=world.sender(BOOTS, "金龍", "", 1)))
    world.online()
    world.hold(Button.ATTACK)
    world.do(world.receipt(1), world.response_from(BOOTS, 5, 1, MemberResponse.SEEN))

    assert "Seen by a neighbour" == world.screen.lines[1]


@pytest.mark.parametrize(
    ("ms", "expected"),
    [
        (-5, "0 s"),
        (99_999, "99 s"),
        (100_000, "1 min"),
        (5_999_999, "99 min"),
        (6_000_000, "1 h"),
        (359_999_999, "99 h"),
        (360_000_000, "4 d"),
        (10**15, "9999 d"),
    ],
)
def test_span(ms: int, expected: str) -> None:
    assert expected == span(ms)


def test_fullest_takes_the_first_that_fits_whole() -> None:
    assert "short" == fullest("x" * 22, "short", "shorter")
    assert "y" * 20 + "…" == fullest("x" * 22, "y" * 22)


def test_clock_on_the_panel_turns_with_the_minute_though_nothing_else_happens() -> None:
    world = World()
    world.start(wall=NOON + timedelta(seconds=25))
    world.online()
    world.live(34_999)
    assert "14:32  Net✓" == world.screen.lines[0]

    world.after(1)
    assert "14:33  Net✓" == world.screen.lines[0]


def test_node_cut_off_under_an_answered_alert_wakes_for_nothing(world: World) -> None:
    """No word of that face counts seconds."""
    world.tap(Button.ASSIST)
    world.do(world.receipt(1), world.ack(1), LinkDown("gone"))
    world.after(40_000)
    wakes = [0]
    world.checks.append(lambda _world, event, _effects: wakes.__setitem__(0, wakes[0] + isinstance(event, Ticked)))
    world.after(19_000)

    assert ("answered", True) == (world.face, wakes[0] <= 1)
