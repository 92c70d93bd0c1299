from __future__ import annotations

from datetime import timedelta

import pytest

from tests.central.signin.conftest import AT, SECRET, Door, on_loop, refusal
from tests.support.town_office import PATEL, PRIYA, TownOffice
from wire.signing import SigningKey


def test_ticket_lets_its_person_in(door: Door) -> None:
    async def script() -> None:
        visitor = door.gate.visitor(await door.enter(PATEL))

        assert visitor is not None
        assert ("J Patel", ("pcso",)) == (visitor.person.name, visitor.rights.acting_roles)
        assert ("office", AT) == (visitor.session.way, visitor.session.address)

    on_loop(script())


def test_ticket_is_taken_once(door: Door) -> None:
    async def script() -> None:
        ticket = door.office.ticket(PRIYA, SECRET)
        await door.gate.by_ticket(ticket, SECRET, AT)

        assert "ticket-used" == await refusal(door.gate.by_ticket(ticket, SECRET, AT))

    on_loop(script())


def test_ticket_is_taken_once_across_a_restart(door: Door) -> None:
    async def script() -> None:
        ticket = door.office.ticket(PRIYA, SECRET)
        await door.gate.by_ticket(ticket, SECRET, AT)
        again = door.opened()

        assert "ticket-used" == await refusal(again.by_ticket(ticket, SECRET, AT))

    on_loop(script())


def test_used_ticket_stays_used_when_others_come_in_after_it(door: Door) -> None:
    """Each sign-in forgets tickets that are too old to be taken, and no others."""

    async def script() -> None:
        ticket = door.office.ticket(PRIYA, SECRET)
        await door.gate.by_ticket(ticket, SECRET, AT)
        door.wait(seconds=89)
        await door.enter(PATEL)

        assert "ticket-used" == await refusal(door.gate.by_ticket(ticket, SECRET, AT))

    on_loop(script())


def test_ticket_of_another_browser_is_refused_and_not_used_up(door: Door) -> None:
    async def script() -> None:
        ticket = door.office.ticket(PRIYA, SECRET)

        assert "ticket-browser" == await refusal(door.gate.by_ticket(ticket, "t" * 43, AT))
        assert "ticket-browser" == await refusal(door.gate.by_ticket(ticket, "", AT))
        assert "let in" == await refusal(door.gate.by_ticket(ticket, SECRET, AT))

    on_loop(script())


@pytest.mark.parametrize(
    ("seconds", "expected"), [(0, "let in"), (89, "let in"), (91, "ticket-old"), (-29, "let in"), (-31, "ticket-clock")]
)
def test_ticket_is_of_now(door: Door, seconds: int, expected: str) -> None:
    async def script() -> None:
        ticket = door.office.ticket(PRIYA, SECRET)
        door.wait(seconds=seconds)

        assert expected == await refusal(door.gate.by_ticket(ticket, SECRET, AT))

    on_loop(script())


def test_wall_clock_that_was_set_while_central_runs_shuts_nobody_out(door: Door) -> None:
    """Central's own time does not step; the office's does."""

    async def script() -> None:
        cookie = await door.enter()
        door.wall_ahead = timedelta(hours=14)

        assert "let in" == await refusal(door.enter(PATEL))
        await door.sweep()
        assert door.is_in(cookie)

    on_loop(script())


def test_ticket_of_another_town_is_refused(door: Door) -> None:
    async def script() -> None:
        other = TownOffice(SigningKey(b"other".ljust(32, b".")).public, now=lambda: door.now_at)

        assert "ticket" == await refusal(door.gate.by_ticket(other.ticket(PRIYA, SECRET), SECRET, AT))

    on_loop(script())


@pytest.mark.parametrize("text", ["", "x", "a.b.c", "é" * 20, "x" * 5_000])
def test_nonsense_is_no_ticket(door: Door, text: str) -> None:
    async def script() -> None:
        assert "ticket" == await refusal(door.gate.by_ticket(text, SECRET, AT))

    on_loop(script())


def test_ticket_of_an_ended_sign_in_is_refused(door: Door) -> None:
    """The office ended it while the link lay open."""

    async def script() -> None:
        session = "ab" * 16
        ticket = door.office.ticket(PRIYA, SECRET, session=session)
        door.office.change(PRIYA, ended_sessions=(session,))
        door.publish()

        assert "ended" == await refusal(door.gate.by_ticket(ticket, SECRET, AT))

    on_loop(script())


def test_ticket_of_an_earlier_generation_is_refused(door: Door) -> None:
    async def script() -> None:
        ticket = door.office.ticket(PRIYA, SECRET)
        door.office.change(PRIYA, generation=2)
        door.publish()

        assert "ended" == await refusal(door.gate.by_ticket(ticket, SECRET, AT))

    on_loop(script())


def test_ticket_of_a_generation_that_is_not_published_yet_lets_in_and_stays(door: Door) -> None:
    """A person who has just changed their password is quicker than the snapshot."""

    async def script() -> None:
        cookie = await door.enter(PRIYA, generation=2)
        door.office.change(PRIYA, generation=2)
        door.publish()

        assert door.is_in(cookie)

    on_loop(script())


def test_person_who_is_not_listed_is_asked_to_wait(door: Door) -> None:
    async def script() -> None:
        new = door.office.add("New Starter").account

        assert "unknown-account" == await refusal(door.enter(new))

    on_loop(script())


def test_members_contact_has_nothing_to_do_here(door: Door) -> None:
    async def script() -> None:
        contact = door.office.add("Shop Owner", "members-contact").account
        door.publish()

        assert "no-role" == await refusal(door.enter(contact))

    on_loop(script())


def test_nobody_is_let_in_before_the_first_list(door: Door) -> None:
    async def script() -> None:
        door.gate._register = None

        assert "no-people" == await refusal(door.enter())

    on_loop(script())
