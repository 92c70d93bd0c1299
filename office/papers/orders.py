"""What is to be printed, as the pages order it from the program that makes PDFs. Pure: no Django, no PDF.

An order carries all that the paper says. Whoever changes a premises or a name while it prints changes no paper.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Final

from msgspec import Meta, Struct

from wire.text import display_text

NAME_CHARS_MAX: Final = 300
TEXT_CHARS_MAX: Final = 2_000
PREMISES_MAX: Final = 1_000
PHOTOGRAPH_BYTES_MAX: Final = 2_000_000
MEETING_CASES_MAX: Final = 100
"""More than a meeting reads."""
HELD_FACTS_MAX: Final = 500
"""About as many as are drawn in time; more are in the file for other programs."""
STATEMENT_PARAGRAPHS_MAX: Final = 40
CUSTODY_ROWS_MAX: Final = 100
PREMISES_ON_FRONT_MAX: Final = 8
"""More are listed behind the privacy notice, on pages of their own."""
UNKNOWN_NAME: Final = "A person whose name we do not know"

Name = Annotated[str, Meta(max_length=NAME_CHARS_MAX)]
Text = Annotated[str, Meta(max_length=TEXT_CHARS_MAX)]


class UnreadablePaperError(Exception):
    """The PDF does not say to a screen reader what it shows, so it is not released.

    The message names the faults, and nothing of what the paper says.
    """


class NamedPremises(Struct, frozen=True, forbid_unknown_fields=True):
    """A premises, as the notice names it."""

    name: Name
    place: Name


class NoticePaper(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="notice"):
    """A version of a notice, with what its scheme has settled for its papers.

    Attributes:
        scheme: name of the scheme.
        title: what the scheme calls the paper, such as ``Exclusion order``.
        reference: of the person, ``HART-0042``.
        case_number, version: of the case, and of its notice.
        name: of the person; empty = not known.
        category: of the conduct, as people read it.
        conduct: what happened.
        happened_on, happened_at: day and place.
        decided_on: day of the members' decision; ``None`` = not recorded.
        first_on, last_on: days of the exclusion; both count.
        premises: the snapshot of this version.
        responsible: the controllers, with address.
        contact: how a person asks, appeals and complains.
        issued_on: day of this version.
        standing: empty for the newest version of an exclusion in force; else a sentence that says what this copy is.
        photograph: JPEG or PNG, of a person whose name is not known; empty = none.
        is_regional: what happened was told by somebody outside the scheme.
        is_pocket_size: both sides of a card of 105 × 74 mm instead of A4.
    """

    scheme: Name
    title: Name
    reference: Name
    case_number: int
    version: int
    name: Name
    category: Name
    conduct: Text
    happened_on: date
    happened_at: Name
    decided_on: date | None
    first_on: date
    last_on: date
    premises: tuple[NamedPremises, ...]
    responsible: Text
    contact: Text
    issued_on: date
    standing: Text = ""
    photograph: Annotated[bytes, Meta(max_length=PHOTOGRAPH_BYTES_MAX)] = b""
    is_regional: bool = False
    is_pocket_size: bool = False


class MeetingCase(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A case as a meeting hears it: there is no field for who it is.

    Attributes:
        number: of the case, by which it is read out.
        category: of the conduct, as people read it.
        conduct, evidence: what happened, and what there is.
        happened_on, happened_at: day and place.
        months: proposed.
        months_reason: why another number than the tariff's.
        where, necessity: from which premises, and why all these.
        tariff_first, tariff_again: months; the second if excluded before.
        until: the last day on which a regional source may be used; ``None`` = local.
        is_repeat: excluded before.
        is_minor: under 18, or believed to be.
    """

    number: int
    category: Name
    conduct: Text
    evidence: Text
    happened_on: date
    happened_at: Name
    months: int
    months_reason: Text
    where: Text
    necessity: Text
    tariff_first: int
    tariff_again: int
    until: date | None = None
    is_repeat: bool
    is_minor: bool


class MeetingPaper(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="meeting"):
    """The cases that a meeting decides on.

    Attributes:
        scheme: name of the scheme.
        printed_on: day.
        cases: by number.
    """

    scheme: Name
    printed_on: date
    cases: Annotated[tuple[MeetingCase, ...], Meta(min_length=1, max_length=MEETING_CASES_MAX)]


class HeldFact(Struct, frozen=True, forbid_unknown_fields=True):
    """A label and what is held."""

    label: Text
    text: Text


class HeldPart(Struct, frozen=True, forbid_unknown_fields=True):
    """A heading with facts under it."""

    title: Name
    facts: tuple[HeldFact, ...]


class HeldPaper(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="held"):
    """Everything held of a person, as they are given it.

    Attributes:
        scheme: name of the scheme.
        reference: of the person.
        responsible, contact: from the scheme's terms.
        made_on: day.
        about: sentences of why, for how long and from where.
        parts: in the order of a reader; at most :data:`HELD_FACTS_MAX` facts.
        photographs: the face in each, JPEG or PNG.
    """

    scheme: Name
    reference: Name
    responsible: Text
    contact: Text
    made_on: date
    about: tuple[Text, ...]
    parts: tuple[HeldPart, ...]
    photographs: tuple[Annotated[bytes, Meta(max_length=PHOTOGRAPH_BYTES_MAX)], ...] = ()


class Exhibit(Struct, frozen=True, forbid_unknown_fields=True):
    """What a statement refers to, and by which mark: ``AA/1``."""

    mark: Name
    what: Text


class CustodyRow(Struct, frozen=True, forbid_unknown_fields=True):
    """What was done with a photograph: when, what, and by whom."""

    at: Name
    what: Text
    by: Name


class StatementPaper(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="statement"):
    """A draft of a witness statement (Criminal Justice Act 1967, s. 9). Nobody has signed it.

    Attributes:
        scheme: name of the scheme.
        reference: of the person whom it is about.
        witness, occupation, crime_reference: empty = a line to write on.
        paragraphs: what the witness would say; they are numbered.
        blank_lines: to write on, after them.
        exhibits: in the order of their marks.
        photograph_mark: of the photograph among them; empty = there is none.
        custody: of the photograph, in order of time.
        made_on, made_by: day, and who put it together.
    """

    scheme: Name
    reference: Name
    witness: Name
    occupation: Name
    crime_reference: Name
    paragraphs: Annotated[tuple[Text, ...], Meta(min_length=1, max_length=STATEMENT_PARAGRAPHS_MAX)]
    blank_lines: Annotated[int, Meta(ge=0, le=40)]
    exhibits: Annotated[tuple[Exhibit, ...], Meta(max_length=STATEMENT_PARAGRAPHS_MAX)]
    photograph_mark: Name
    custody: Annotated[tuple[CustodyRow, ...], Meta(max_length=CUSTODY_ROWS_MAX)]
    made_on: date
    made_by: Name


Order = NoticePaper | MeetingPaper | HeldPaper | StatementPaper
ORDER_BYTES_MAX: Final = 4_000_000


def why_not_print(paper: NoticePaper) -> str | None:
    """Why a notice cannot be handed to anybody, and what to do; ``None`` = it can."""
    if not paper.premises:
        return "This notice names no premises. Issue a new version once the exclusion covers one."
    if len(paper.premises) > PREMISES_MAX:
        return f"This notice names more than {PREMISES_MAX:,} premises. Exclude from a listed set, then print it."
    if not display_text(paper.responsible, TEXT_CHARS_MAX):
        return "The notice must say who is responsible. Record that in the scheme's terms, then print it."
    if not display_text(paper.contact, TEXT_CHARS_MAX):
        return "The notice must say how to appeal and to complain. Record that in the scheme's terms, then print it."
    return None


def day_text(day: date) -> str:
    """``27 May 2027``."""
    return f"{day.day} {day:%B %Y}"


def person_text(paper: NoticePaper) -> str:
    """How the paper calls the person."""
    return display_text(paper.name, NAME_CHARS_MAX) or UNKNOWN_NAME
