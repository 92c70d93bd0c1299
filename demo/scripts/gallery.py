"""Who is excluded is in every member's shop of the scheme, and gone on the day: with and without a network (G4–G7).

People act only through what a person has: the office's pages, a start code, a PIN, the shop's tablet, a cable. Whatever
happened is read where it arrives: on a shop's screen and its unit's panel, on the unit's disk, in the co-ordinator's
browser. At the end everything that lies on any disk, and every log, is searched for what only memory may hold.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Final

from msgspec import Struct

from demo.gallery import ShopGallery
from demo.gallery_secrets import add_secrets
from demo.leaks import Needles, search
from demo.notice import NeverCameError
from demo.office import Office
from demo.office_person import OfficePerson, closing
from demo.scripts import exclusion
from demo.scripts.stage import Stage
from demo.shop import Premises
from demo.shop_person import Card, ShopPerson
from demo.town_leaks import search_town
from demo.unit_panel import FACE_PX, UnitPanel
from demo.visitor import LostError

IN_SHOPS_WITHIN_MS: Final = 3_000
GONE_WITHIN_MS: Final = 10_000
_SHOPS: Final = ("corner-shop", "penny-books", "night-stop")
"""In HART, with a unit."""
_OTHER: Final = "red-lion"
"""In Pub Watch alone."""
STAFF: Final = ("Merfyn Tolliver", "Oswin Brackenby", "Isolde Quarmby")
"""No part of them stands in another word, as a leak is looked for by each."""
_NOBODY: Final = "Nobody is banned here"
"""So the panel says then."""
_ON_THE_PANEL: Final = "photograph, on the panel"
_PREMISES: Final = re.compile(r"/premises/([0-9]+)/")
_CODE: Final = re.compile(r"[0-9A-Z]{4}(?:-[0-9A-Z]{4}){3}")


class Counter(Struct, frozen=True):
    """A shop of the scheme, its gallery, its unit's panel, and who stands at the counter."""

    premises: Premises
    gallery: ShopGallery
    panel: UnitPanel
    person: ShopPerson

    @property
    def disk(self) -> Path:
        """Of its unit: the node's files and the gallery's."""
        return self.gallery.folder.parent


class Case(Struct, frozen=True):
    """An exclusion that is in the shops.

    Attributes:
        cast: who made it.
        counters: the shops.
        card: as the first of them lists it.
        needles: what only memory may hold.
        sealed: what of it lies on the disk of each shop's unit.
    """

    cast: exclusion.Cast
    counters: tuple[Counter, ...]
    card: Card
    needles: Needles
    sealed: tuple[Needles, ...]


async def play(stage: Stage) -> None:
    """Play it.

    Raises:
        NeverCameError: something did not happen.
    """
    async with played(stage) as case:
        await _revoke(stage, case)


@contextlib.asynccontextmanager
async def played(stage: Stage) -> AsyncIterator[Case]:
    """An exclusion that is in the shops; at the end everybody goes home, and nothing of it may lie anywhere.

    Raises:
        NeverCameError: something did not happen.
    """
    people: list[OfficePerson] = []
    counters: list[Counter] = []
    try:
        async with closing(people):
            try:
                case = await issued(stage, people, counters)
                yield case
            finally:
                for counter in counters:
                    await counter.person.close()
            await _search(stage, case)
    except LostError as e:
        raise NeverCameError(str(e)) from e


async def issued(stage: Stage, people: list[OfficePerson], counters: list[Counter]) -> Case:
    """A person is excluded by the office's own way, and seen in each shop of the scheme, by its own staff."""
    office = stage.town.office
    assert office is not None
    cast = await exclusion.gather(stage, office, people)
    await _fit_shops(stage, office, cast, counters)
    await exclusion.nominate_and_check(stage, cast)
    await exclusion.vote_between_meetings(stage, cast)
    await exclusion.decide_at_a_meeting(stage, cast)
    issued_s = await exclusion.move(cast.co_ordinator, "issue", "Issue")
    stage.say("issued", who=cast.co_ordinator.name, scheme=exclusion.HART)
    needles = Needles()
    for name in (exclusion.NAME, *STAFF):
        needles.name(name)
    needles.picture("photograph, as it was handed in", exclusion.FACE.read_bytes())
    cards = await asyncio.gather(*(_cached(stage, counter, issued_s) for counter in counters))
    await _is_nowhere_else(stage)
    sealed = []
    for counter, card in zip(counters, cards, strict=True):
        await counter.person.open(card)
        for size in ("card", "portrait"):
            picture = await counter.person.photograph(card, size)
            stage.check(bool(picture), f"{counter.premises.name} shows the photograph ({size})")
        sealed.append(add_secrets(needles, counter.gallery.folder, counter.premises.node, card.scheme))
    panel = counters[-1].panel
    await panel.sign_in(counters[-1].person.pin)
    needles.panel(_ON_THE_PANEL, panel.image, FACE_PX)
    await panel.leave()
    return Case(cast, tuple(counters), cards[0], needles, tuple(sealed))


async def _fit_shops(stage: Stage, office: Office, cast: exclusion.Cast, counters: list[Counter]) -> None:
    """The engineer joins units and premises; each member's contact lists who works there; they choose PINs."""
    galleries = stage.town.galleries
    assert galleries is not None
    shops = [stage.premises(key) for key in _SHOPS]
    await office.link({shop.address.premises: shop.node for shop in shops}, count=len(exclusion.SHOPS))
    contacts = dict(zip(exclusion.SHOPS, (cast.nominator, *cast.voters), strict=True))
    for shop, name in zip(shops, STAFF, strict=True):
        code = await _list_staff(contacts[shop.address.premises], shop.address.premises, name)
        gallery = galleries.of[shop.node]
        person = ShopPerson(name, gallery.page)
        counters.append(Counter(shop, gallery, UnitPanel(shop.board, stage.town.notice), person))
        await stage.until(f"{shop.name} lists {name}", lambda person=person: _lists(person))  # type: ignore[misc]
        await person.begin(code)


async def _list_staff(contact: OfficePerson, shop: str, name: str) -> str:
    await contact.open("premises/")
    page = await contact.office.follow(shop)
    found = _PREMISES.search(page.url)
    if found is None:
        raise LostError(f"{contact.name} finds no {shop}: {page.words[:400]}")
    await contact.open(f"premises/{found[1]}/staff/add/")
    page = await contact.office.submit("Add, and show the start code", name=name)
    code = _CODE.search(page.words)
    if code is None:
        raise LostError(f"no start code for {name}: {page.words[:400]}")
    return code[0]


async def _lists(person: ShopPerson) -> bool:
    return person.name in await person.words()


async def _cached(stage: Stage, counter: Counter, issued_s: float) -> Card:
    """The shop's own screen shows them, with a face."""
    found: list[Card] = []

    async def is_there() -> bool:
        found[:] = [card for card in await counter.person.look() if card.name == exclusion.NAME]
        return bool(found) and bool(await counter.person.photograph(found[0], "card"))

    await stage.until(f"{counter.premises.name} showed who was excluded", is_there)
    stage.say("cached", counter.premises)
    took_ms = (time.monotonic() - issued_s) * 1000
    stage.measure("issued → on a shop's screen", took_ms, IN_SHOPS_WITHIN_MS, counter.premises)
    return found[0]


async def _is_nowhere_else(stage: Stage) -> None:
    """A shop of another scheme has neither a line nor a photograph of theirs."""
    galleries = stage.town.galleries
    assert galleries is not None
    other = stage.premises(_OTHER)
    photographs = galleries.of[other.node].folder / "state/card/photographs"
    told = [fact for fact in stage.town.chronicle.all("gallery_readable", node=other.node) if fact.detail["people"]]
    is_empty = not told and not (photographs.exists() and any(photographs.iterdir()))
    stage.check(is_empty, f"{other.name} is in another scheme and holds nothing of it")


async def view(stage: Stage, counter: Counter, card: Card, *, is_offline: bool = False) -> None:
    """Somebody looks at a face; the fact follows from the screen offline, else from the co-ordinator's log."""
    page = await counter.person.open(card)
    is_shown = exclusion.NAME in page.words and bool(await counter.person.photograph(card))
    stage.check(is_shown, f"{counter.person.name} sees the face at {counter.premises.name}: {page.words[:200]}")
    if is_offline and is_shown:
        stage.say("viewed", counter.premises, who=counter.person.name)


async def is_in_log(stage: Stage, co_ordinator: OfficePerson, counter: Counter, looks: int) -> None:
    """The co-ordinator reads who looked."""

    async def has_looks() -> bool:
        page = await co_ordinator.open("galleries/views/")
        return page.html.count(f"<bdi>{counter.person.name}</bdi>") >= looks

    await stage.until(f"the co-ordinator read {looks} looks of {counter.person.name}", has_looks)


async def _revoke(stage: Stage, case: Case) -> None:
    cut, *connected = case.counters
    co_ordinator, card = case.cast.co_ordinator, case.card
    await _search(stage, case)  # While it is there; and at the end again.
    await view(stage, cut, card)
    await is_in_log(stage, co_ordinator, cut, 1)
    stage.say("viewed", cut.premises, who=cut.person.name)
    await stage.town.cut_network(cut.premises)
    await view(stage, cut, card, is_offline=True)

    await co_ordinator.open("cases/1/revoke/")  # If the office wants a new code first, nobody waits for it at a panel.
    await asyncio.gather(*(_look_at_the_panel(stage, counter, case) for counter in connected))
    for counter, sealed in zip(case.counters, case.sealed, strict=True):
        stage.check(_lies_on(counter, sealed), f"until then sealed keys lie on the disk of {counter.premises.name}")
    revoked_s = await exclusion.move(co_ordinator, "revoke", "Revoke", reason="It was somebody else.")
    stage.say("revoked", who=co_ordinator.name, scheme=exclusion.HART)
    _, *sealed_there = case.sealed
    places = zip(connected, sealed_there, strict=True)
    await asyncio.gather(*(_gone(stage, counter, case, sealed, revoked_s) for counter, sealed in places))
    await view(stage, cut, card)  # It cannot know, and its lease is not over.
    stage.check(_lies_on(cut, case.sealed[0]), f"{cut.premises.name} holds what it shows")
    stage.town.restore_network(cut.premises)
    await _gone(stage, cut, case, case.sealed[0], None)

    async def is_receipted() -> bool:
        page = await co_ordinator.open("cases/1/")
        return f"Deleted in {len(case.counters)} of {len(case.counters)} shops." in page.words

    await stage.until("the co-ordinator read that every shop has deleted it", is_receipted)
    stage.say("deletion_receipt", who=co_ordinator.name)
    await is_in_log(stage, co_ordinator, cut, 4)


async def _look_at_the_panel(stage: Stage, counter: Counter, case: Case) -> None:
    await counter.panel.sign_in(counter.person.pin)
    stage.check(_is_on(counter.panel, case.needles), f"the panel of {counter.premises.name} shows the face")
    await counter.person.open(case.card)  # On the page as well.


def _is_on(panel: UnitPanel, needles: Needles) -> bool:
    """Whether a piece of the face, or the name, is on a panel."""
    said = " ".join((panel.view.headline, *panel.view.lines)).encode()
    return bool(needles.found_in(said + panel.image.tobytes()))


def _lies_on(counter: Counter, sealed: Needles) -> bool:
    """Whether a piece of it is on the disk of a shop's unit."""
    return bool(search(sealed, counter.disk))


async def _gone(stage: Stage, counter: Counter, case: Case, sealed: Needles, revoked_s: float | None) -> None:
    """From the shop's page, its unit's panel and its unit's disk.

    ``sealed`` has to be gone from the disk. If the shop had no network when it was revoked, ``revoked_s`` is ``None``,
    and nobody was at its panel.
    """
    shop, panel = counter.premises, counter.panel

    async def is_off_page() -> bool:
        """Neither in the list, nor by the address that was open, nor as a picture."""
        if any(one.case == case.card.case for one in await counter.person.look()):
            return False
        page = await counter.person.open(case.card)
        return exclusion.NAME not in page.words and not await counter.person.photograph(case.card)

    async def is_off_panel() -> bool:
        return _NOBODY in panel.view.lines and not _is_on(panel, case.needles)

    async def is_off_disk() -> bool:
        return not await asyncio.to_thread(_lies_on, counter, sealed)

    places = {"screen": is_off_page, "disk": is_off_disk}
    if revoked_s is not None:
        places["panel"] = is_off_panel
    await asyncio.gather(*(_gone_from(stage, shop, what, is_off, revoked_s) for what, is_off in places.items()))
    stage.say("unreadable", shop)


async def _gone_from(
    stage: Stage, shop: Premises, what: str, is_off: Callable[[], Awaitable[bool]], revoked_s: float | None
) -> None:
    # To within one look: how long a busy machine takes to look says nothing about the shop.
    off_s = await stage.until(f"nothing of them was left on the {what} of {shop.name}", is_off)
    if revoked_s is not None:
        took_ms = (off_s - revoked_s) * 1000
        stage.measure(f"revoked → off a connected shop's {what}", took_ms, GONE_WITHIN_MS, shop)
        stage.check(took_ms <= GONE_WITHIN_MS, f"off the {what} of {shop.name} in {GONE_WITHIN_MS // 1000} s")


async def _search(stage: Stage, case: Case) -> None:
    """Nothing that only memory may hold lies anywhere in the town; and the search would have found it."""
    tablets = (counter.person.tablet for counter in case.counters)
    for browser in (case.cast.co_ordinator.office, *(one.office for one in case.cast.voters), *tablets):
        for jpeg in browser.pictures:
            case.needles.picture("photograph, watermarked", jpeg)
    searched = await search_town(stage.town, case.needles)
    stage.check(not searched.missed, f"the search finds what is planted; it misses {sorted(searched.missed)}")
    for leak in searched.leaks:
        stage.check(False, f"{leak.what} is in {leak.path.relative_to(stage.town.folder)}")  # noqa: FBT003
    stage.counted["leaks"] = stage.counted.get("leaks", 0) + len(searched.leaks)
