"""G5: the gallery on the unit's own panel, by four keys."""

from __future__ import annotations

from datetime import date

import pytest
from msgspec.structs import replace

from gallery.core.effects import AnswerSignIn, SignIn
from gallery.core.readable import WHOLE, Why
from gallery.panel.fitting import LINE_CHARS_MAX
from gallery.panel.visit import (
    BESIDE_CHARS_MAX,
    HEADLINE_CHARS_MAX,
    Banned,
    Colleague,
    Face,
    Key,
    Leave,
    Listed,
    Look,
    Order,
    SignInWith,
    Step,
    Visit,
    answered,
    begin,
    closed,
    face,
    looked,
    press,
    refused,
    relisted,
)

ANN, BOB = Colleague(4, "Ann Other"), Colleague(5, "Bob Nobody")
FIRST = Banned(1, 17, 1, "HART-0042", "Nobody Atall", date(2027, 11, 3))
SECOND = Banned(1, 9, 1, "HART-0007", "", date(2027, 1, 31))
LISTED = Listed(staff=(ANN, BOB), people=(FIRST, SECOND))
OPEN = AnswerSignIn("attempt", SignIn.OPEN)
UP, NEXT, PRESS, BACK = Key.UP, Key.NEXT, Key.PRESS, Key.BACK


def pressed(visit: Visit, *keys: Key) -> tuple[Visit, Order | None]:
    """The last order of these keys."""
    order = None
    for key in keys:
        visit, order = press(visit, key)
    return visit, order


def digit(number: int) -> tuple[Key, ...]:
    """Keys that choose it."""
    return (*(UP,) * (number + 1), NEXT)


def typed(pin: str) -> tuple[Key, ...]:
    return tuple(key for one in pin for key in digit(int(one)))


def signed_in(listed: Listed = LISTED) -> tuple[Visit, Order | None]:
    visit, _ = pressed(begin(listed), NEXT, NEXT, *typed("280341"), PRESS)
    return answered(visit, OPEN)


def looking(listed: Listed = LISTED) -> Visit:
    visit, order = signed_in(listed)
    assert isinstance(order, Look)
    return looked(visit, order, 1234)


def test_nobody_is_named_before_a_pin_was_right() -> None:
    visit = begin(LISTED)
    seen = [face(visit)]
    for key in (NEXT, UP, NEXT, *typed("280341"), PRESS):
        visit, _ = press(visit, key)
        seen.append(face(visit))

    text = str(seen)
    assert not any(secret in text for secret in ("HART", "Nobody Atall", "2027", "280341"))
    assert not any(one.has_picture for one in seen)


def test_pin_is_typed_by_two_keys_and_goes_to_whom_it_was_typed_for() -> None:
    visit, order = pressed(begin(LISTED), NEXT, UP, NEXT, *typed("280341"), PRESS)

    assert SignInWith(BOB.person, "280341") == order
    assert Step.CHECKING is visit.step
    assert "280341" not in repr(order) + repr(visit)


def test_digit_that_is_being_chosen_counts_when_the_pin_is_done() -> None:
    """Whoever has chosen the last digit presses *done*, and not *next* first."""
    _, order = pressed(begin(LISTED), NEXT, NEXT, *typed("28034")[:], UP, UP, PRESS)

    assert SignInWith(ANN.person, "280341") == order


def test_short_pin_is_not_tried() -> None:
    visit, order = pressed(begin(LISTED), NEXT, NEXT, *typed("12345"), PRESS)

    assert (Step.PIN, None) == (visit.step, order)


def test_back_takes_a_digit_away_and_then_locks() -> None:
    visit, _ = pressed(begin(LISTED), NEXT, NEXT, *typed("28"), UP, BACK, BACK)
    assert Face(("*_",), ("Ann Other", "▲digit ►next ●done")) == face(visit)

    visit, _ = pressed(visit, BACK, BACK)
    assert Step.LOCKED is visit.step


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (AnswerSignIn("a", SignIn.WRONG), ("Wrong PIN", "Try again")),
        (AnswerSignIn("a", SignIn.LOCKED, wait_ms=29_001), ("Too many wrong PINs", "Wait 30 s")),
        (AnswerSignIn("a", SignIn.LOCKED, wait_ms=3_600_000), ("Too many wrong PINs", "Wait 60 min")),
        (AnswerSignIn("a", SignIn.NO_PIN), ("Choose a PIN first", "on the shop's page")),
        (AnswerSignIn("a", SignIn.NOT_STORED), ("Memory card is full", "Call the engineer")),
        (AnswerSignIn("a", SignIn.BUSY), ("Try again", "")),
    ],
    ids=["wrong", "locked", "locked-for-long", "no-pin", "not-stored", "busy"],
)
def test_refused_pin_says_why_and_begins_anew(answer: AnswerSignIn, expected: tuple[str, str]) -> None:
    visit, _ = pressed(begin(LISTED), NEXT, NEXT, *typed("280341"), PRESS)
    visit, order = answered(visit, answer)

    assert (Face(("SORRY",), expected), None) == (face(visit), order)
    visit, _ = press(visit, NEXT)
    assert (Step.PIN, "") == (visit.step, visit.digits)


def test_person_is_shown_once_the_view_is_on_the_disk() -> None:
    visit, order = signed_in()
    assert Look(1, 17, 1) == order
    assert not face(visit).has_picture

    visit = looked(visit, Look(1, 17, 1), 1234)

    assert Face((), ("HART-0042", "Banned to", "03 Nov 27", "View 1234"), has_picture=True) == face(visit)


def test_view_that_was_overtaken_by_a_key_shows_nobody() -> None:
    """Its picture must never stand beside the next one's reference."""
    visit, order = press(looking(), NEXT)
    assert Look(1, 9, 1) == order

    assert not face(looked(visit, Look(1, 17, 1), 1235)).has_picture


def test_each_person_is_a_view_and_they_go_round() -> None:
    visit, order = pressed(looking(), NEXT)
    assert Look(1, 9, 1) == order

    visit, order = press(looked(visit, Look(1, 9, 1), 2), NEXT)
    assert Look(1, 17, 1) == order
    _, order = press(looked(visit, Look(1, 17, 1), 3), UP)
    assert Look(1, 9, 1) == order


def test_details_say_the_name_without_the_photograph() -> None:
    visit, _ = press(looking(), PRESS)

    assert Face(("HART-0042",), ("Nobody Atall", "Banned to 03 Nov 2027")) == face(visit)
    visit, order = press(visit, BACK)
    assert (True, None) == (face(visit).has_picture, order)


@pytest.mark.parametrize("keys", [(NEXT, UP), (NEXT, UP, NEXT, *typed("28"))], ids=["names", "pin"])
def test_nobody_goes_on_under_anothers_name_when_the_list_changes(keys: tuple[Key, ...]) -> None:
    visit, _ = pressed(begin(LISTED), *keys)

    visit, _ = relisted(visit, replace(LISTED, staff=(Colleague(6, "Cy Newcomer"), ANN, BOB)))

    assert (Step.LOCKED, "", None) == (visit.step, visit.digits, visit.digit)


def test_last_colleague_taken_off_while_their_pin_is_checked_locks() -> None:
    visit, _ = pressed(begin(LISTED), NEXT, NEXT, *typed("280341"), PRESS)
    visit, _ = relisted(visit, replace(LISTED, staff=()))

    visit, order = answered(visit, AnswerSignIn("a", SignIn.WRONG))

    assert (Step.LOCKED, None) == (visit.step, order)


def test_refused_view_says_why() -> None:
    visit, order = signed_in()
    assert isinstance(order, Look)

    assert Face(("SORRY",), ("This ban is over", "More on the page")) == face(refused(visit, order, Why.OVER))
    assert Face(("SORRY",), ("Not shown", "More on the page")) == face(refused(visit, order, Why.UNOPENED))


def test_person_without_a_photograph_is_named() -> None:
    visit, order = signed_in()
    assert isinstance(order, Look)

    visit = looked(visit, order, 1234, has_picture=False)

    assert Face(("HART-0042",), ("Nobody Atall", "Banned to 03 Nov 2027")) == face(visit)


def test_whoever_is_lifted_is_off_the_panel_at_once() -> None:
    visit, order = relisted(looking(), replace(LISTED, people=(SECOND,)))

    assert Look(1, 9, 1) == order
    assert "HART-0042" not in str(face(visit))


def test_last_one_lifted_leaves_nobody() -> None:
    visit, order = relisted(looking(), replace(LISTED, people=()))

    assert (Face(("NOBODY",), ("Nobody is banned here", "")), None) == (face(visit), order)


def test_who_stays_stays_where_others_come_and_go() -> None:
    newer = Banned(1, 20, 1, "HART-0050", "", date(2027, 5, 5))
    visit, order = relisted(looking(), replace(LISTED, people=(newer, *LISTED.people)))

    assert (True, None) == (face(visit).has_picture, order)
    assert "HART-0042" in face(visit).lines


def test_ban_that_was_corrected_is_another_look() -> None:
    corrected = replace(FIRST, since=2)
    visit, order = relisted(looking(), replace(LISTED, people=(SECOND, corrected)))

    assert (False, Look(1, 17, 2)) == (face(visit).has_picture, order)
    assert not face(looked(visit, Look(1, 17, 1), 1235)).has_picture
    assert face(looked(visit, Look(1, 17, 2), 1235)).has_picture


def test_gallery_that_goes_off_takes_the_face_away_and_signs_out() -> None:
    visit, order = relisted(looking(), Listed(Why.NO_CONTACT))

    assert (Face(("GALLERY", "OFF"), ("", "No contact for long")), Leave()) == (face(visit), order)


def test_end_leaves_nothing() -> None:
    assert Face() == face(closed(looking()))


@pytest.mark.parametrize("why", sorted(WHOLE))
def test_gallery_that_is_off_says_why_in_a_line(why: Why) -> None:
    said = face(begin(Listed(why))).lines[1]

    assert "See the page" != said
    assert len(said) <= LINE_CHARS_MAX


def test_every_face_fits_its_panel() -> None:
    long = Banned(1, 3, 1, "A-TOWN-WITH-A-LONG-NAME-0123456789", "N" * 120, date(2027, 9, 30))
    listed = Listed(staff=(Colleague(1, "N" * 120), ANN), people=(long,))
    visit, seen = begin(listed), []
    for key in (NEXT, UP, UP, NEXT, *typed("280341280341")):
        visit, _ = press(visit, key)
        seen.append(face(visit))
    visit, _ = answered(press(visit, PRESS)[0], OPEN)
    visit = looked(visit, Look(1, 3, 1), 10**9)
    seen += [face(visit), face(press(visit, PRESS)[0])]

    for one in seen:
        width = BESIDE_CHARS_MAX if one.has_picture else LINE_CHARS_MAX
        assert all(len(line) <= width for line in one.lines), one
        assert all(len(word) <= HEADLINE_CHARS_MAX for word in one.headline), one


def test_nobody_with_a_pin_is_sent_to_the_page() -> None:
    assert Face(("LOCKED",), ("Choose a PIN: page", "▲fit a tablet")) == face(begin(Listed(people=(FIRST,))))
