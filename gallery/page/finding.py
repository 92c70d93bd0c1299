"""Finding somebody in the gallery: by name, reference or what they did; here; this week. Pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from functools import cached_property
from hashlib import sha256
from typing import Final, Literal
from urllib.parse import urlencode

from msgspec import Struct

from gallery.page.ports import Person, Snapshot
from wire.gallery_lines import Category

WEEK_S: Final = 7 * 86_400
QUERY_CHARS_MAX: Final = 60
_PAGE_DIGITS_MAX: Final = 4
PAGE: Final = 24
"""People on a page of the list."""
CATEGORY_WORDS: Final[dict[Category, str]] = {
    "theft": "Theft",
    "fraud": "Fraud",
    "criminal-damage": "Criminal damage",
    "disorder": "Disorder",
    "abuse-of-staff": "Threats or abuse of staff",
    "violence": "Violence",
    "drugs": "Drugs",
}

Only = Literal["here", "this-week"]
ONLY_WORDS: Final[dict[Only, str]] = {"here": "Here", "this-week": "This week"}


class Wanted(Struct, frozen=True):
    """What is looked for, as the URL says it.

    Attributes:
        query: words, each of which must occur.
        only: filters that are on.
        page: 1, 2, …
    """

    query: str = ""
    only: frozenset[Only] = frozenset()
    page: int = 1

    @property
    def is_all(self) -> bool:
        """Nothing is left out."""
        return not (self.query or self.only)

    def url(self, page: int = 1) -> str:
        """Where this is shown."""
        pairs: list[tuple[str, str]] = [("only", one) for one in ONLY_WORDS if one in self.only]
        if self.query:
            pairs.append(("q", self.query))
        if page > 1:
            pairs.append(("page", str(page)))
        return f"/?{urlencode(pairs)}" if pairs else "/"

    def turned(self, only: Only) -> Wanted:
        """With this filter on, if it is off, or off."""
        return Wanted(self.query, self.only ^ {only})

    @property
    def hidden(self) -> list[Only]:
        """Filters that the search keeps."""
        return [one for one in ONLY_WORDS if one in self.only]


def wanted(query: str, only: Iterable[str], page: str) -> Wanted:
    """From a URL; what makes no sense is left out."""
    return Wanted(
        " ".join(query[:QUERY_CHARS_MAX].split()),
        frozenset(one for one in ONLY_WORDS if one in only),
        int(page) if page.isascii() and page.isdigit() and len(page) <= _PAGE_DIGITS_MAX and int(page) else 1,
    )


class _Plain(dict[int, str]):
    """What a letter is compared as, by its code; remembered, but for rare ones."""

    def __missing__(self, code: int) -> str:
        letter = chr(code)
        plain = "" if unicodedata.combining(letter) else letter if letter.isalnum() else " "
        if code < _COMMON:
            self[code] = plain
        return plain


_COMMON: Final = 0x3000
_PLAIN: Final = _Plain()


def folded(text: str) -> str:
    """As texts are compared: without case, accents and signs."""
    return unicodedata.normalize("NFKD", text.casefold()).translate(_PLAIN)


_CATEGORIES: Final = {category: folded(words) for category, words in CATEGORY_WORDS.items()}


class Index:
    """Texts of one snapshot's people, folded once. A search reads them all: 10,000 take some milliseconds."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.schemes = snapshot.schemes
        self.people = tuple(sorted((one for of in snapshot.schemes for one in of.people), key=_newest))
        self._texts: list[str] | None = None

    @cached_property
    def name(self) -> str:
        """Of who is in it, and as what: another list has another."""
        names = ",".join(f"{one.scheme}.{one.case}.{one.since}.{len(one.sizes)}" for one in self.people)
        return sha256(names.encode()).hexdigest()[:16]

    def found(self, looked_for: Wanted, now_s: int) -> list[Person]:
        """Those that match, newest first."""
        people: Iterable[Person] = self.people
        terms = folded(looked_for.query).split()
        if terms:
            if self._texts is None:
                self._texts = [_text(one) for one in self.people]
            people = [
                one for one, text in zip(self.people, self._texts, strict=True) if all(term in text for term in terms)
            ]
        if "here" in looked_for.only:
            people = [one for one in people if one.is_here]
        if "this-week" in looked_for.only:
            people = [one for one in people if one.not_before_s > now_s - WEEK_S]
        return list(people)

    def person(self, scheme: int, case: int) -> Person | None:
        """One of them."""
        return next((one for one in self.people if (one.scheme, one.case) == (scheme, case)), None)

    def by_reference(self, scheme: int, number: int) -> Person | None:
        """Whose reference has this number, as alerts say it."""
        return next((one for one in self.people if one.scheme == scheme and number_of(one) == number), None)


def number_of(person: Person) -> int:
    """``HART-0042`` is 42."""
    return int(person.text.reference.rpartition("-")[2])


def _newest(person: Person) -> tuple[int, int, int]:
    """Ban's first day, then what the office issued last."""
    return -person.not_before_s, -person.since, -person.case


def _text(person: Person) -> str:
    reference = person.text.reference
    words = folded(f"{reference} {reference.replace('-', '')} {person.text.name}")
    return f"{words} {number_of(person)} {_CATEGORIES[person.text.category]}"
