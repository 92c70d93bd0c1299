"""Who is excluded is in every member's shop of the scheme, and gone on the day: with and without a network (G4–G7).

People act only through what a person has: the office's pages, a start code, a PIN, the shop's tablet, a cable. Whatever
happened is read where it arrives: on a shop's screen, in the co-ordinator's browser. At the end everything that lies on
any disk, and every log, is searched for what only memory may hold.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import time
from collections.abc import AsyncIterator
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
from demo.visitor import LostError

IN_SHOPS_WITHIN_MS: Final = 3_000
GONE_WITHIN_MS: Final = 10_000
_SHOPS: Final = ("corner-shop", "penny-books", "night-stop")
"""In HART, with a unit."""
_OTHER: Final = "red-lion"
"""In Pub Watch alone."""
_STAFF: Final = ("Aled Penn", "Rita Moss", "Joan Fry")
_PREMISES: Final = re.compile(r"/premises/([0-9]+)/")
_CODE: Final = re.compile(r"[0-9A-Z]{4}(?:-[0-9A-Z]{4}){3}")


class Counter(Struct, frozen=True):
    """A shop of the scheme, its gallery, and who stands at the counter."""

    premises: Premises
    gallery: ShopGallery
    person: ShopPerson


class Case(Struct, frozen=True):
    """An exclusion that is in the shops.

    Attributes:
        cast: who made it.
        counters: the shops.
        card: as the first of them lists it.
        needles: what only memory may hold.
    """

    cast: exclusion.Cast
    counters: tuple[Counter, ...]
    card: Card
    needles: Needles


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
            search_all(stage, case.needles)
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
    await exclusion.move(cast.co_ordinator, "issue", "Issue")
    issued_s = time.monotonic()
    stage.say("issued", who=cast.co_ordinator.name, scheme=exclusion.HART)
    needles = Needles()
    needles.name(exclusion.NAME)
    needles.picture("photograph, as it was handed in", exclusion.FACE.read_bytes())
    cards = await asyncio.gather(*(_cached(stage, counter, issued_s) for counter in counters))
    await _is_nowhere_else(stage)
    for counter, card in zip(counters, cards, strict=True):
        await counter.person.open(card)
        for size in ("card", "portrait"):
            needles.picture("photograph, watermarked", await _photograph(stage, counter, card, size))
        add_secrets(needles, counter.gallery.folder, counter.premises.node, card.scheme)
    return Case(cast, tuple(counters), cards[0], needles)


async def _fit_shops(stage: Stage, office: Office, cast: exclusion.Cast, counters: list[Counter]) -> None:
    """The engineer joins units and premises; each member's contact lists who works there; they choose PINs."""
    galleries = stage.town.galleries
    assert galleries is not None
    shops = [stage.premises(key) for key in _SHOPS]
    await office.link({shop.address.premises: shop.node for shop in shops}, count=len(exclusion.SHOPS))
    contacts = dict(zip(exclusion.SHOPS, (cast.nominator, *cast.voters), strict=True))
    for shop, name in zip(shops, _STAFF, strict=True):
        code = await _list_staff(contacts[shop.address.premises], shop.address.premises, name)
        gallery = galleries.of[shop.node]
        person = ShopPerson(name, gallery.page)
        counters.append(Counter(shop, gallery, person))
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


async def _photograph(stage: Stage, counter: Counter, card: Card, size: str) -> bytes:
    picture = await counter.person.photograph(card, size)
    stage.check(picture.startswith(b"\xff\xd8"), f"{counter.premises.name} shows the photograph ({size})")
    return picture


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
    await view(stage, cut, card)
    await is_in_log(stage, co_ordinator, cut, 1)
    stage.say("viewed", cut.premises, who=cut.person.name)
    await stage.town.cut_network(cut.premises)
    await view(stage, cut, card, is_offline=True)

    await exclusion.move(co_ordinator, "revoke", "Revoke", reason="It was somebody else.")
    revoked_s = time.monotonic()
    stage.say("revoked", who=co_ordinator.name, scheme=exclusion.HART)
    for counter in connected:
        await _unreadable(stage, counter, card, revoked_s)
    await view(stage, cut, card)  # It cannot know, and its lease is not over.
    stage.town.restore_network(cut.premises)
    await _unreadable(stage, cut, card, None)

    async def is_receipted() -> bool:
        page = await co_ordinator.open("cases/1/")
        return f"Deleted in {len(case.counters)} of {len(case.counters)} shops." in page.words

    await stage.until("the co-ordinator read that every shop has deleted it", is_receipted)
    stage.say("deletion_receipt", who=co_ordinator.name)
    await is_in_log(stage, co_ordinator, cut, 4)


async def _unreadable(stage: Stage, counter: Counter, card: Card, since_s: float | None) -> None:
    """Neither in the list, nor by the address that was open, nor as a picture."""
    shop = counter.premises

    async def is_gone() -> bool:
        if any(one.case == card.case for one in await counter.person.look()):
            return False
        page = await counter.person.open(card)
        return exclusion.NAME not in page.words and not await counter.person.photograph(card)

    await stage.until(f"{shop.name} showed them no more", is_gone)
    stage.say("unreadable", shop)
    if since_s is not None:
        took_ms = (time.monotonic() - since_s) * 1000
        stage.measure("revoked → off a connected shop's screen", took_ms, GONE_WITHIN_MS, shop)
        stage.check(took_ms <= GONE_WITHIN_MS, f"{shop.name} shows them for {GONE_WITHIN_MS // 1000} s at most")


def search_all(stage: Stage, needles: Needles) -> None:
    """Search every file of the town, and every fact, for what only memory may hold; see first that it can be found."""
    folder, office = stage.town.folder, stage.town.office
    assert office is not None
    # The register is the office's own; keys are in the files that are for them.
    allowed = [*office.folder.glob("office.sqlite3*"), *folder.rglob("*.key")]
    found = search(needles, [folder], allowed)
    told = needles.found_in("\n".join(map(repr, stage.town.chronicle)).encode())
    planted = folder / "planted"
    planted.write_bytes(b"\n".join(needles.samples()))
    stage.check(needles.found_in(planted.read_bytes()) == needles.whats, "it finds all of what is planted")
    planted.unlink()
    for leak in found:
        stage.check(False, f"{leak.what} is in {leak.path.relative_to(folder)}")  # noqa: FBT003
    for what in told:
        stage.check(False, f"{what} is in a fact")  # noqa: FBT003
    stage.counted["leaks"] = len(found) + len(told)
