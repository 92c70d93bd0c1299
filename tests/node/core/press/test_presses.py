"""N1, electrically: edges with bounces go in, wishes come out."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from node.core.controls import Button
from node.core.effects import AlertDraft, ReportFact, StoreFrame
from node.core.events import PinChanged, Started, Ticked
from node.core.machine import step
from node.core.press.presses import Gesture, Wish, advance, edge, next_moment_ms
from node.core.settings import Settings
from node.core.state import NodeState, Press, stuck_buttons
from wire.directory import EMPTY_DIRECTORY
from wire.ids import NodeId
from wire.kinds import AlertKind

SETTINGS = Settings(NodeId(0x10), "Corner Shop", "High St", (1,))
ATTACK, ASSIST, CANCEL = Button.ATTACK, Button.ASSIST, Button.CANCEL


class Board:
    """Drives pins as a finger does; levels in milliseconds."""

    def __init__(self, settings: Settings = SETTINGS) -> None:
        self.settings = settings
        self.buttons: Mapping[Button, Press] = NodeState(settings).buttons
        self.gestures: list[Gesture] = []

    def low(self, button: Button, at_ms: int) -> Board:
        return self._edge(button, at_ms, is_down=True)

    def high(self, button: Button, at_ms: int) -> Board:
        return self._edge(button, at_ms, is_down=False)

    def until(self, at_ms: int) -> Board:
        self.buttons, gestures = advance(self.buttons, self.settings, at_ms)
        self.gestures += gestures
        return self

    def wishes(self) -> list[tuple[Wish, int]]:
        return [(gesture.wish, gesture.at_ms) for gesture in self.gestures]

    def _edge(self, button: Button, at_ms: int, *, is_down: bool) -> Board:
        self.until(at_ms)
        self.buttons = edge(self.buttons, self.settings, PinChanged(button, is_down), at_ms)
        return self


def test_hold_of_one_second_is_an_attack() -> None:
    assert [(Wish.ATTACK, 1_000)] == Board().low(ATTACK, 0).until(1_000).wishes()


def test_hold_one_millisecond_too_short_is_no_attack() -> None:
    assert [(Wish.ATTACK_TOO_SHORT, 1_019)] == Board().low(ATTACK, 0).high(ATTACK, 999).until(5_000).wishes()


def test_hold_counts_though_the_program_only_hears_of_it_after_the_release() -> None:
    """A busy loop must not cost the press: the release itself proves how long the level held."""
    assert [(Wish.ATTACK, 1_000)] == Board().low(ATTACK, 0).high(ATTACK, 1_400).wishes()


def test_bounce_at_the_start_delays_nothing_but_the_debounce() -> None:
    board = Board().low(ATTACK, 0).high(ATTACK, 2).low(ATTACK, 4).high(ATTACK, 5).low(ATTACK, 9)

    assert [(Wish.ATTACK, 1_009)] == board.until(3_000).wishes()


def test_bounce_during_a_hold_does_not_restart_it() -> None:
    board = Board().low(ATTACK, 0).high(ATTACK, 500).low(ATTACK, 512)

    assert [(Wish.ATTACK, 1_000)] == board.until(3_000).wishes()


def test_bounce_at_the_very_end_of_a_hold_fires_when_the_level_returns() -> None:
    board = Board().low(ATTACK, 0).high(ATTACK, 995).low(ATTACK, 1_004).until(1_004)

    assert [(Wish.ATTACK, 1_000)] == board.wishes()


def test_release_and_press_anew_is_two_holds() -> None:
    board = Board().low(ATTACK, 0).high(ATTACK, 600).low(ATTACK, 700).until(1_699)

    assert [(Wish.ATTACK_TOO_SHORT, 620)] == board.wishes()
    assert (Wish.ATTACK, 1_700) == board.until(1_700).wishes()[-1]


def test_brush_shorter_than_the_debounce_is_nothing() -> None:
    board = Board()
    for start in range(0, 1_000, 50):
        board.low(ASSIST, start).high(ASSIST, start + 19)

    assert [] == board.until(3_000).wishes()


def test_level_of_exactly_the_debounce_counts() -> None:
    assert [Wish.ASSIST] == [wish for wish, _ in Board().low(ASSIST, 0).high(ASSIST, 20).until(400).wishes()]


def test_one_hold_is_one_attack_however_long_and_however_it_bounces() -> None:
    board = Board().low(ATTACK, 0)
    for start in range(1_100, 50_000, 100):
        board.high(ATTACK, start).low(ATTACK, start + 7)

    assert [(Wish.ATTACK, 1_000)] == board.until(59_000).wishes()


def test_release_bounces_do_not_press_again() -> None:
    board = Board().low(ASSIST, 0).high(ASSIST, 400).low(ASSIST, 404).high(ASSIST, 409).low(ASSIST, 411)

    assert [(Wish.ASSIST, 300)] == board.high(ASSIST, 413).until(2_000).wishes()


def test_bounce_that_is_heard_of_late_is_no_second_press() -> None:
    """The program was held up between its edges: by the clock, each level had held."""
    board = Board().low(ASSIST, 0).until(320).high(ASSIST, 1).until(640).low(ASSIST, 2).until(700)

    assert [(Wish.ASSIST, 300)] == board.high(ASSIST, 700).until(2_000).wishes()


def test_bounce_of_the_release_that_is_heard_of_late_is_no_second_press() -> None:
    board = Board().low(ASSIST, 0).high(ASSIST, 400).until(460).low(ASSIST, 401).until(900).high(ASSIST, 402)

    assert [(Wish.ASSIST, 300)] == board.until(2_000).wishes()


def test_bounce_of_a_taps_release_that_is_heard_of_late_is_no_second_press() -> None:
    board = Board().low(ASSIST, 0).high(ASSIST, 80).until(460).low(ASSIST, 81).until(900).high(ASSIST, 82)

    assert [(Wish.ASSIST, 100)] == board.until(2_000).wishes()


def test_hold_counts_from_its_own_edge_however_late_its_bounce_is_heard_of() -> None:
    board = Board().low(ATTACK, 0).until(240).high(ATTACK, 1).until(900).low(ATTACK, 2).until(1_100)

    assert [(Wish.ATTACK, 1_002)] == board.high(ATTACK, 1_100).until(3_000).wishes()


def test_hold_let_go_too_soon_is_no_attack_however_late_its_bounce_is_heard_of() -> None:
    board = Board().low(ATTACK, 0).high(ATTACK, 950).until(1_400).low(ATTACK, 952).until(1_403).high(ATTACK, 955)

    assert (Wish.ATTACK_TOO_SHORT, 970) == board.until(3_000).wishes()[0]
    assert Wish.ATTACK not in [wish for wish, _ in board.wishes()]


def test_hold_after_a_bounce_in_it_that_is_heard_of_late_is_an_attack_all_the_same() -> None:
    board = Board().low(ATTACK, 0).high(ATTACK, 600).until(640).low(ATTACK, 602)

    assert [(Wish.ATTACK_TOO_SHORT, 620), (Wish.ATTACK, 1_602)] == board.until(3_000).wishes()


def test_bounce_of_a_release_that_is_heard_of_late_is_no_second_attack() -> None:
    board = Board().low(ATTACK, 0).high(ATTACK, 1_200).until(1_300).low(ATTACK, 1_202).until(2_900)

    assert [(Wish.ATTACK, 1_000)] == board.high(ATTACK, 1_204).until(9_000).wishes()


def test_two_presses_that_are_heard_of_late_are_two() -> None:
    board = Board().low(ASSIST, 0).until(900).high(ASSIST, 400).low(ASSIST, 420).high(ASSIST, 800)

    assert [(Wish.ASSIST, 300), (Wish.ASSIST, 720)] == board.until(2_000).wishes()


def test_level_that_had_held_until_its_edge_was_heard_of_is_no_bounce() -> None:
    board = Board().low(ATTACK, 0).until(500).high(ATTACK, 20)

    assert [(Wish.ATTACK_TOO_SHORT, 40)] == board.until(500).wishes()


def test_assist_tap_fires_when_it_is_let_go() -> None:
    assert [(Wish.ASSIST, 100)] == Board().low(ASSIST, 0).high(ASSIST, 80).until(2_000).wishes()


def test_assist_held_fires_when_no_chord_is_possible_any_more() -> None:
    assert [(Wish.ASSIST, 300)] == Board().low(ASSIST, 0).until(2_000).wishes()


def test_assist_fires_at_once_where_there_is_no_chord() -> None:
    board = Board(replace(SETTINGS, is_chord_enabled=False))

    assert [(Wish.ASSIST, 20)] == board.low(ASSIST, 0).until(2_000).wishes()


@pytest.mark.parametrize(("first", "second"), [(ATTACK, ASSIST), (ASSIST, ATTACK)])
@pytest.mark.parametrize("gap_ms", [0, 1, 20, 150, 299])
def test_chord_is_an_attack_the_moment_both_are_down_and_nothing_else(
    first: Button, second: Button, gap_ms: int
) -> None:
    board = Board().low(first, 0).low(second, gap_ms).until(10_000)

    assert [(Wish.ATTACK, gap_ms + 20)] == board.wishes()


def test_chord_counts_though_the_first_button_bounces_up_just_then() -> None:
    board = Board().low(ASSIST, 0).low(ATTACK, 100).high(ASSIST, 115).low(ASSIST, 125).until(5_000)

    assert [(Wish.ATTACK, 120)] == board.wishes()


def test_attack_too_late_for_a_chord_is_an_assist_and_then_an_attack_by_hold() -> None:
    board = Board().low(ASSIST, 0).low(ATTACK, 300).until(5_000)

    assert [(Wish.ASSIST, 300), (Wish.ATTACK, 1_300)] == board.wishes()


def test_assist_late_in_an_attack_hold_fires_at_once() -> None:
    board = Board().low(ATTACK, 0).low(ASSIST, 600).until(5_000)

    assert [(Wish.ASSIST, 620), (Wish.ATTACK, 1_000)] == board.wishes()


def test_assist_waits_for_an_attack_button_that_has_not_settled() -> None:
    board = Board().low(ASSIST, 0).low(ATTACK, 295).until(5_000)

    assert [(Wish.ATTACK, 315)] == board.wishes()


def test_assist_is_not_lost_when_the_attack_button_was_only_brushed() -> None:
    board = Board().low(ASSIST, 0).low(ATTACK, 295).high(ATTACK, 300).until(5_000)

    assert [(Wish.ASSIST, 300)] == board.wishes()


def test_no_chord_where_it_is_switched_off() -> None:
    board = Board(replace(SETTINGS, is_chord_enabled=False)).low(ATTACK, 0).low(ASSIST, 50).until(900)

    assert [(Wish.ASSIST, 70)] == board.wishes()


def test_released_chord_does_not_say_too_short() -> None:
    board = Board().low(ATTACK, 0).low(ASSIST, 10).high(ATTACK, 60).high(ASSIST, 65).until(5_000)

    assert [(Wish.ATTACK, 30)] == board.wishes()


def test_cancel_needs_the_same_hold() -> None:
    assert [(Wish.CANCEL, 1_000)] == Board().low(CANCEL, 0).until(5_000).wishes()
    assert [Wish.CANCEL_TOO_SHORT] == [w for w, _ in Board().low(CANCEL, 0).high(CANCEL, 500).until(5_000).wishes()]


@pytest.mark.parametrize(
    ("button", "wish"), [(Button.SEEN, Wish.SEEN), (Button.RESPONDING, Wish.RESPONDING), (Button.TEST, Wish.TEST)]
)
def test_other_buttons_act_when_they_go_down_and_once(button: Button, wish: Wish) -> None:
    board = Board().low(button, 0).high(button, 500).until(5_000)

    assert [(wish, 20)] == board.wishes()


def test_button_held_for_a_minute_is_stuck_and_never_repeats() -> None:
    board = Board().low(ATTACK, 0).until(59_999)
    assert () == stuck_buttons(board.buttons)

    board.until(60_000)
    assert (ATTACK,) == stuck_buttons(board.buttons)

    board.high(ATTACK, 90_000).low(ATTACK, 90_005).until(3_600_000)
    assert [(Wish.ATTACK, 1_000)] == board.wishes()
    assert (ATTACK,) == stuck_buttons(board.buttons)


def test_stuck_button_that_was_let_go_works_again() -> None:
    board = Board().low(ATTACK, 0).high(ATTACK, 70_000).until(70_020)
    assert () == stuck_buttons(board.buttons)

    assert (Wish.ATTACK, 81_000) == board.low(ATTACK, 80_000).until(90_000).wishes()[-1]


def test_button_found_down_is_stuck_at_once_and_sends_nothing() -> None:
    board = Board()
    board.buttons = edge(board.buttons, SETTINGS, PinChanged(ATTACK, is_down=True, is_initial=True), 0)

    assert (ATTACK,) == stuck_buttons(board.buttons)
    assert [] == board.until(120_000).wishes()
    assert next_moment_ms(board.buttons, SETTINGS) is None


def test_lost_edge_starts_the_doubt_anew() -> None:
    """Two edges the same way: the level was the other in between, for who knows how long."""
    board = Board().low(ASSIST, 0).low(ASSIST, 15).high(ASSIST, 30).until(1_000)

    assert [] == board.wishes()


def test_lost_edge_of_a_bounce_that_is_heard_of_late_changes_no_wish() -> None:
    board = Board().low(ATTACK, 0).until(240).low(ATTACK, 5).until(1_000)

    assert [] == board.wishes()
    assert [(Wish.ATTACK, 1_005)] == board.until(1_005).wishes()

    board = Board().low(ATTACK, 0).high(ATTACK, 600).until(640).high(ATTACK, 605)

    assert [(Wish.ATTACK_TOO_SHORT, 620)] == board.until(3_000).wishes()


def test_nothing_is_due_while_nothing_is_pressed() -> None:
    board = Board().low(ATTACK, 0).high(ATTACK, 2_000).until(3_000)

    assert next_moment_ms(board.buttons, SETTINGS) is None


EDGES = st.lists(st.tuples(st.sampled_from(list(Button)), st.integers(0, 400), st.booleans()), max_size=60)


@given(EDGES)
def test_a_look_at_the_clock_in_between_changes_nothing(edges: list[tuple[Button, int, bool]]) -> None:
    """When the program looks does not matter: only the edges do."""
    seldom, often, at_ms = Board(), Board(), 0
    for button, wait_ms, is_down in edges:
        for moment_ms in range(at_ms, at_ms + wait_ms, 7):
            often.until(moment_ms)
        at_ms += wait_ms
        for board in (seldom, often):
            (board.low if is_down else board.high)(button, at_ms)

    assert seldom.until(at_ms + 200_000).wishes() == often.until(at_ms + 200_000).wishes()


@given(EDGES)
def test_every_wish_had_a_level_that_held(edges: list[tuple[Button, int, bool]]) -> None:
    """No bounce ever alerts: each alert is preceded by a level of at least the debounce on its button."""
    board, at_ms, held, downs = Board(), 0, set[Button](), dict[Button, int]()
    for button, wait_ms, is_down in edges:
        at_ms += wait_ms
        held |= {b for b, since in downs.items() if at_ms - since >= 20}
        (board.low if is_down else board.high)(button, at_ms)
        if is_down:
            downs.setdefault(button, at_ms)
        else:
            downs.pop(button, None)
    held |= set(downs)
    wishes = {wish for wish, _ in board.until(at_ms + 200_000).wishes()}

    assert Wish.TEST not in wishes or Button.TEST in held
    assert Wish.ASSIST not in wishes or ASSIST in held
    assert Wish.ATTACK not in wishes or ATTACK in held


BOUNCE = st.lists(st.integers(1, 3), max_size=4).filter(lambda gaps: len(gaps) % 2 == 0)
PRESS = st.tuples(st.integers(60, 900), BOUNCE, st.integers(60, 900), BOUNCE)


@given(st.lists(PRESS, min_size=1, max_size=4), st.lists(st.integers(0, 1_500), min_size=40, max_size=40))
def test_a_hand_presses_as_often_as_it_does_however_late_each_edge_is_heard_of(
    presses: list[tuple[int, list[int], int, list[int]]], held_up_ms: list[int]
) -> None:
    """Before each edge the program looks at the clock, long after that edge."""
    board, at_ms, is_down = Board(), 1_000, False
    delays_ms = iter(held_up_ms)
    for up_ms, down_bounce, down_ms, up_bounce in presses:
        for gap_ms in (up_ms, *down_bounce, down_ms, *up_bounce):
            at_ms, is_down = at_ms + gap_ms, not is_down
            board.until(at_ms + next(delays_ms))
            (board.low if is_down else board.high)(ASSIST, at_ms)

    assert [Wish.ASSIST] * len(presses) == [wish for wish, _ in board.until(at_ms + 2_000).wishes()]


def test_tap_that_is_heard_of_late_still_counts() -> None:
    """N1: both edges of a 100 ms tap, handed over after time has been let go on past them."""
    state = NodeState(SETTINGS)
    state, _ = step(state, Started("boot", (), (), EMPTY_DIRECTORY, 0), 0)
    state, _ = step(state, Ticked(), 1_150)
    state, _ = step(state, PinChanged(ASSIST, is_down=True), 1_000)
    state, _ = step(state, PinChanged(ASSIST, is_down=False), 1_100)
    state, effects = step(state, Ticked(), 1_150)

    assert [AlertKind.ASSIST] == [
        effect.content.kind
        for effect in effects
        if isinstance(effect, StoreFrame) and isinstance(effect.content, AlertDraft)
    ]


def test_bounce_that_the_unit_hears_of_late_is_one_press() -> None:
    """N1: one press whose other edges come a moment after it has counted, one by one."""
    state = NodeState(SETTINGS)
    presses = []
    for event, now_ms in (
        (Started("boot", (), (), EMPTY_DIRECTORY, 0), 0),
        (PinChanged(ASSIST, is_down=True), 1_000),
        (Ticked(), 1_400),
        (PinChanged(ASSIST, is_down=False), 1_001),
        (Ticked(), 1_405),
        (PinChanged(ASSIST, is_down=True), 1_002),
        (Ticked(), 2_000),
    ):
        state, effects = step(state, event, now_ms)
        presses += [effect for effect in effects if isinstance(effect, ReportFact) and effect.fact == "pressed"]

    assert 1 == len(presses)
