"""Which units need a person because of their galleries, and what to do. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Literal

from msgspec import Struct

from office.nodes.rules.standing import Holding

GIVEN_S: Final = 120
"""So long a unit may take to fetch what is new."""
SILENT_S: Final = 600
"""A unit that works asks at least every half minute; so long is a cable that was pulled out and put in again."""
COPIED: Final = "TWO UNITS SAY THAT THEY ARE THIS ONE"
NOT_DELETED: Final = "HAS NOT DELETED YET"

Kind = Literal[
    "copied",
    "not-deleted",
    "struck",
    "left",
    "too-new",
    "gap",
    "nothing-held",
    "silent",
    "never-asked",
    "no-key",
    "lacks-newest",
    "lacks-photographs",
]
"""The gravest first."""
_ORDER: Final[tuple[Kind, ...]] = (
    *("copied", "not-deleted", "struck", "left", "too-new", "gap"),
    *("nothing-held", "silent", "never-asked", "no-key", "lacks-newest", "lacks-photographs"),
)
GRAVE: Final = _ORDER.index("gap") + 1
"""Units of a lower rank may show somebody who must not be shown, or to whom nobody knows."""
_CONTACT: Final = "Call the shop: is the unit on, is the network cable in, is the router on?"
_ENGINEER: Final = "Tell the fleet engineer."


class Gallery(Struct, frozen=True):
    """Of a scheme, and what a unit holds of it.

    Attributes:
        scheme: its name.
        newest: number of the newest that was published; 0 = none was.
        published_s: when, Unix time.
        lease_s: so long it is shown without contact.
        held: ``None`` = the unit has not said that it holds one.
        must_delete: somebody has been taken off, or changed, since the one that it holds.
    """

    scheme: str
    newest: int
    published_s: int
    lease_s: int
    held: Holding | None
    must_delete: bool = True


class Unit(Struct, frozen=True):
    """A node of a premises.

    Attributes:
        galleries: of the reader's schemes.
        asked_s: when it last asked, Unix time; ``None`` = never.
        has_key: the directory says what to seal to it.
        copied_s: since when its view log contradicts itself; ``None`` = it does not.
        gone: the directory has struck it, or it is not in the schemes any more; it says that it holds a gallery.
        gap: how many records of its view log are missing, and since when that is known; ``None`` = none.
    """

    galleries: tuple[Gallery, ...]
    asked_s: int | None
    has_key: bool = True
    copied_s: int | None = None
    gap: tuple[int, int] | None = None
    gone: Literal["", "struck", "left"] = ""


class Need(Struct, frozen=True):
    """Something that wants a person.

    Attributes:
        kind: what it is.
        says: for whoever reads it.
        to_do: sentences.
        since_s: since when, Unix time; ``None`` = that is not known.
        until_s: how long what it holds can still be shown there without contact; ``None`` = it does not matter.
    """

    kind: Kind
    says: str
    to_do: str
    since_s: int | None = None
    until_s: int | None = None


def needs(unit: Unit, now_s: int) -> tuple[Need, ...]:
    """All that is wrong with a unit, the gravest first."""
    return tuple(sorted(_needs(unit, now_s), key=lambda need: _ORDER.index(need.kind)))


def rank(found: tuple[Need, ...]) -> int:
    """For sorting units by what they need."""
    return min((_ORDER.index(need.kind) for need in found), default=len(_ORDER))


def _needs(unit: Unit, now_s: int) -> Iterable[Need]:
    if unit.gone:
        yield from _of_who_is_gone(unit.gone, unit, now_s)
        return
    if unit.copied_s is not None:
        yield Need(
            "copied",
            f"{COPIED}: its view log has said otherwise before",
            "Call the shop: was the card changed, did the power fail? If so, the co-ordinator says so here. If nobody"
            " knows of it, somebody has a copy of the card, and with it this gallery: have the fleet engineer revoke"
            " the unit now and fit another. Until then its lease is not renewed.",
            unit.copied_s,
        )
    if unit.gap is not None:
        count, since_s = unit.gap
        yield Need(
            "gap",
            f"{count:,} record{'' if count == 1 else 's'} of its view log {'is' if count == 1 else 'are'} missing",
            "Whom the shop looked at then is not known. A worn card loses records; somebody may also have removed them:"
            f" ask the shop who had the unit. {_ENGINEER}",
            since_s,
        )
    if not unit.has_key:
        yield Need(
            "no-key",
            "It gets no gallery: nothing can be sealed to it",
            f"It was set up before galleries. {_ENGINEER} It has to be replaced: watchlink fleet replace.",
        )
    elif unit.asked_s is None:
        yield Need(
            "never-asked",
            "It has never asked for its gallery",
            f"{_CONTACT} If all is well there: {_ENGINEER[:1].lower()}{_ENGINEER[1:]}",
        )
    else:
        yield from _of_galleries(unit, unit.asked_s, now_s)


def _of_who_is_gone(why: Literal["struck", "left"], unit: Unit, now_s: int) -> Iterable[Need]:
    ends_s = max((unit.asked_s + one.lease_s for one in unit.galleries if unit.asked_s is not None), default=0)
    if ends_s <= now_s:
        return
    held = " and ".join(f"gallery {one.held.number} of {one.scheme}" for one in unit.galleries if one.held is not None)
    if why == "struck":
        to_do = "Nothing reaches it any more. Whoever has it may show that until its lease ends."
        yield Need(why, f"It was taken out of use, and holds {held}", to_do, unit.asked_s, ends_s)
    else:
        to_do = f"It deletes it as soon as it asks. {_CONTACT}"
        yield Need(why, f"It is not in the scheme any more, and has not deleted {held}", to_do, unit.asked_s, ends_s)


def _of_galleries(unit: Unit, asked_s: int, now_s: int) -> Iterable[Need]:
    is_silent = now_s - asked_s > SILENT_S
    is_off = must_delete = False
    for one in unit.galleries:
        ends_s = asked_s + one.lease_s
        is_off = is_off or ends_s <= now_s
        held = one.held
        if not one.newest or (now_s - one.published_s <= GIVEN_S and not is_silent):
            continue
        if held is None:
            if not is_silent:
                yield Need(
                    "nothing-held", f"{one.scheme}: it holds no gallery", f"It asks, and keeps nothing. {_ENGINEER}"
                )
        elif held.number > one.newest:
            yield Need(
                "too-new",
                f"{one.scheme}: it holds gallery {held.number}, and this office has come to {one.newest} only",
                "This office was restored from a backup. The unit takes no lower number, so whoever is taken off now is"
                " still shown there. Tell the office’s engineer.",
                held.since_s,
            )
        elif held.number < one.newest and one.must_delete and ends_s > now_s:
            must_delete = True
            yield Need(
                "not-deleted",
                f"{one.scheme}: {NOT_DELETED} who was taken off since gallery {held.number}",
                f"{_CONTACT} Until then the shop may show somebody whose ban was lifted: tell them who it is.",
                one.published_s,
                ends_s,
            )
        elif held.number < one.newest and not is_silent:
            yield Need(
                "lacks-newest",
                f"{one.scheme}: it lacks the newest gallery",
                f"Whoever was added since is not shown there. {_ENGINEER}",
                one.published_s,
            )
        elif not held.is_complete and now_s - held.since_s > GIVEN_S and not is_silent:
            yield Need(
                "lacks-photographs",
                f"{one.scheme}: photographs are missing",
                f"It fetches them still, or has no room left. {_ENGINEER}",
                held.since_s,
            )
    if is_silent:
        said = "No contact, and its gallery is off" if is_off else "No contact"
        last_s = max((asked_s + one.lease_s for one in unit.galleries), default=None)
        # What to do, and until when it matters, is said once.
        is_told = must_delete or is_off
        yield Need("silent", said, "" if must_delete else _CONTACT, asked_s, None if is_told else last_s)
