from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from central.signin.errors import RecordError
from central.signin.session import HELD_FOR, SESSIONS_EACH_MAX, SHIFT, End, Session
from central.signin.sessions import Ended, digest_of
from central.signin.slowing import SIGN_INS_AT_ONCE
from tests.central.signin.conftest import AT, SECRET, Door, on_loop, refusal
from tests.support.town_office import PATEL, PRIYA
from wire.snapshots import PersonEntry, RoleEntry


def test_session_ends_with_the_shift(door: Door) -> None:
    async def script() -> None:
        cookie = await door.enter()
        door.wait(hours=11, minutes=59)
        await door.sweep()
        assert door.is_in(cookie)
        door.wait(minutes=2)
        await door.sweep()

        assert not door.is_in(cookie)
        assert "shift-over" == door.gate.sessions.why_ended(cookie)

    on_loop(script())


def test_session_does_not_end_while_an_attack_is_open(door: Door) -> None:
    async def script() -> None:
        cookie = await door.enter()
        door.attacked.add(PRIYA)
        for _ in range(24 * 60 // 9):
            door.wait(minutes=9)
            assert door.is_in(cookie)
            await door.sweep()
            assert door.is_in(cookie)
        door.attacked.clear()
        door.wait(minutes=11)
        await door.sweep()

        assert not door.is_in(cookie)

    on_loop(script())


def test_session_of_somebody_who_sees_no_attack_ends(door: Door) -> None:
    async def script() -> None:
        cookie = await door.enter(PATEL)
        door.attacked.add(PRIYA)
        door.wait(hours=13)
        await door.sweep()

        assert not door.is_in(cookie)

    on_loop(script())


def test_session_goes_on_after_a_restart(door: Door) -> None:
    async def script() -> None:
        cookie = await door.enter()
        door.gate = door.opened()

        assert door.is_in(cookie)

    on_loop(script())


def test_session_held_by_an_attack_goes_on_after_a_quick_restart(door: Door) -> None:
    async def script() -> None:
        cookie = await door.enter()
        door.attacked.add(PRIYA)
        door.wait(hours=12)
        await door.sweep()
        door.wait(minutes=5)
        door.gate = door.opened()

        assert door.is_in(cookie)

    on_loop(script())


@pytest.mark.parametrize(
    ("down", "is_attacked", "expected"),
    [
        (timedelta(minutes=5), True, True),
        (timedelta(minutes=5), False, False),
        (timedelta(minutes=10), True, False),
        (timedelta(days=1), True, False),
    ],
    ids=["under an attack", "without", "long over", "for a day"],
)
def test_session_that_ran_out_while_central_was_down(
    door: Door, down: timedelta, *, is_attacked: bool, expected: bool
) -> None:
    """Nobody is put out under an attack by a restart, and nothing that is long dead revives."""

    async def script() -> None:
        cookie = await door.enter()
        if is_attacked:
            door.attacked.add(PRIYA)
        door.now_at += SHIFT + down
        door.gate = door.opened()
        if down >= HELD_FOR:
            assert not door.is_in(cookie)
        await door.sweep()

        assert expected == door.is_in(cookie)
        assert expected == bool(door.store.live())

    on_loop(script())


def test_session_is_not_judged_before_there_is_a_list_of_people(door: Door) -> None:
    async def script() -> None:
        cookie = await door.enter()
        door.attacked.add(PRIYA)
        door.wait(hours=12, minutes=5)
        door.gate = door.opened()
        register, door.gate._register = door.gate.register, None
        await door.sweep()
        door.gate._register = register
        await door.sweep()

        assert door.is_in(cookie)

    on_loop(script())


def test_session_that_is_long_over_is_out_though_nobody_has_looked(door: Door) -> None:
    async def script() -> None:
        cookie = await door.enter()
        door.attacked.add(PRIYA)
        door.wait(hours=12, minutes=10)

        assert not door.is_in(cookie)
        assert "shift-over" == door.gate.sessions.why_ended(cookie)

    on_loop(script())


def test_session_that_cannot_be_judged_keeps_no_other_from_its_end(door: Door) -> None:
    async def script() -> None:
        cookies = [await door.enter(account) for account in (PRIYA, PATEL)]
        door.wait(hours=12)

        def has_attack(person: PersonEntry) -> bool:
            if person.account == PRIYA:
                raise RuntimeError
            return False

        await door.gate.sweep(has_attack)

        assert [True, False] == [door.is_in(cookie) for cookie in cookies]
        assert 1 == len(door.store.live())

    on_loop(script())


def test_session_that_is_signed_out_during_a_sweep_does_not_revive(door: Door) -> None:
    async def script() -> None:
        cookie = await door.enter()
        (session,) = door.gate.sessions
        door.wait(hours=12)
        door.gate.sign_out(session)
        door.gate.sessions.hold(session, door.now_at)

        assert not door.is_in(cookie)

    on_loop(script())


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"generation": 2}, "ended-at-office"),
        ({"ended_sessions": ("ab" * 16,)}, "ended-at-office"),
        ({"roles": ()}, "no-role"),
        ({"roles": (RoleEntry(role="members-contact", schemes=(1,)),)}, "no-role"),
        (None, "account-ended"),
    ],
)
def test_office_ends_a_session(door: Door, changed: dict[str, object] | None, why: End) -> None:
    async def script() -> None:
        cookie = await door.enter(PRIYA, session="ab" * 16)
        told: list[tuple[int, str]] = []
        door.gate.sessions.on_end(lambda session, end: told.append((session.account, end)))
        door.gate.attach(asyncio.get_running_loop())
        if changed is None:
            del door.office.people[PRIYA]
        else:
            door.office.change(PRIYA, **changed)
        await asyncio.to_thread(door.publish)
        await asyncio.sleep(0)

        assert [(PRIYA, why)] == told
        assert not door.is_in(cookie)

    on_loop(script())


def test_office_ends_no_other_session(door: Door) -> None:
    async def script() -> None:
        first, second = await door.enter(PRIYA, session="ab" * 16), await door.enter(PRIYA, session="cd" * 16)
        other = await door.enter(PATEL)
        door.office.change(PRIYA, ended_sessions=("ab" * 16,))
        door.publish()

        assert [False, True, True] == [door.is_in(cookie) for cookie in (first, second, other)]

    on_loop(script())


def test_end_that_came_while_central_was_down_counts_at_its_start(door: Door) -> None:
    async def script() -> None:
        cookie = await door.enter()
        door.office.change(PRIYA, generation=2)
        door.gate = door.opened()

        assert not door.is_in(cookie)

    on_loop(script())


def test_rights_are_those_of_the_newest_list(door: Door) -> None:
    async def script() -> None:
        cookie = await door.enter()
        told: list[str] = []
        door.gate.on_new_roles(lambda session: told.append(session.name))
        door.gate.attach(asyncio.get_running_loop())
        door.office.change(PRIYA, roles=(RoleEntry(role="pcso", schemes=(1,)),))
        await asyncio.to_thread(door.publish)
        await asyncio.sleep(0)
        visitor = door.gate.visitor(cookie)

        assert visitor is not None
        assert {("pcso", 1)} == visitor.rights.grants
        assert ["Priya Shah"] == told

    on_loop(script())


def test_one_session_too_many_ends_the_oldest(door: Door) -> None:
    async def script() -> None:
        cookies = []
        for _ in range(SESSIONS_EACH_MAX + 1):
            cookies.append(await door.enter())
            door.wait(seconds=1)

        assert [False] + [True] * SESSIONS_EACH_MAX == [door.is_in(cookie) for cookie in cookies]
        assert "too-many" == door.gate.sessions.why_ended(cookies[0])

    on_loop(script())


def test_person_who_signs_in_without_pause_must_wait_and_keeps_what_is_open(door: Door) -> None:
    async def script() -> None:
        cookies = [await door.enter() for _ in range(SIGN_INS_AT_ONCE)]

        assert "too-fast" == await refusal(door.enter())
        assert "let in" == await refusal(door.enter(PATEL))
        assert all(door.is_in(cookie) for cookie in cookies)
        door.wait(seconds=1)
        assert "let in" == await refusal(door.enter())

    on_loop(script())


def test_used_ticket_slows_nobody(door: Door) -> None:
    async def script() -> None:
        ticket = door.office.ticket(PRIYA, SECRET)
        await door.gate.by_ticket(ticket, SECRET, AT)
        for _ in range(2 * SIGN_INS_AT_ONCE):
            assert "ticket-used" == await refusal(door.gate.by_ticket(ticket, SECRET, AT))

        assert "let in" == await refusal(door.enter())

    on_loop(script())


def test_signed_out_session_stays_out_after_a_restart(door: Door) -> None:
    async def script() -> None:
        cookie = await door.enter()
        session = door.gate.sessions.find(cookie)
        assert session is not None
        door.gate.sign_out(session)
        await door.gate.sessions.write()
        door.gate = door.opened()

        assert not door.is_in(cookie)

    on_loop(script())


def test_cookie_itself_is_not_kept(door: Door) -> None:
    async def script() -> None:
        cookie = await door.enter()
        (kept,) = door.store.live()

        assert digest_of(cookie) == kept.digest
        assert cookie not in repr(kept)

    on_loop(script())


def test_session_is_kept_whole(door: Door) -> None:
    async def script() -> None:
        cookie = await door.enter(PRIYA, second_factor_age_s=7)

        assert (door.gate.sessions.find(cookie),) == door.store.live()

    on_loop(script())


class Refusing:
    """The disk of a gate that refuses from now on."""

    def __init__(self, door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
        def refuse(*_: object) -> None:
            raise RecordError("the disk is full")

        for name in ("begin", "change"):
            monkeypatch.setattr(door.store, name, refuse)


def test_disk_that_refuses_lets_nobody_in_and_nobody_go(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    async def script() -> None:
        cookie = await door.enter()
        door.attacked.add(PRIYA)
        Refusing(door, monkeypatch)

        assert "disk" == await refusal(door.enter(PATEL))
        door.wait(hours=12)
        await door.sweep()
        assert door.is_in(cookie)

    on_loop(script())


def test_end_that_is_written_twice_at_once_is_no_fault(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    """As when central stops in the middle of a write: a thread cannot be called back."""

    async def script() -> None:
        session = door.gate.sessions.find(await door.enter())
        assert session is not None
        change, under_way = door.store.change, [True]

        def change_twice(renewed: tuple[Session, ...], ended: tuple[Ended, ...]) -> None:
            if under_way and under_way.pop():
                assert door.gate.sessions.write_now()
            change(renewed, ended)

        monkeypatch.setattr(door.store, "change", change_twice)
        door.gate.sign_out(session)

        assert await door.gate.sessions.write()
        assert () == door.store.live()

    on_loop(script())


def test_end_that_the_disk_refused_is_written_later(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    async def script() -> None:
        cookie = await door.enter()
        session = door.gate.sessions.find(cookie)
        assert session is not None
        with monkeypatch.context() as now:
            Refusing(door, now)
            door.gate.sign_out(session)
            await door.sweep()
            assert not door.is_in(cookie)
            assert (session,) == door.store.live()
        await door.sweep()

        assert () == door.store.live()

    on_loop(script())
