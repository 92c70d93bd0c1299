"""PIN sessions (G5, G14): guesses are counted before they are answered, waits grow, and a boot shortens none."""

from __future__ import annotations

import pytest

from gallery.core import effects as do
from gallery.core import events as ev
from gallery.core.effects import SignIn
from gallery.core.signing_in import SESSIONS_MAX
from gallery.core.staff import FREE_TRIES, LONGEST_WAIT_MS, wait_ms, why_not_pin
from sim.gallery_node import PowerCutError
from tests.support.gallery_world import ALICE, PIN, GalleryWorld

BOB = 8
WRONG = ev.Pin("314159")
CODE = ev.Pin("999999")


@pytest.fixture
def world() -> GalleryWorld:
    """Alice has a PIN; nobody is signed in."""
    world = GalleryWorld().started().with_case()
    world.node.happen(ev.SignedOut(world.sign_in()))
    world.node.answers.clear()
    return world


def outcomes(world: GalleryWorld) -> list[SignIn]:
    return [answer.outcome for answer in world.node.answers]


def test_right_pin_opens_a_session(world: GalleryWorld) -> None:
    name = world.try_pin()

    assert [SignIn.OPEN] == outcomes(world)
    assert name in world.node.state.sessions


def test_wrong_pin_opens_none(world: GalleryWorld) -> None:
    world.try_pin(WRONG)

    assert [SignIn.WRONG] == outcomes(world)
    assert {} == dict(world.node.state.sessions)


def test_nobody_unlisted_is_checked(world: GalleryWorld) -> None:
    world.node.checks.clear()
    world.try_pin(person=99)

    assert [SignIn.WRONG] == outcomes(world)
    assert [] == world.node.checks


def test_start_code_lets_nobody_in_but_choose_a_pin() -> None:
    world = GalleryWorld().started()
    world.employ(ALICE)
    name = world.try_pin(CODE, is_start_code=True)
    before = dict(world.node.state.sessions)
    world.node.happen(ev.PinChosen(name, PIN))

    assert [SignIn.CHOOSE_PIN, SignIn.OPEN] == outcomes(world)
    assert {} == before


def test_whoever_went_away_while_choosing_holds_up_nobody() -> None:
    """The tablet was put down at "Choose a PIN", and the same person goes on at the till."""
    world = GalleryWorld().started()
    world.employ(ALICE)
    left = world.try_pin(CODE, is_start_code=True)

    world.try_pin(WRONG, is_start_code=True)
    again = world.try_pin(CODE, is_start_code=True)
    world.node.happen(ev.PinChosen(left, ev.Pin("602214")))
    world.node.happen(ev.PinChosen(again, PIN))

    # The first is out as soon as the second code is right, and not by a wrong one.
    said = [SignIn.CHOOSE_PIN, SignIn.WRONG, SignIn.WRONG, SignIn.CHOOSE_PIN, SignIn.WRONG, SignIn.OPEN]
    assert said == outcomes(world)
    assert [again] == list(world.node.state.sessions)


def test_page_that_is_locked_while_choosing_is_out() -> None:
    world = GalleryWorld().started()
    world.employ(ALICE)
    name = world.try_pin(CODE, is_start_code=True)

    world.node.happen(ev.SignedOut(name))
    world.node.happen(ev.PinChosen(name, PIN))

    assert [SignIn.CHOOSE_PIN, SignIn.WRONG, SignIn.WRONG] == outcomes(world)
    assert {} == dict(world.node.state.sessions)


def test_start_code_is_good_once(world: GalleryWorld) -> None:
    world.try_pin(CODE, is_start_code=True)

    assert [SignIn.CODE_SPENT] == outcomes(world)


def test_start_code_stays_spent_over_a_boot(world: GalleryWorld) -> None:
    world.node.boot()
    world.try_pin(CODE, is_start_code=True)

    assert [SignIn.CODE_SPENT] == outcomes(world)


def test_start_code_is_not_taken_for_a_pin() -> None:
    world = GalleryWorld().started()
    world.employ(ALICE)
    world.try_pin(CODE)

    assert [SignIn.NO_PIN] == outcomes(world)


def test_new_start_code_ends_the_pin_the_session_and_the_wait(world: GalleryWorld) -> None:
    session = world.try_pin()
    world.employ(ALICE, code=2)
    world.try_pin()
    world.try_pin(CODE, is_start_code=True)

    assert [SignIn.OPEN, SignIn.NO_PIN, SignIn.CHOOSE_PIN] == outcomes(world)
    assert [session] == world.node.closed[-1:]


def test_trivial_pin_is_refused_and_another_may_be_chosen() -> None:
    world = GalleryWorld().started()
    world.employ(ALICE)
    name = world.try_pin(CODE, is_start_code=True)
    world.node.happen(ev.PinChosen(name, ev.Pin("123456")))
    world.node.happen(ev.PinChosen(name, PIN))

    assert [SignIn.CHOOSE_PIN, SignIn.PIN_REFUSED, SignIn.OPEN] == outcomes(world)


def test_nobody_chooses_a_pin_without_the_start_code(world: GalleryWorld) -> None:
    world.node.happen(ev.PinChosen("invented", PIN))

    assert [SignIn.WRONG] == outcomes(world)


NO_PINS = ("", "12345", "1234567890123", "12345a", "１２３４５７")
GUESSED_FIRST = ("000000", "123456", "654321", "345678", "901234", "121212", "123123", "112233", "99999999")


@pytest.mark.parametrize("pin", [*NO_PINS, *GUESSED_FIRST])
def test_pin_that_anybody_would_try_is_refused_in_words(pin: str) -> None:
    assert why_not_pin(pin).endswith(".")


@pytest.mark.parametrize("pin", ["271828", "140789", "135790246813"])
def test_pin_that_takes_guessing_is_taken(pin: str) -> None:
    assert not why_not_pin(pin)


def test_waits_grow_to_an_hour() -> None:
    waits = [wait_ms(failures) for failures in range(FREE_TRIES + 10)]

    assert [0] * (FREE_TRIES + 1) == waits[: FREE_TRIES + 1]
    assert [30_000, 60_000, 120_000] == waits[FREE_TRIES + 1 : FREE_TRIES + 4]
    assert LONGEST_WAIT_MS == waits[-1] == wait_ms(10_000)


def test_guess_is_on_the_disk_before_it_is_compared(world: GalleryWorld) -> None:
    counted: list[int] = []
    world.node.after_each = lambda _event, effects: counted.extend(
        world.node.disk.staff[ALICE].failures for effect in effects if isinstance(effect, do.CheckSecret)
    )
    for _ in range(3):
        world.try_pin(WRONG)

    assert [1, 2, 3] == counted


def test_power_cut_before_the_answer_forgives_no_guess(world: GalleryWorld) -> None:
    world.node.are_checks_answered = False
    for _ in range(FREE_TRIES + 1):
        world.try_pin(WRONG)
        world.node.boot()
        world.node.wait(120_000)
    world.node.boot()
    world.try_pin()

    assert [SignIn.LOCKED] == outcomes(world)


def test_power_cut_while_a_guess_is_counted_compares_nothing(world: GalleryWorld) -> None:
    def cut(_effect: do.Effect) -> None:
        raise PowerCutError

    world.node.cut = cut
    world.node.checks.clear()
    with pytest.raises(PowerCutError):
        world.try_pin(WRONG)

    assert [] == world.node.checks


def test_disk_that_refuses_lets_nobody_guess(world: GalleryWorld) -> None:
    world.node.disk.is_refusing = True
    world.node.checks.clear()
    world.try_pin()
    world.try_pin()

    assert [SignIn.NOT_STORED] * 2 == outcomes(world)
    assert [] == world.node.checks


def test_locked_person_waits_and_a_right_pin_does_not_help(world: GalleryWorld) -> None:
    for _ in range(FREE_TRIES + 1):
        world.try_pin(WRONG)
    world.try_pin()
    locked = world.node.answers[-1]
    world.pass_ms(30_000)
    world.try_pin()

    assert do.AnswerSignIn(locked.attempt, SignIn.LOCKED, 30_000) == locked
    assert SignIn.OPEN is outcomes(world)[-1]


def test_restart_begins_the_wait_anew(world: GalleryWorld) -> None:
    for _ in range(FREE_TRIES + 1):
        world.try_pin(WRONG)
    world.pass_ms(29_000)
    world.node.boot()
    world.try_pin()

    assert do.AnswerSignIn("attempt 6", SignIn.LOCKED, 30_000) == world.node.answers[-1]


def test_right_pin_forgets_the_failures(world: GalleryWorld) -> None:
    for _ in range(FREE_TRIES):
        world.try_pin(WRONG)
    world.try_pin()

    assert 0 == world.node.disk.staff[ALICE].failures


def test_one_persons_lock_is_not_anothers(world: GalleryWorld) -> None:
    world.employ(ALICE, BOB)
    for _ in range(FREE_TRIES + 1):
        world.try_pin(WRONG)
    world.try_pin(CODE, BOB, is_start_code=True)

    assert SignIn.CHOOSE_PIN is outcomes(world)[-1]


def test_ten_thousand_guesses_stay_locked(world: GalleryWorld) -> None:
    world.node.checks.clear()
    for at in range(10_000):
        world.try_pin(ev.Pin(f"{at:06}"))
        world.node.now_ms += 1_000

    assert 12 == len(world.node.checks), "in the first three hours"
    assert SignIn.LOCKED is outcomes(world)[-1]


def test_two_guesses_at_once_are_not_both_compared(world: GalleryWorld) -> None:
    world.node.are_checks_answered = False
    world.node.checks.clear()
    world.try_pin(WRONG)
    world.try_pin()

    assert 1 == len(world.node.checks)
    assert [SignIn.BUSY] == outcomes(world)


def test_check_that_is_never_answered_is_given_up(world: GalleryWorld) -> None:
    world.node.are_checks_answered = False
    world.try_pin()
    world.pass_ms(60_000)

    assert [SignIn.WRONG] == outcomes(world)


def test_start_code_that_was_replaced_while_it_was_checked_opens_nothing() -> None:
    world = GalleryWorld().started()
    world.employ(ALICE)
    world.node.are_checks_answered = False
    name = world.try_pin(CODE, is_start_code=True)
    world.employ(ALICE, code=2)
    world.node.happen(ev.SecretChecked(name, is_right=True))

    assert [SignIn.WRONG] == outcomes(world)
    assert {} == dict(world.node.state.attempts)


def test_pin_that_was_ended_while_it_was_checked_opens_nothing(world: GalleryWorld) -> None:
    world.node.are_checks_answered = False
    name = world.try_pin()
    world.employ(ALICE, code=2)
    world.node.happen(ev.SecretChecked(name, is_right=True))

    assert [SignIn.WRONG] == outcomes(world)
    assert {} == dict(world.node.state.sessions)


def test_pin_chosen_with_a_code_that_was_replaced_opens_nothing() -> None:
    world = GalleryWorld().started()
    world.employ(ALICE)
    name = world.try_pin(CODE, is_start_code=True)
    world.employ(ALICE, code=2)
    world.node.happen(ev.PinChosen(name, PIN))

    assert [SignIn.CHOOSE_PIN, SignIn.WRONG] == outcomes(world)
    assert {} == dict(world.node.state.sessions)


def test_pin_that_the_disk_refuses_does_not_count_and_the_code_is_not_spent() -> None:
    world = GalleryWorld().started()
    world.employ(ALICE)
    name = world.try_pin(CODE, is_start_code=True)
    world.node.disk.is_refusing = True
    world.node.happen(ev.PinChosen(name, PIN))
    world.node.disk.is_refusing = False
    world.pass_ms(31_000)
    again = world.try_pin(CODE, is_start_code=True)
    world.node.happen(ev.PinChosen(again, PIN))

    assert [SignIn.CHOOSE_PIN, SignIn.NOT_STORED, SignIn.CHOOSE_PIN, SignIn.OPEN] == outcomes(world)


def test_person_is_written_once_for_each_change(world: GalleryWorld) -> None:
    world.node.effects.clear()
    world.try_pin()
    world.contact()

    assert [1, 0] == [one.row.failures for one in world.node.effects if isinstance(one, do.KeepStaff)]


def test_oldest_page_is_locked_when_too_many_are_open(world: GalleryWorld) -> None:
    names = [world.try_pin() for _ in range(SESSIONS_MAX + 1)]

    assert names[1:] == list(world.node.state.sessions)
    assert names[:1] == world.node.closed[-1:]


def test_answer_to_a_check_that_was_not_asked_opens_nothing(world: GalleryWorld) -> None:
    world.node.happen(ev.SecretChecked("invented", is_right=True))

    assert {} == dict(world.node.state.sessions)


def test_page_that_nobody_touches_locks(world: GalleryWorld) -> None:
    name = world.try_pin()
    world.pass_ms(299_000)
    world.node.happen(ev.SessionUsed(name))
    world.pass_ms(299_000)
    still = name in world.node.state.sessions
    world.pass_ms(1_000)

    assert still
    assert [name] == world.node.closed[-1:]
    assert {} == dict(world.node.state.sessions)


def test_page_locks_after_a_shift_however_often_it_is_touched(world: GalleryWorld) -> None:
    name = world.try_pin()
    for _ in range(12 * 60):
        world.pass_ms(60_000)
        world.node.happen(ev.SessionUsed(name))

    assert name not in world.node.state.sessions


def test_boot_signs_everybody_out(world: GalleryWorld) -> None:
    world.try_pin()
    world.node.boot()

    assert {} == dict(world.node.state.sessions)


def test_person_whom_the_office_removed_is_out_at_once(world: GalleryWorld) -> None:
    name = world.try_pin()
    world.employ(BOB)
    world.try_pin()

    assert [name] == world.node.closed[-1:]
    assert SignIn.WRONG is outcomes(world)[-1]
    assert {BOB} == world.node.disk.staff.keys()
    assert {} == world.node.disk.pins


def test_person_removed_while_guessing_is_refused(world: GalleryWorld) -> None:
    world.node.are_checks_answered = False
    name = world.try_pin()
    world.employ(BOB)
    world.node.happen(ev.SecretChecked(name, is_right=True))

    assert [SignIn.WRONG] == outcomes(world)
    assert {} == dict(world.node.state.sessions)


def test_pin_never_stands_in_a_log() -> None:
    assert "271828" not in repr(ev.SignInAsked("a", ALICE, PIN))
