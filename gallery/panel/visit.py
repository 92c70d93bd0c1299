"""A visit to the gallery by the unit's own panel: four keys, a few words, and a small picture.

Pure: keys and answers go in, a face and at most one order come out. ▲ changes what is chosen, ► goes on, ● does it, and
*back* goes a step back. Nobody is shown before somebody has signed in with a PIN, and every person is a view of its own
in the log. What is on the panel is a prompt to look at the page, never an identification.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from enum import StrEnum
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from gallery.core.effects import AnswerSignIn, NotShown, SignIn
from gallery.core.readable import Why
from gallery.core.staff import DIGITS_MAX, DIGITS_MIN
from gallery.panel.fitting import LINE_CHARS_MAX, Fitting, fingerprint_words, place_words

BESIDE_CHARS_MAX: Final = 10
"""Of a line beside a picture."""
HEADLINE_CHARS_MAX: Final = 16
"""Above eight the node sets it smaller."""
_DIGITS_SHOWN: Final = 7
_MS_PER_S: Final = 1_000
_OFF: Final = {
    Why.STARTING: "Starting: wait",
    Why.CLOCK_BEHIND: "Clock is wrong",
    Why.CLOCK_UNKNOWN: "No clock, no network",
    Why.NO_CONTACT: "No contact for long",
    Why.SCHEME_LEFT: "Not in the scheme",
}
"""Why the whole gallery is off, in a line; the page says it in full."""
_NOT_SHOWN: Final[dict[Why | NotShown, str]] = {
    Why.WITHDRAWN: "Ban lifted or changed",
    Why.OVER: "This ban is over",
    Why.OVER_UNPROVEN: "This ban is over",
    Why.ON_ITS_WAY: "Still being fetched",
    NotShown.LOG_FULL: "No contact for long",
    NotShown.NOT_LOGGED: "Memory card is full",
    NotShown.BUSY: "Try again",
}
"""The same of one person."""


class Key(StrEnum):
    """By its purpose; which button it is, the unit's profile says."""

    UP = "up"
    NEXT = "next"
    PRESS = "press"
    BACK = "back"


class Colleague(Struct, frozen=True):
    """Somebody who may sign in, and has a PIN."""

    person: int
    name: str


class Banned(Struct, frozen=True):
    """Somebody who may be shown now.

    Attributes:
        scheme, case: of the ban.
        since: number of the gallery with which it became what it is.
        reference: ``HART-0042``.
        name: empty = not known.
        last_day: until when.
    """

    scheme: int
    case: int
    since: int
    reference: str
    name: str
    last_day: date


class Listed(Struct, frozen=True):
    """What there is at this moment.

    Attributes:
        off: why nothing is shown; ``None`` = it is on.
        staff: who may sign in with a PIN, by name.
        people: who may be shown, newest first.
    """

    off: Why | None = None
    staff: tuple[Colleague, ...] = ()
    people: tuple[Banned, ...] = ()


class Step(StrEnum):
    """Where a visit has come to."""

    LOCKED = "locked"
    FITTING = "fitting"
    COMPARING = "comparing"
    NAMES = "names"
    PIN = "pin"
    CHECKING = "checking"
    REFUSED = "refused"
    PEOPLE = "people"
    DETAILS = "details"
    NOTE = "note"
    OVER = "over"


_BY_NAME: Final = frozenset({Step.NAMES, Step.PIN, Step.CHECKING, Step.REFUSED})
"""Where the visit is somebody's, by their place in the list."""


class Visit(Struct, frozen=True):
    """One visit.

    Attributes:
        listed: what there is.
        fitting: how a tablet is fitted.
        step: where it has come to.
        at: which of the staff, or of the people.
        digits: of the PIN, those that are done.
        digit: the one that is being chosen; ``None`` = not yet.
        note: what is said instead, in two lines.
        record: number of the view's record that is shown; 0 = it is not on the disk yet.
        has_picture: there is a photograph to it.
    """

    listed: Listed
    fitting: Fitting = Fitting()
    step: Step = Step.LOCKED
    at: int = 0
    digits: str = ""
    digit: int | None = None
    note: tuple[str, str] = ("", "")
    record: int = 0
    has_picture: bool = False

    def __repr__(self) -> str:
        return f"Visit({self.step})"


class SignInWith(Struct, frozen=True):
    """Try this PIN."""

    person: int
    pin: str

    def __repr__(self) -> str:
        return f"SignInWith({self.person}, …)"


class Look(Struct, frozen=True):
    """Write down a view of this person, as they became with this gallery, and show them."""

    scheme: int
    case: int
    since: int


class Leave(Struct, frozen=True):
    """The visit is over: sign out."""


Order = SignInWith | Look | Leave


class Face(Struct, frozen=True):
    """What the panel shows.

    Attributes:
        headline: at most sixteen characters, or two words.
        lines: two of at most 21 characters; beside a picture four of at most ten, and no headline.
        has_picture: the person's photograph belongs on the left.
    """

    headline: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()
    has_picture: bool = False


def begin(listed: Listed, fitting: Fitting = Fitting()) -> Visit:  # noqa: B008 - frozen
    """Somebody pressed ▲ while nothing else was on the panel."""
    return Visit(listed, fitting)


def press(visit: Visit, key: Key) -> tuple[Visit, Order | None]:
    """A key went down."""
    match visit.step:
        case Step.LOCKED:
            return _left_locked(visit, key)
        case Step.NAMES:
            return _names(visit, key)
        case Step.PIN:
            return _pin(visit, key)
        case Step.REFUSED | Step.FITTING | Step.COMPARING:
            return _read(visit, key), None
        case Step.PEOPLE | Step.DETAILS | Step.NOTE:
            return _people(visit, key)
        case Step.CHECKING | Step.OVER:
            return visit, None


def answered(visit: Visit, answer: AnswerSignIn) -> tuple[Visit, Order | None]:
    """What came of the PIN."""
    if visit.step is not Step.CHECKING:
        return visit, None
    if answer.outcome is SignIn.OPEN:
        return _look(replace(visit, at=0))
    is_listed = visit.at < len(visit.listed.staff)
    return replace(visit, step=Step.REFUSED if is_listed else Step.LOCKED, note=_refusal(answer)), None


def looked(visit: Visit, look: Look, record: int, *, has_picture: bool = True) -> Visit:
    """The view is on the disk, with this number. Of one that a key has overtaken nothing is shown."""
    if visit.step is not Step.PEOPLE or shown(visit) != look:
        return visit
    return replace(visit, record=record, has_picture=has_picture)


def refused(visit: Visit, look: Look, why: Why | NotShown) -> Visit:
    """Nothing is shown, and why."""
    if visit.step is not Step.PEOPLE or shown(visit) != look:
        return visit
    return replace(visit, step=Step.NOTE, note=(_NOT_SHOWN.get(why, "Not shown"), "More on the page"))


def relisted(visit: Visit, listed: Listed) -> tuple[Visit, Order | None]:
    """What may be read has changed: whoever is gone is off the panel at once."""
    now = replace(visit, listed=listed)
    if visit.step in _BY_NAME and listed.staff != visit.listed.staff:
        # Whoever is typing must not go on under another's name.
        step = Step.CHECKING if visit.step is Step.CHECKING else Step.LOCKED
        return replace(now, step=step, at=0, digits="", digit=None), None
    if visit.step not in (Step.PEOPLE, Step.DETAILS, Step.NOTE):
        return now, None
    if listed.off is not None:
        return replace(now, step=Step.LOCKED, record=0), Leave()
    before = shown(visit)
    for at, one in enumerate(listed.people):
        if before is not None and (one.scheme, one.case) == (before.scheme, before.case):
            moved = replace(now, at=at)
            # A corrected photograph is another look.
            return (moved, None) if one.since == before.since else _look(moved)
    return _look(replace(now, at=min(visit.at, max(0, len(listed.people) - 1))))


def closed(visit: Visit) -> Visit:
    """The session has ended: nothing of a face stays."""
    return replace(visit, step=Step.OVER, record=0, digits="", digit=None)


def shown(visit: Visit) -> Look | None:
    """Of whom it is; ``None`` = of nobody. Asked at the steps that show persons."""
    people: Sequence[Banned] = visit.listed.people
    if visit.at >= len(people):
        return None
    one = people[visit.at]
    return Look(one.scheme, one.case, one.since)


def face(visit: Visit) -> Face:
    """What the panel shows now."""
    return _FACES[visit.step](visit)


def _names_face(visit: Visit) -> Face:
    return Face(("WHO?",), (visit.listed.staff[visit.at].name[:LINE_CHARS_MAX], "▲another   ►this one"))


def _pin_face(visit: Visit) -> Face:
    now = "_" if visit.digit is None else str(visit.digit)
    done = "*" * min(len(visit.digits), _DIGITS_SHOWN)
    return Face((done + now,), (visit.listed.staff[visit.at].name[:LINE_CHARS_MAX], "▲digit ►next ●done"))


def _details_face(visit: Visit) -> Face:
    person = visit.listed.people[visit.at]
    name = (person.name or "Name not known")[:LINE_CHARS_MAX]
    return Face((person.reference[-HEADLINE_CHARS_MAX:],), (name, f"Banned to {person.last_day:%d %b %Y}"))


def _note_face(visit: Visit) -> Face:
    return Face(("SORRY",) if visit.listed.people else ("NOBODY",), visit.note)


def _locked_face(visit: Visit) -> Face:
    listed = visit.listed
    if listed.off is not None:
        return Face(("GALLERY", "OFF"), ("", _OFF.get(listed.off, "See the page")))
    count = len(listed.people)
    people = f"Gallery: {count} {'person' if count == 1 else 'people'}"
    if not listed.staff:
        return Face(("LOCKED",), ("Choose a PIN: page", "▲fit a tablet"))
    return Face(("LOCKED",), (people, "►sign in  ▲fit tablet"))


def _person_face(visit: Visit) -> Face:
    if not visit.record:
        return Face(("WAIT",), ("", ""))
    person = visit.listed.people[visit.at]
    if not visit.has_picture:
        return _details_face(visit)
    view = f"View {visit.record}"[:BESIDE_CHARS_MAX]
    lines = (person.reference[-BESIDE_CHARS_MAX:], "Banned to", f"{person.last_day:%d %b %y}", view)
    return Face((), lines, has_picture=True)


def _read(visit: Visit, key: Key) -> Visit:
    """They have read it. How a tablet is fitted anybody may read: nothing of it is a secret."""
    if visit.step is Step.REFUSED:
        return replace(visit, step=Step.PIN, digits="", digit=None)
    is_over = key is Key.BACK or visit.step is Step.COMPARING or not visit.fitting.can_begin
    return replace(visit, step=Step.LOCKED if is_over else Step.COMPARING)


def _left_locked(visit: Visit, key: Key) -> tuple[Visit, Order | None]:
    if key is Key.UP:
        return replace(visit, step=Step.FITTING), None
    if key is Key.BACK or visit.listed.off is not None or not visit.listed.staff:
        return closed(visit), Leave()
    step = Step.NAMES if len(visit.listed.staff) > 1 else Step.PIN
    return replace(visit, step=step, at=0, digits="", digit=None), None


def _names(visit: Visit, key: Key) -> tuple[Visit, Order | None]:
    if key is Key.BACK:
        return closed(visit), Leave()
    if key is Key.UP:
        return replace(visit, at=(visit.at + 1) % len(visit.listed.staff)), None
    return replace(visit, step=Step.PIN, digits="", digit=None), None


def _pin(visit: Visit, key: Key) -> tuple[Visit, Order | None]:
    if key is Key.UP:
        return replace(visit, digit=0 if visit.digit is None else (visit.digit + 1) % 10), None
    if key is Key.BACK:
        return _without_a_digit(visit), None
    digits = visit.digits + ("" if visit.digit is None else str(visit.digit))
    if key is Key.NEXT:
        return replace(visit, digits=digits[:DIGITS_MAX], digit=None), None
    if len(digits) < DIGITS_MIN:
        return visit, None
    person = visit.listed.staff[visit.at].person
    return replace(visit, step=Step.CHECKING, digits="", digit=None), SignInWith(person, digits)


def _without_a_digit(visit: Visit) -> Visit:
    if visit.digit is not None:
        return replace(visit, digit=None)
    return replace(visit, digits=visit.digits[:-1]) if visit.digits else replace(visit, step=Step.LOCKED)


def _people(visit: Visit, key: Key) -> tuple[Visit, Order | None]:
    if key is Key.BACK:
        return (replace(visit, step=Step.PEOPLE), None) if visit.step is Step.DETAILS else (closed(visit), Leave())
    if not visit.listed.people:
        return closed(visit), Leave()
    if key is Key.PRESS:
        step = Step.DETAILS if visit.step is Step.PEOPLE and visit.record else Step.PEOPLE
        return (replace(visit, step=step), None) if visit.step is not Step.NOTE else (visit, None)
    step_by = 1 if key is Key.NEXT else -1
    return _look(replace(visit, at=(visit.at + step_by) % len(visit.listed.people)))


def _look(visit: Visit) -> tuple[Visit, Order | None]:
    if not visit.listed.people:
        return replace(visit, step=Step.NOTE, at=0, record=0, note=("Nobody is banned here", "")), None
    now = replace(visit, step=Step.PEOPLE, record=0)
    return now, shown(now)


def _refusal(answer: AnswerSignIn) -> tuple[str, str]:
    match answer.outcome:
        case SignIn.WRONG:
            return "Wrong PIN", _wait(answer.wait_ms)
        case SignIn.LOCKED:
            return "Too many wrong PINs", _wait(answer.wait_ms)
        case SignIn.NO_PIN | SignIn.CODE_SPENT | SignIn.CHOOSE_PIN:
            return "Choose a PIN first", "on the shop's page"
        case SignIn.NOT_STORED:
            return "Memory card is full", "Call the engineer"
        case _:
            return "Try again", ""


def _wait(wait_ms: int) -> str:
    if not wait_ms:
        return "Try again"
    seconds = -(-wait_ms // _MS_PER_S)
    return f"Wait {seconds} s" if seconds < 2 * 60 else f"Wait {-(-seconds // 60)} min"


_FACES: Final[dict[Step, Callable[[Visit], Face]]] = {
    Step.LOCKED: _locked_face,
    Step.FITTING: lambda visit: Face(*place_words(visit.fitting)),
    Step.COMPARING: lambda visit: Face(*fingerprint_words(visit.fitting)),
    Step.NAMES: _names_face,
    Step.PIN: _pin_face,
    Step.CHECKING: lambda _visit: Face(("WAIT",), ("Checking your PIN", "")),
    Step.REFUSED: lambda visit: Face(("SORRY",), visit.note),
    Step.PEOPLE: _person_face,
    Step.DETAILS: _details_face,
    Step.NOTE: _note_face,
    Step.OVER: lambda _visit: Face(),
}
