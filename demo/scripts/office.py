"""The office from its first sign-in link to an ended account, with an alert in the middle (C2, C4, L1).

People act only through what a person has: pages, pins, commands. What happened is read where it arrives: at central, at
the shop, at the page that refuses.
"""

from __future__ import annotations

import asyncio
import csv
import io
import time
from typing import Final

from central.core.view import Acknowledge, AddNote, Close, Done, StartDuty
from demo.notice import NeverCameError
from demo.office import Office
from demo.office_person import OfficePerson, closing
from demo.scripts.stage import Stage
from demo.visitor import LostError
from demo.watch_room import card_of
from wire.snapshots import RoleSlug

HART: Final = 1
_OUT_WITHIN_MS: Final = 30_000
"""How long after the end of their account somebody may still be in the control room."""
_GUESSES_MAX: Final = 40
_DOG: Final = "The back door is in the yard. A dog, friendly."
_PHONE: Final = "0116 496 0034"


async def play(stage: Stage) -> None:
    """Play it.

    Raises:
        NeverCameError: something did not happen.
    """
    office = stage.town.office
    assert office is not None
    people: list[OfficePerson] = []
    try:
        async with closing(people):
            await _play(stage, office, people)
    except LostError as e:
        raise NeverCameError(str(e)) from e


async def _play(stage: Stage, office: Office, people: list[OfficePerson]) -> None:
    def person(name: str, role: RoleSlug) -> OfficePerson:
        people.append(OfficePerson(name, role, office_url=office.url, central_url=stage.town.watch_room.url))
        return people[-1]

    co_ordinator = person("Alex Grant", "co-ordinator")
    await co_ordinator.join(office.first_link)
    stage.say("initialised", who=co_ordinator.name)

    pcso, cctv = person("J Patel", "pcso"), person("Priya Shah", "cctv")
    for invited in (pcso, cctv):
        await invited.join(await co_ordinator.invite(invited.name, invited.role, [HART]))
        stage.say("invited", who=invited.name, role=invited.role)
    await cctv.print_codes()
    await _enter(stage, pcso)

    await co_ordinator.import_premises(_csv(stage))
    members = [one for one in stage.town.premises.values() if "hart" in one.address.schemes]
    await office.link({one.address.premises: one.node for one in members})
    shop = stage.premises("corner-shop")
    await stage.until(
        "central knew what the office says of the corner shop",
        lambda: _has_details(pcso, shop.node),
    )
    stage.say("premises_added", shop)

    await _alert_without_office(stage, office, pcso, cctv)
    await _end_account(stage, co_ordinator, pcso)
    await _lock_out(stage, cctv)


async def _alert_without_office(stage: Stage, office: Office, pcso: OfficePerson, cctv: OfficePerson) -> None:
    """The office dies in the middle of an alert: nothing of it is lost, and people still sign in."""
    town, shop = stage.town, stage.premises("corner-shop")
    _check_done(stage, await pcso.act(StartDuty("page")), "the PCSO came on duty")
    alert = await stage.press(shop, "attack")
    await asyncio.gather(*(town.kill(program) for program in office.programs))
    await stage.until_fact("receipt", shop.node, alert)
    await stage.until_warned(shop, alert)
    await stage.until("the PCSO saw the alert", lambda: _has_card(pcso, alert))
    stage.say("alert", shop, incident=alert)
    _check_done(stage, await pcso.act(Acknowledge(alert)), "the PCSO answered")
    await stage.until_acknowledged(shop, alert)
    stage.say("answered", shop, incident=alert)

    await cctv.enter_by_code()
    _check_done(stage, await cctv.act(AddNote(alert, "Camera 4 is on the door")), "CCTV added a note")
    stage.say("signed_in_without_office", who=cctv.name)
    for program in office.programs:
        await town.restart(program)
    _check_done(stage, await pcso.act(Close(alert, "Attended")), "the PCSO closed it")
    await stage.until_fact("closed", shop.node, alert)


async def _end_account(stage: Stage, co_ordinator: OfficePerson, pcso: OfficePerson) -> None:
    stage.check(await pcso.is_inside(), "the PCSO was in the control room before the end of the account")
    await co_ordinator.end_account(pcso.name)
    ended_s = time.monotonic()
    await stage.until("the person whose account ended was out of the control room", pcso.is_out)
    took_ms = (time.monotonic() - ended_s) * 1000
    stage.measure("account ended → out of the control room", took_ms, _OUT_WITHIN_MS)
    stage.check(took_ms <= _OUT_WITHIN_MS, f"out of the control room within {_OUT_WITHIN_MS // 1000} s")
    refused = await pcso.act(StartDuty("page"))
    stage.check(not isinstance(refused, Done), "an act after the end of the account was refused")
    stage.say("account_ended", who=pcso.name)


async def _lock_out(stage: Stage, cctv: OfficePerson) -> None:
    """Guessing locks the password's way for minutes; whoever is in stays in."""
    for _ in range(_GUESSES_MAX):
        if "Too many attempts" in await cctv.sign_in_wrongly():
            stage.say("locked_out", who=cctv.name)
            break
    else:
        stage.check(False, f"{_GUESSES_MAX} wrong passwords in a row are not taken")  # noqa: FBT003
    stage.check(await cctv.is_inside(), "guessing left the guessed person's session alone")


async def _enter(stage: Stage, person: OfficePerson) -> None:
    await stage.until(f"central let {person.name} in", person.is_let_in)
    stage.say("signed_in", who=person.name)


async def _has_details(person: OfficePerson, node: str) -> bool:
    board = await person.board()
    return any(line.node == node and line.when_going == _DOG for line in board.premises)


async def _has_card(person: OfficePerson, alert: str) -> bool:
    return card_of(await person.board(), alert) is not None


def _check_done(stage: Stage, answer: object, what: str) -> None:
    stage.check(isinstance(answer, Done), f"{what}; central said {answer}")


def _csv(stage: Stage) -> str:
    columns = ("Name", "Member", "Street or area", "Schemes", "Address", "When going there")
    people = ("Contact 1 name", "Contact 1 phone", "Contact 1 key-holder")
    out = io.StringIO()
    rows = csv.writer(out)
    rows.writerow((*columns, *people))
    for premises in stage.town.premises.values():
        one = premises.address
        if "hart" in one.schemes:
            facts = (one.premises, f"{one.premises} Ltd", one.place, "HART", f"12 {one.place}, LE1 4AA", _DOG)
            rows.writerow((*facts, "Sam Field", _PHONE, "yes"))
    return out.getvalue()
