"""The rights of a person whom a case is about, and how long anything is kept (G13). Pure: no database, no clock.

Days are those of Europe/London.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import Final, Literal

from dateutil.relativedelta import relativedelta
from msgspec import Struct

RequestKind = Literal["access", "objection", "correction", "erasure", "restriction", "complaint"]
REQUEST_TITLES: Final[Mapping[RequestKind, str]] = {
    "access": "Wants to know what is held",
    "objection": "Objects",
    "correction": "Wants a correction",
    "erasure": "Wants erasure",
    "restriction": "Wants restriction",
    "complaint": "Complains",
}
Way = Literal["reference", "name", "photograph"]
WAY_TITLES: Final[Mapping[Way, str]] = {
    "reference": "By the reference on the notice",
    "name": "By name and date of birth",
    "photograph": "By a person comparing photographs",
}
"""How the person is found in the register. Faces are never compared by a machine."""

REJECTED_KEPT: Final = timedelta(days=28)
"""Nominations that the members did not accept, that were withdrawn or have lapsed; and people without a case."""
PHOTOGRAPH_KEPT: Final = timedelta(days=28)
"""After the end of an exclusion."""
ENDED_KEPT: Final = relativedelta(months=12)
"""The rest of it: a new case is judged by the tariff's second column."""
REQUESTS_KEPT: Final = relativedelta(months=24)
"""After they were settled."""
ACKNOWLEDGED_WITHIN: Final = timedelta(days=30)
"""Complaints."""
CLOCK_SLACK: Final = timedelta(days=7)
FORESEEN: Final = timedelta(days=28)
"""What goes is shown this long before."""
Others = Mapping[str, list[tuple[str, str]]]
"""(folded name, what stands in its place) by the name's first word."""
BETWEEN_NAMES: Final = "; "
_NAME_CHARS_MIN: Final = 3
_WORD: Final = re.compile(r"\w+")


def due_on(kind: RequestKind, received_on: date) -> date:
    """The last day to answer a request: a month; of a complaint, to acknowledge it: 30 days."""
    return received_on + (ACKNOWLEDGED_WITHIN if kind == "complaint" else relativedelta(months=1))


def is_late(kind: RequestKind, due: date, today: date, *, is_acknowledged: bool, is_done: bool) -> bool:
    """Whether the day to answer by has gone by. An acknowledged complaint has no day; it is answered without delay."""
    if is_done or (kind == "complaint" and is_acknowledged):
        return False
    return today > due


def why_not_identify(way: Way, *, compared_by: str, proof: str) -> str | None:
    """Why it is not established enough who asks; ``None`` = it is."""
    if not proof.strip():
        return "Say how the person proved who they are."
    if way == "photograph" and not compared_by.strip():
        return "Say who compared the photographs."
    return None


def why_not_erase(*, has_standing_case: bool, reason: str) -> str | None:
    """Why a person cannot be erased from the register, and what to do; ``None`` = they can be."""
    if has_standing_case and not reason.strip():
        return "An exclusion or a nomination still stands. Say why it is erased all the same: it ends with this."
    return None


class Kept(Struct, frozen=True):
    """A case, for its retention.

    Attributes:
        number: in the scheme.
        was_accepted: the members decided to exclude, and it did not lapse.
        over_on: when nothing more could follow; ``None`` = it still stands.
        is_erased: nothing of it but numbers and dates is left.
    """

    number: int
    was_accepted: bool
    over_on: date | None
    is_erased: bool = False

    def goes_on(self) -> date | None:
        """From when it is erased; ``None`` = it still stands, or is erased already."""
        if self.over_on is None or self.is_erased:
            return None
        return self.over_on + (ENDED_KEPT if self.was_accepted else REJECTED_KEPT)


class KeptPerson(Struct, frozen=True):
    """A person in the register, for their retention.

    Attributes:
        added_on: to the register.
        cases: all of theirs.
        has_photographs: any are left.
        has_open_request: one of theirs is not settled: nothing goes before it is.
    """

    added_on: date
    cases: tuple[Kept, ...]
    has_photographs: bool
    has_open_request: bool = False


class Schedule(Struct, frozen=True):
    """When what is held of a person goes; ``None`` = not yet foreseeable, or gone already.

    Attributes:
        photographs: all of them.
        cases: by number.
        person: name and everything else; only the reference is left.
    """

    photographs: date | None
    cases: Mapping[int, date]
    person: date | None


def schedule(person: KeptPerson) -> Schedule:
    """When what is held of a person who is not erased goes.

    One case that stands keeps the photographs and the person, not the other cases.
    """
    if person.has_open_request:
        return Schedule(None, {}, None)
    cases = {case.number: day for case in person.cases if (day := case.goes_on()) is not None}
    ends = [case.over_on for case in person.cases]
    if not ends:
        goes = person.added_on + REJECTED_KEPT
        return Schedule(goes if person.has_photographs else None, {}, goes)
    over = [end for end in ends if end is not None]
    if len(over) < len(ends):
        return Schedule(None, cases, None)
    photographs = max(over) + PHOTOGRAPH_KEPT if person.has_photographs else None
    return Schedule(photographs, cases, max(cases.values(), default=max(over) + PHOTOGRAPH_KEPT))


def request_goes_on(done_on: date | None) -> date | None:
    """From when a request is deleted; ``None`` = it is not settled."""
    return None if done_on is None else done_on + REQUESTS_KEPT


def may_trust_clock(today: date, newest_record_on: date | None) -> bool:
    """Whether anything may be erased by this clock: it agrees with what people did last, within a week.

    Args:
        today: as the clock says.
        newest_record_on: day of the audit's newest row; ``None`` = there is none.
    """
    return newest_record_on is not None and timedelta() <= today - newest_record_on <= CLOCK_SLACK


def other_names(also_known_as: str) -> list[str]:
    """Each of the names by which a person is also known: ``Jackdaw; Jack Reed`` → two."""
    return [name for name in map(str.strip, also_known_as.split(BETWEEN_NAMES[0])) if name]


def by_first_word(others: Iterable[tuple[str, str]]) -> Others:
    """Names, so that those in a text are found without trying them all.

    Args:
        others: (name, what stands in its place).
    """
    index: dict[str, list[tuple[str, str]]] = {}
    for name, instead in others:
        folded = name.casefold()
        first = _WORD.search(folded)
        if first and len(folded) >= _NAME_CHARS_MIN:
            index.setdefault(first[0], []).append((folded, instead))
    return index


def without_others(text: str, others: Others, own_names: Iterable[str]) -> str:
    """A text for the person it is about, other people's names left out.

    Args:
        text: as somebody wrote it.
        others: from :func:`by_first_word`.
        own_names: the person's; parts of them are never replaced.
    """
    lowered, own = text.casefold(), " ".join(own_names).casefold()
    found = {
        name: instead
        for word in {*_WORD.findall(lowered)}
        for name, instead in others.get(word, ())
        if name in lowered and name not in own
    }
    if not found:
        return text
    # A letter may become two: ß is ss.
    places = [place for place, letter in enumerate(text) for _ in letter.casefold()] + [len(text)]
    longest_first = sorted(found, key=len, reverse=True)
    pattern = r"(?<!\w)(?:" + "|".join(map(re.escape, longest_first)) + r")(?!\w)"
    told, at = "", 0
    for hit in re.finditer(pattern, lowered):
        told += text[at : places[hit.start()]] + found[hit[0]]
        at = places[hit.end()]
    return told + text[at:]
