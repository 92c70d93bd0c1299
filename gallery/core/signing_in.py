"""Signing in at the in-shop page, being locked out, choosing a PIN, and being locked again.

A guess is a failure on the disk before it is compared with anything: a power cut in the middle of it frees nobody.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import MappingProxyType
from typing import Final

from msgspec.structs import replace

from gallery.core.effects import (
    AnswerSignIn,
    CheckSecret,
    CloseSession,
    DestroyStaff,
    KeepStaff,
    KeepVerifier,
    SignIn,
)
from gallery.core.events import PinChosen, SecretChecked, SessionUsed, SignedOut, SignInAsked, Started
from gallery.core.staff import StaffRow, StaffTold, wait_ms, why_not_pin
from gallery.core.state import Attempt, Phase, Session, State
from gallery.core.turn import Turn, with_key, without

ATTEMPTS_MAX: Final = 64
SESSIONS_MAX: Final = 32


def started(turn: Turn, event: Started) -> None:
    """Everybody on the disk; whoever was to wait, waits from now on."""
    state = turn.state
    state.staff = state.staff_disk = MappingProxyType({row.person: row for row in event.staff})
    state.locked_ms = MappingProxyType({row.person: turn.now_ms + wait_ms(row.failures) for row in event.staff})


def told(turn: Turn, staff: tuple[StaffTold, ...]) -> None:
    """The office's list: whoever is not on it is out at once; a new start code ends the PIN and the wait."""
    state = turn.state
    listed: dict[int, StaffRow] = {}
    for person in staff:
        row = state.staff.get(person.person, StaffRow(person))
        if person.code > row.told.code:
            row = replace(row, failures=0)
            state.locked_ms = without(state.locked_ms, person.person)
        listed[person.person] = replace(row, told=person)
    state.staff = MappingProxyType(listed)
    for name, session in state.sessions.items():
        known = listed.get(session.person)
        if known is None or not known.may_use_pin:
            _close(turn, name)
    for name, attempt in state.attempts.items():
        if attempt.person not in listed:
            _answer(turn, name, SignIn.WRONG)


def asked(turn: Turn, event: SignInAsked) -> None:
    """Somebody typed a PIN or a start code."""
    state = turn.state
    row = state.staff.get(event.person)
    refused = _refusal(turn, event, row)
    if refused is not None or row is None:
        outcome, left_ms = refused or (SignIn.WRONG, 0)
        turn.order(AnswerSignIn(event.attempt, outcome, left_ms))
        return
    row = replace(row, failures=row.failures + 1)
    state.staff = with_key(state.staff, row.person, row)
    state.locked_ms = with_key(state.locked_ms, row.person, turn.now_ms + wait_ms(row.failures))
    code = row.told.code if event.is_start_code else 0
    attempt = Attempt(row.person, Phase.COUNTING, event.secret, row.failures, code, turn.now_ms)
    state.attempts = with_key(state.attempts, event.attempt, attempt)


def _refusal(turn: Turn, event: SignInAsked, row: StaffRow | None) -> tuple[SignIn, int] | None:
    """Why it is not even compared, and how long that lasts."""
    state = turn.state
    left_ms = state.locked_ms.get(event.person, 0) - turn.now_ms
    # Whoever has gone away while they chose a PIN holds up nobody who types the code again.
    is_under_way = any(
        attempt.person == event.person and attempt.phase is not Phase.CHOOSING for attempt in state.attempts.values()
    )
    refusals = (
        (row is None, SignIn.WRONG),
        (left_ms > 0, SignIn.LOCKED),
        (not state.may_store, SignIn.NOT_STORED),
        (is_under_way or len(state.attempts) >= ATTEMPTS_MAX or event.attempt in state.sessions, SignIn.BUSY),
        (row is not None and event.is_start_code and not row.has_code, SignIn.CODE_SPENT),
        (row is not None and not event.is_start_code and not row.may_use_pin, SignIn.NO_PIN),
    )
    refused = next((outcome for applies, outcome in refusals if applies), None)
    return None if refused is None else (refused, left_ms if refused is SignIn.LOCKED else 0)


def checked(turn: Turn, event: SecretChecked) -> None:
    """The verifier has compared."""
    state = turn.state
    attempt = state.attempts.get(event.attempt)
    if attempt is None or attempt.phase is not Phase.CHECKING:
        return
    row = state.staff[attempt.person]
    if not event.is_right:
        _answer(turn, event.attempt, SignIn.WRONG, wait_ms(row.failures))
        turn.fact("sign_in_wrong", person=str(row.person), failures=str(row.failures))
        return
    state.staff = with_key(state.staff, row.person, replace(row, failures=0))
    state.locked_ms = without(state.locked_ms, row.person)
    if attempt.code == 0 and row.may_use_pin:
        _open(turn, event.attempt, row.person)
    elif attempt.code and attempt.code == row.told.code:
        for name, other in state.attempts.items():
            if other.person == row.person and other.phase is Phase.CHOOSING:
                _answer(turn, name, SignIn.WRONG)
        choosing = replace(attempt, phase=Phase.CHOOSING, since_ms=turn.now_ms)
        state.attempts = with_key(state.attempts, event.attempt, choosing)
        turn.order(AnswerSignIn(event.attempt, SignIn.CHOOSE_PIN))
    else:
        # The office has given another start code since it was typed.
        _answer(turn, event.attempt, SignIn.WRONG)


def pin_chosen(turn: Turn, event: PinChosen) -> None:
    """Whoever gave the start code chose a PIN."""
    attempt = turn.state.attempts.get(event.attempt)
    if attempt is None or attempt.phase is not Phase.CHOOSING:
        turn.order(AnswerSignIn(event.attempt, SignIn.WRONG))
        return
    why_not = why_not_pin(event.pin.text)
    if why_not:
        turn.order(AnswerSignIn(event.attempt, SignIn.PIN_REFUSED, text=why_not))
        return
    keeping = replace(attempt, phase=Phase.KEEPING, secret=event.pin, since_ms=turn.now_ms)
    turn.state.attempts = with_key(turn.state.attempts, event.attempt, keeping)


def used(turn: Turn, event: SessionUsed) -> None:
    """The page was touched."""
    session = turn.state.sessions.get(event.session)
    if session is not None and turn.now_ms < session.ends_ms:
        touched = replace(session, used_ms=turn.now_ms)
        turn.state.sessions = with_key(turn.state.sessions, event.session, touched)


def signed_out(turn: Turn, event: SignedOut) -> None:
    """They left."""
    attempt = turn.state.attempts.get(event.session)
    if event.session in turn.state.sessions:
        _close(turn, event.session)
    elif attempt is not None and attempt.phase is Phase.CHOOSING:
        _answer(turn, event.session, SignIn.WRONG)


def row_kept(turn: Turn, row: StaffRow, *, is_done: bool) -> None:
    """A person's row is on the disk, or not."""
    state = turn.state
    state.staff_busy -= {row.person}
    if is_done:
        state.staff_disk = with_key(state.staff_disk, row.person, row)
    for name, attempt in state.attempts.items():
        if attempt.person != row.person or attempt.phase is not Phase.COUNTING or attempt.secret is None:
            continue
        if not is_done:
            _answer(turn, name, SignIn.NOT_STORED)
        elif row.failures >= attempt.failures:
            state.attempts = with_key(state.attempts, name, replace(attempt, phase=Phase.CHECKING, secret=None))
            turn.order(CheckSecret(name, attempt.person, attempt.secret, is_start_code=attempt.code > 0))


def verifier_kept(turn: Turn, row: StaffRow, *, is_done: bool) -> None:
    """The PIN counts from now on, and the start code no more; or nothing has changed."""
    state = turn.state
    state.staff_busy -= {row.person}
    if is_done:
        state.staff_disk = with_key(state.staff_disk, row.person, row)
        if row.person in state.staff:
            now = replace(state.staff[row.person], spent=row.spent, has_pin=True)
            state.staff = with_key(state.staff, row.person, now)
    for name, attempt in state.attempts.items():
        if attempt.person == row.person and attempt.phase is Phase.KEEPING:
            if not is_done:
                _answer(turn, name, SignIn.NOT_STORED)
            elif state.staff[row.person].may_use_pin:
                _open(turn, name, row.person)
            else:
                _answer(turn, name, SignIn.WRONG)


def destroyed(turn: Turn, person: int, *, is_done: bool) -> None:
    """A person's row and verifier are gone, or not."""
    turn.state.staff_busy -= {person}
    if is_done:
        turn.state.staff_disk = without(turn.state.staff_disk, person)


def settle(turn: Turn) -> None:
    """Lock what nobody touched, and have the disk know what must be known of everybody."""
    state = turn.state
    for name, session in state.sessions.items():
        if turn.now_ms >= session.ends_ms:
            _close(turn, name)
    for name, attempt in state.attempts.items():
        if turn.now_ms >= attempt.ends_ms:
            _answer(turn, name, SignIn.WRONG)
    if state.may_store and state.staff is not state.staff_disk:
        _settle_disk(turn)


def _settle_disk(turn: Turn) -> None:
    state = turn.state
    for person in state.staff_disk.keys() - state.staff.keys() - state.staff_busy:
        state.staff_busy |= {person}
        turn.store(lambda ticket, person=person: DestroyStaff(ticket, person))  # type: ignore[misc]
    for name, attempt in state.attempts.items():
        if attempt.phase is Phase.KEEPING and not attempt.is_ordered and attempt.person not in state.staff_busy:
            _keep_verifier(turn, name, attempt)
    for row in state.staff.values():
        if row.person not in state.staff_busy and state.staff_disk.get(row.person) != row:
            state.staff_busy |= {row.person}
            turn.store(lambda ticket, row=row: KeepStaff(ticket, row))  # type: ignore[misc]


def _keep_verifier(turn: Turn, name: str, attempt: Attempt) -> None:
    state, pin = turn.state, attempt.secret
    if pin is None:
        return
    row = replace(state.staff[attempt.person], spent=attempt.code, failures=0, has_pin=True)
    state.staff_busy |= {attempt.person}
    state.attempts = with_key(state.attempts, name, replace(attempt, is_ordered=True, secret=None))
    turn.store(lambda ticket: KeepVerifier(ticket, row, pin))


def deadlines(state: State) -> Iterator[int]:
    """When something locks, or is no longer waited for."""
    for session in state.sessions.values():
        yield session.ends_ms
    for attempt in state.attempts.values():
        yield attempt.ends_ms


def _open(turn: Turn, name: str, person: int) -> None:
    state = turn.state
    oldest = sorted(state.sessions, key=lambda one: state.sessions[one].used_ms)
    for one in oldest[: max(0, len(oldest) - SESSIONS_MAX + 1)]:
        _close(turn, one)
    state.attempts = without(state.attempts, name)
    state.sessions = with_key(state.sessions, name, Session(person, turn.now_ms, turn.now_ms))
    turn.order(AnswerSignIn(name, SignIn.OPEN))
    turn.fact("signed_in", person=str(person))


def _close(turn: Turn, name: str) -> None:
    turn.state.sessions = without(turn.state.sessions, name)
    turn.order(CloseSession(name))


def _answer(turn: Turn, name: str, outcome: SignIn, left_ms: int = 0) -> None:
    turn.state.attempts = without(turn.state.attempts, name)
    turn.order(AnswerSignIn(name, outcome, left_ms))
