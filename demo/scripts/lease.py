"""Clocks set back, days without a network, and a boot without one: a shop's gallery goes off by itself (G6).

Its clocks are the bench's (:mod:`demo.gallery_unit`): a script cannot wait for a week. All else is done by what a
person has, and read on the shop's screen.
"""

from __future__ import annotations

import time
from typing import Final

from msgspec.structs import replace

from demo.gallery import ShopGallery
from demo.gallery_unit import read_bench, write_bench
from demo.scripts import exclusion, gallery
from demo.scripts.gallery import Counter
from demo.scripts.stage import Stage
from demo.shop_person import Card
from gallery.core.readable import Why
from gallery.core.words import THE_BUTTON_WORKS, WORDS

_YEAR_S: Final = 365 * 86_400
_DAY_MS: Final = 86_400_000
_LEASE_DAYS: Final = 7
"""As office.toml says where it says nothing."""
_LONGEST_PAUSE_MS: Final = 240_000


async def play(stage: Stage) -> None:
    """Play it.

    Raises:
        NeverCameError: something did not happen.
    """
    async with gallery.played(stage) as case:
        await _play(stage, case)


async def _play(stage: Stage, case: gallery.Case) -> None:
    counter, card, town = case.counters[0], case.card, stage.town
    shop, own = counter.premises, counter.gallery
    await gallery.view(stage, counter, card)
    await gallery.is_in_log(stage, case.cast.co_ordinator, counter, 1)
    stage.say("viewed", shop, who=counter.person.name)

    await town.cut_network(shop)
    own.clock_file.write_text(f"{int(time.time()) - _YEAR_S}\n", encoding="ascii")
    stage.say("clock_set_back", shop)
    await gallery.view(stage, counter, card)  # Nothing has ended yet, and a clock that anybody can set ends nothing.
    _pass(own, (_LEASE_DAYS + 1) * _DAY_MS)
    stage.say("ended", shop)
    await _is_off(stage, counter, card, Why.NO_CONTACT)

    town.restore_network(shop)
    _pass(own, _LONGEST_PAUSE_MS)

    async def is_on() -> bool:
        return any(one.case == card.case for one in await counter.person.look())

    await stage.until(f"{shop.name} showed its gallery again", is_on)
    await gallery.view(stage, counter, card)
    stage.say("contact", shop)

    await town.cut_network(shop)
    for program in (own.program, shop.program):
        await town.kill(program)
    write_bench(own.bench_file, replace(read_bench(own.bench_file), boot_id="second"))
    await town.restart(own.program)
    stage.say("rebooted", shop)
    await _is_off(stage, counter, card, Why.CLOCK_BEHIND)
    # Not before: the node has no bench, and would tell the time that it learnt in this boot of the real machine.
    await town.restart(shop.program)


def _pass(own: ShopGallery, duration_ms: int) -> None:
    """Time passes on that machine."""
    bench = read_bench(own.bench_file)
    write_bench(own.bench_file, replace(bench, ahead_ms=bench.ahead_ms + duration_ms))


async def _is_off(stage: Stage, counter: Counter, card: Card, why: Why) -> None:
    """The page is locked; it says why nobody can be seen and what to do, to whoever is signed in as well."""
    shop, words = counter.premises, WORDS[why]

    async def says_so() -> bool:
        return words.what in await counter.person.words()

    await stage.until(f"the screen of {shop.name} said: {words.what}", says_so)
    await counter.person.sign_in()
    seen = await counter.person.look()
    said = counter.person.tablet.page.words
    stage.check(not seen, f"{shop.name} lists nobody; it lists {len(seen)}")
    for wanted in (words.what, words.why, words.to_do, THE_BUTTON_WORKS):
        stage.check(wanted in said, f"{shop.name} says '{wanted}': {said[:400]}")
    page = await counter.person.open(card)
    stage.check(exclusion.NAME not in page.words, f"{shop.name} names nobody on the page that was open before")
    picture = await counter.person.photograph(card)
    stage.check(not picture, f"{shop.name} shows no photograph")
    if stage.is_complete:
        stage.say("unreadable", shop)
