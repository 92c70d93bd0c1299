"""What the office knows of a premises, and how it is read from what people type.

Pages and CSV files are read by the same functions, so neither accepts what the other refuses. The bounds are those of
:class:`wire.snapshots.PremisesEntry`: what is accepted here can always be published.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec
from msgspec import Struct

from wire.limits import NAME_CHARS_MAX, SCHEMES_PER_NODE_MAX, TEXT_CHARS_MAX
from wire.snapshots import ContactEntry, Place, PremisesEntry
from wire.text import display_text

CONTACTS_MAX: Final = 16
PHONE_CHARS_MAX: Final = 32
NOTES_CHARS_MAX: Final = 2_000
SCHEMES_MAX: Final = SCHEMES_PER_NODE_MAX
_PHONE_DIGITS_MIN: Final = 3
_NUMBER_LONGEST: Final = 2**53
_SCHEME_LONGEST: Final = 2**16 - 1
_POSITION_DIGITS: Final = 6
"""0.1 m."""

LABELS: Final[Mapping[str, str]] = {
    "name": "Name",
    "place": "Street or area",
    "address": "Address",
    "latitude": "Latitude",
    "longitude": "Longitude",
    "opening_hours": "Opening hours",
    "staff_contact": "How to reach staff",
    "when_going": "When going there",
    "contacts": "Contacts",
}
"""Of the fields of :class:`PremisesFacts`, for people."""
CONTACT_LABELS: Final[Mapping[str, str]] = {
    "name": "name",
    "phone": "phone",
    "is_key_holder": "key-holder",
    "note": "note",
}
CHARS_MAX: Final[Mapping[str, int]] = {
    "name": NAME_CHARS_MAX,
    "place": NAME_CHARS_MAX,
    "address": TEXT_CHARS_MAX,
    "opening_hours": TEXT_CHARS_MAX,
    "staff_contact": TEXT_CHARS_MAX,
    "when_going": NOTES_CHARS_MAX,
}
CONTACT_CHARS_MAX: Final[Mapping[str, int]] = {"name": NAME_CHARS_MAX, "phone": PHONE_CHARS_MAX, "note": TEXT_CHARS_MAX}
SEVERAL_LINES: Final = frozenset({"address", "opening_hours", "staff_contact", "when_going"})

_NUMBER: Final = re.compile(r"([+\-\u2212]?)([0-9]{1,3})(?:[.,]([0-9]{1,18}))?")
_SPACES: Final = str.maketrans({"\t": " ", "\u00a0": " ", "\u202f": " "})
"""What a word processor or a spreadsheet writes for a space."""
YES: Final = frozenset({"yes", "y", "true", "1", "x", "on"})
NO: Final = frozenset({"", "no", "n", "false", "0"})


class ContactFacts(Struct, frozen=True, kw_only=True):
    """A person to reach at a premises."""

    name: str
    phone: str = ""
    is_key_holder: bool = False
    note: str = ""


class PremisesFacts(Struct, frozen=True, kw_only=True):
    """What is known of a premises, its member and schemes apart."""

    name: str
    place: str = ""
    address: str = ""
    latitude: float | None = None
    longitude: float | None = None
    opening_hours: str = ""
    staff_contact: str = ""
    when_going: str = ""
    contacts: tuple[ContactFacts, ...] = ()


class Problem(Struct, frozen=True):
    """What is wrong with a field, as a sentence that says what to do.

    Attributes:
        field: a field of :class:`PremisesFacts`, or ``contacts-INDEX-FIELD`` (from 0), or ``contacts``.
        sentence: for people.
    """

    field: str
    sentence: str


class TextRefusedError(ValueError):
    """A text that no screen could show as it is, or that is too long."""


def clean_line(text: str, chars_max: int) -> str:
    """One line that every screen shows unchanged, composed (NFC), without spaces at its ends; may be empty.

    Raises:
        TextRefusedError: too long, or with characters that no screen should show.
    """
    spaced = text.translate(_SPACES)
    if len(spaced) > 4 * chars_max:
        raise TextRefusedError(f"Too long: use {chars_max} characters at most.")
    shown = display_text(spaced, 4 * chars_max)
    visible = "".join(unicodedata.normalize("NFC", spaced).split(" "))
    if visible != shown.replace(" ", ""):
        raise TextRefusedError(
            "Contains characters that cannot be shown, such as control or text-direction characters. "
            f"Type it again; without them it reads “{display_text(spaced, NAME_CHARS_MAX)}”."
        )
    if len(shown) > chars_max:
        raise TextRefusedError(f"Too long: {len(shown)} characters; use {chars_max} at most.")
    return shown


def clean_lines(text: str, chars_max: int) -> str:
    r"""Like :func:`clean_line`, but lines may be broken by ``\n``; empty lines at the ends go.

    Raises:
        TextRefusedError: as there.
    """
    one_kind = text.replace("\r\n", "\n").replace("\r", "\n")
    if len(one_kind) > 4 * chars_max:
        raise TextRefusedError(f"Too long: use {chars_max} characters at most.")
    cleaned = "\n".join(clean_line(line, 4 * chars_max) for line in one_kind.split("\n")).strip("\n")
    if len(cleaned) > chars_max:
        raise TextRefusedError(f"Too long: {len(cleaned)} characters; use {chars_max} at most.")
    return cleaned


def read_premises(
    texts: Mapping[str, str], contacts: Sequence[Mapping[str, str]]
) -> tuple[PremisesFacts | None, tuple[Problem, ...]]:
    """What was typed as facts, or every problem of it.

    Args:
        texts: by field; a missing one is empty.
        contacts: texts of each contact by field; wholly empty ones are skipped.
    """
    problems: list[Problem] = []
    cleaned = {field: _cleaned(field, texts.get(field, ""), problems) for field in CHARS_MAX}
    if not cleaned["name"] and all(problem.field != "name" for problem in problems):
        problems.append(Problem("name", "Enter the name of the premises."))
    latitude, longitude = _position(texts.get("latitude", ""), texts.get("longitude", ""), problems)
    read = [_contact(index, contact, problems) for index, contact in enumerate(contacts)]
    kept = tuple(contact for contact in read if contact is not None)
    if len(kept) > CONTACTS_MAX:
        problems.append(Problem("contacts", f"There are {len(kept)} contacts; keep {CONTACTS_MAX} at most."))
    if problems:
        return None, tuple(problems)
    facts = PremisesFacts(**cleaned, latitude=latitude, longitude=longitude, contacts=kept)
    return facts, ()


def entry_of(number: int, facts: PremisesFacts, schemes: Iterable[int]) -> PremisesEntry:
    """A premises with this number at the office, in these schemes. Bounds are not checked here."""
    position = None
    if facts.latitude is not None and facts.longitude is not None:
        position = Place(latitude=facts.latitude, longitude=facts.longitude)
    return PremisesEntry(
        premises=number,
        name=facts.name,
        schemes=tuple(sorted(schemes)),
        place=facts.place,
        address=facts.address,
        position=position,
        opening_hours=facts.opening_hours,
        staff_contact=facts.staff_contact,
        when_going=facts.when_going,
        contacts=tuple(
            ContactEntry(name=contact.name, phone=contact.phone, is_key_holder=contact.is_key_holder, note=contact.note)
            for contact in facts.contacts
        ),
    )


def entry_bytes(facts: PremisesFacts) -> int:
    """At most so much a premises takes in a snapshot, whatever its number and schemes."""
    return len(msgspec.json.encode(entry_of(_NUMBER_LONGEST, facts, [_SCHEME_LONGEST] * SCHEMES_MAX))) + len(",")


def texts_of(facts: PremisesFacts) -> dict[str, str]:
    """Facts as people read and type them, by field; ``contacts`` has one line for each."""
    texts = {field: getattr(facts, field) for field in CHARS_MAX}
    texts["latitude"] = degrees_text(facts.latitude)
    texts["longitude"] = degrees_text(facts.longitude)
    texts["contacts"] = "\n".join(map(contact_line, facts.contacts))
    return {field: texts[field] for field in LABELS}


def contact_texts(contact: ContactFacts) -> dict[str, str]:
    """A contact as people type it, by field."""
    return {
        "name": contact.name,
        "phone": contact.phone,
        "is_key_holder": "yes" if contact.is_key_holder else "",
        "note": contact.note,
    }


def contact_line(contact: ContactFacts) -> str:
    """A contact on one line: ``J Patel · 01604 496 000 · key-holder · after six``."""
    parts = (contact.name, contact.phone, "key-holder" if contact.is_key_holder else "", contact.note)
    return " · ".join(part for part in parts if part)


def degrees_text(degrees: float | None) -> str:
    """``52.2405``; empty for none. :func:`read_premises` reads it back to the same number."""
    if degrees is None:
        return ""
    text = f"{degrees:.{_POSITION_DIGITS}f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def folded(text: str) -> str:
    """For searching and for telling two names alike: no capitals, no accents, single spaces."""
    if text.isascii():  # nothing to take apart, in a tenth of the time
        return " ".join(text.casefold().split())
    decomposed = unicodedata.normalize("NFKD", text)
    return " ".join("".join(c for c in decomposed if not unicodedata.combining(c)).casefold().split())


def _cleaned(field: str, text: str, problems: list[Problem]) -> str:
    clean = clean_lines if field in SEVERAL_LINES else clean_line
    try:
        return clean(text, CHARS_MAX[field])
    except TextRefusedError as e:
        problems.append(Problem(field, str(e)))
        return ""


def _position(latitude: str, longitude: str, problems: list[Problem]) -> tuple[float | None, float | None]:
    latitude, longitude = latitude.strip(), longitude.strip()
    if "," in latitude and not longitude:  # as maps copy it: "52.2405, -0.9027"
        latitude, longitude = (part.strip() for part in latitude.split(",", 1))
    if not latitude and not longitude:
        return None, None
    if not latitude or not longitude:
        missing = "longitude" if latitude else "latitude"
        problems.append(Problem(missing, "Enter both latitude and longitude, or neither."))
        return None, None
    return _degrees("latitude", latitude, 90, problems), _degrees("longitude", longitude, 180, problems)


def _degrees(field: str, text: str, most: int, problems: list[Problem]) -> float | None:
    match = _NUMBER.fullmatch(text)
    if match is None:
        problems.append(Problem(field, "Enter degrees as a number, such as 52.2405 or -0.9027."))
        return None
    size = float(f"{match[2]}.{match[3] or 0}")
    if size > most:
        problems.append(Problem(field, f"{LABELS[field]} must be between -{most} and {most}."))
        return None
    degrees = round(-size if match[1] in ("-", "\u2212") else size, _POSITION_DIGITS)
    return degrees or 0.0  # never -0.0


def _contact(index: int, texts: Mapping[str, str], problems: list[Problem]) -> ContactFacts | None:
    cleaned: dict[str, str] = {}
    for field, chars_max in CONTACT_CHARS_MAX.items():
        try:
            cleaned[field] = clean_line(texts.get(field, ""), chars_max)
        except TextRefusedError as e:
            problems.append(Problem(f"contacts-{index}-{field}", str(e)))
            return None
    key = texts.get("is_key_holder", "").strip().casefold()
    if key not in YES | NO:
        problems.append(Problem(f"contacts-{index}-is_key_holder", "Enter yes or no."))
        return None
    if not any(cleaned.values()) and key in NO:
        return None
    if not cleaned["name"]:
        problems.append(Problem(f"contacts-{index}-name", "Enter the contact's name."))
        return None
    if cleaned["phone"] and sum(c.isdigit() for c in cleaned["phone"]) < _PHONE_DIGITS_MIN:
        problems.append(Problem(f"contacts-{index}-phone", "Enter a phone number in digits."))
        return None
    return ContactFacts(**cleaned, is_key_holder=key in YES)
