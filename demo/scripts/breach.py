"""Somebody who is banned comes in: reported in two taps, dealt with at the office, told back; seen next door (G9, G10).

After the exclusion of :mod:`demo.scripts.gallery` the shop's own staff press *Here now*. What follows is read where it
arrives: central's page of a PCSO, the office's page of the co-ordinator, and the screens of this shop and the next.
"""

from __future__ import annotations

from functools import partial
from typing import Final

from central.core.view import Card
from demo.notice import NeverCameError
from demo.scripts import exclusion, gallery
from demo.scripts.gallery import Case, Counter
from demo.scripts.stage import PATIENCE_S, Stage
from demo.watch_room import card_of

_REFERENCE: Final = "HART-0001"
_BREACH: Final = "breaches/1/"
_OUTCOME: Final = "The person was warned."
_BUTTONS: Final = {"breach": "Here now", "sighting": "Seen nearby"}
_RECEIVED: Final = "Received by central"
_SAID: Final = frozenset({"sent", "saved"})


async def play(stage: Stage) -> None:
    """Play it.

    Raises:
        NeverCameError: something did not happen.
    """
    async with gallery.played(stage) as case:
        await _here_now(stage, case)
        await _deal_with_it(stage, case)
        await _seen_nearby(stage, case)


async def _here_now(stage: Stage, case: Case) -> None:
    """Two taps at the counter; central's system has it, and the PCSO reads the reference and no name."""
    shop, pcso = case.counters[0], case.cast.pcso
    incident = await _report(stage, shop, case, "breach", "no")
    stage.say("breached", shop.premises, who=shop.person.name)

    async def is_received() -> bool:
        return shop.person.progress.get(incident, "").startswith(_RECEIVED)

    await stage.until(f"the page of {shop.premises.name} said that central has it", is_received)
    stage.say("received", shop.premises)

    await stage.until(f"central let {pcso.name} in", pcso.is_let_in)
    found: list[Card] = []

    async def is_open() -> bool:
        card = card_of(await pcso.board(), incident)
        found[:] = [card] if card is not None and card.person else []
        return bool(found)

    await stage.until("the PCSO had the breach on central's page", is_open)
    stage.check(found[0].person == _REFERENCE, f"central names the reference, not {found[0].person!r}")
    stage.check(found[0].kind == "breach", f"it is a breach, and not {found[0].kind}")
    page = await pcso.central.open(stage.town.watch_room.url)
    is_by_reference = _REFERENCE in page.html and "Left when asked: no" in page.words
    stage.check(is_by_reference, f"the card says who, and that they did not leave: {page.words[-600:]}")
    stage.check(exclusion.NAME not in page.html, "no name has come to central")
    stage.say("opened", shop.premises, seen_by="central")


async def _deal_with_it(stage: Stage, case: Case) -> None:
    """The co-ordinator reads name and photograph at the office, writes down what was done, and the shop reads it."""
    shop, co_ordinator = case.counters[0], case.cast.co_ordinator

    async def is_there() -> bool:
        page = await co_ordinator.open(_BREACH)
        return exclusion.NAME in page.words and shop.person.name in page.words

    await stage.until("the co-ordinator read of the breach at the office, and who reported it", is_there)
    page = co_ordinator.office.page
    stage.check("Did not leave when asked" in page.words, f"the office has what the shop said: {page.words[:600]}")
    await co_ordinator.office.submit("Write it down", kind="warned", closes="on")

    async def is_told() -> bool:
        return _OUTCOME in await shop.person.words("report")

    await stage.until(f"{shop.person.name} read what became of it", is_told)
    stage.say("outcome_shown", shop.premises, who=shop.person.name)


async def _seen_nearby(stage: Stage, case: Case) -> None:
    """One shop has seen them; the others are warned by reference, and their pages open on that person."""
    shop, neighbour = case.counters[1:]
    await _report(stage, shop, case, "sighting", None)
    stage.say("sighted", shop.premises, who=shop.person.name)
    for one in (case.counters[0], neighbour):
        # The panel of the first is busy with its own breach, and shows this one in its turn.
        await stage.town.notice.until(
            partial(_has_warned, one, shop), f"the panel of {one.premises.name} warned of the sighting", PATIENCE_S
        )
    said, opens = f"{_REFERENCE} was seen: {shop.premises.address.premises}", f'href="/{case.card.path}"'

    async def is_offered() -> bool:
        words = await neighbour.person.words()
        return said in words and opens in neighbour.person.tablet.page.html

    await stage.until(f"the page of {neighbour.premises.name} offered to open them", is_offered)
    page = await neighbour.person.open(case.card)
    is_shown = exclusion.NAME in page.words and bool(await neighbour.person.photograph(case.card))
    stage.check(is_shown, f"{neighbour.person.name} sees who it is: {page.words[:300]}")
    stage.say("neighbour_opened", neighbour.premises, who=neighbour.person.name)


def _has_warned(counter: Counter, of: Counter) -> bool:
    """Whether its panel has shown the sighting of another shop, by reference and place."""
    views = (look.view for look in counter.premises.board.looks)
    return any(view.headline == f"SIGHTING {_REFERENCE}" and of.premises.is_named_on(view) for view in views)


async def _report(stage: Stage, shop: Counter, case: Case, kind: str, left: str | None) -> str:
    """Press it on their card; returns the incident that came of it, as the page calls it.

    Raises:
        NeverCameError: none did.
    """
    page = await shop.person.open(case.card)
    stage.check(_BUTTONS[kind] in page.words, f"the page of {shop.premises.name} has the button '{_BUTTONS[kind]}'")
    said = await shop.person.report(case.card, kind, left)
    stage.check(said.get("state") in _SAID, f"the page of {shop.premises.name} says that it is on its way: {said}")
    incident = str(said.get("incident", ""))
    if not incident:
        raise NeverCameError(f"the {kind} of {shop.premises.name} became an incident: {said}")
    return incident
