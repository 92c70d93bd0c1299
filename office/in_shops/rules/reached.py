"""In which shops a person is shown, and in which they are gone. Pure: by what units have said, nothing is guessed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Final

from msgspec import Struct

NO_UNIT: Final = "no unit"
NO_KEY: Final = "its unit gets no gallery"
NEVER: Final = "never asked"
NOTHING: Final = "holds nothing"
ON_ITS_WAY: Final = "on its way"
NO_PHOTOGRAPHS: Final = "photographs missing"
NOT_DELETED: Final = "not deleted yet"
STRUCK: Final = "taken out of use: not deleted as far as we know"


class Counter(Struct, frozen=True):
    """A unit, and what it has said of a scheme's gallery.

    Attributes:
        shop: name of its premises.
        asked_s: when it last asked, Unix time; ``None`` = never.
        number: of the gallery that it holds; ``None`` = it says that it holds none.
        is_complete: with every photograph.
        has_key: it can get a gallery.
        is_struck: it is not answered any more.
    """

    shop: str
    asked_s: int | None
    number: int | None
    is_complete: bool = False
    has_key: bool = True
    is_struck: bool = False


class Reached(Struct, frozen=True):
    """How far something has come.

    Attributes:
        done: in how many shops.
        of: how many there are.
        missing: the others, by name, with why.
    """

    done: int
    of: int
    missing: tuple[tuple[str, str], ...]


def shown(since: int, shops: Iterable[str], counters: Sequence[Counter]) -> Reached:
    """Where somebody is shown: on every unit of the shop that is in use.

    Args:
        since: number of the gallery with which they became what they are.
        shops: names of the premises that may show them.
        counters: units of these.
    """
    return _counted(shops, [(one.shop, _why_not_shown(since, one)) for one in counters if not one.is_struck])


def deleted(gone: int, over_s: int, counters: Sequence[Counter]) -> Reached:
    """Where somebody is gone.

    Args:
        gone: number of the gallery that does not have them any more.
        over_s: when that was decided, Unix time.
        counters: every unit that may hold the scheme's gallery, or says that it does.
    """
    can_have = [one for one in counters if one.number is not None or (one.has_key and not one.is_struck)]
    return _counted(
        dict.fromkeys(one.shop for one in can_have),
        [(one.shop, _why_not_deleted(gone, over_s, one)) for one in can_have],
    )


def _counted(shops: Iterable[str], whys: Iterable[tuple[str, str]]) -> Reached:
    of_shop: defaultdict[str, list[str]] = defaultdict(list)
    for shop, why in whys:
        of_shop[shop].append(why)
    names = sorted(shops, key=str.casefold)
    missing = [(shop, next(filter(None, of_shop[shop]), "")) if of_shop[shop] else (shop, NO_UNIT) for shop in names]
    left = tuple((shop, why) for shop, why in missing if why)
    return Reached(len(names) - len(left), len(names), left)


def _why_not_shown(since: int, one: Counter) -> str:
    if not one.has_key:
        return NO_KEY
    if one.asked_s is None:
        return NEVER
    if one.number is None:
        return NOTHING
    if one.number < since:
        return ON_ITS_WAY
    return "" if one.is_complete else NO_PHOTOGRAPHS


def _why_not_deleted(gone: int, over_s: int, one: Counter) -> str:
    if one.number is not None and one.number >= gone:
        return ""
    if one.is_struck:
        return STRUCK
    if one.asked_s is None:
        return NEVER
    # What it said before says nothing of what it fetched since.
    return "" if one.number is None and one.asked_s > over_s else NOT_DELETED
