"""What a CSV file of premises would change: every row checked, nothing done yet.

Pure. The columns are those of an export, so an export can be edited and imported again. What a file does not have as a
column stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from msgspec import Struct

from office.members.csv_cells import Row, Table
from office.members.facts import (
    CONTACT_LABELS,
    CONTACTS_MAX,
    LABELS,
    PremisesFacts,
    TextRefusedError,
    clean_line,
    contact_texts,
    entry_bytes,
    folded,
    read_premises,
    texts_of,
)
from office.members.rules import (
    MAY_NOT_MOVE,
    NO_ROOM,
    PREMISES_MAX,
    SchemesRefusedError,
    has_room,
    schemes_after,
)
from wire.limits import NAME_CHARS_MAX

NUMBER: Final = "Number"
VERSION: Final = "Version"
MEMBER: Final = "Member"
SCHEMES: Final = "Schemes"
_FIELDS: Final = {label: field for field, label in LABELS.items() if field != "contacts"}
_SCHEME_SEPARATORS: Final = re.compile(r"[,;|/\n]")
_WITHOUT_ZERO: Final = re.compile(r"[1-9][0-9]{8,9}")
"""A British phone number whose 0 a spreadsheet has dropped."""
_LINES_TOLD_MAX: Final = 5
_DIGITS: Final = re.compile(r"[0-9]{1,15}")


class OwnScheme(Struct, frozen=True):
    """A scheme of the person who imports."""

    number: int
    slug: str
    name: str


class Existing(Struct, frozen=True):
    """A premises that this person sees.

    Attributes:
        schemes: those of its schemes that are theirs.
        elsewhere: the others, of which they are not told.
    """

    number: int
    version: int
    member: str
    schemes: frozenset[int]
    elsewhere: frozenset[int]
    facts: PremisesFacts

    @property
    def may_move(self) -> bool:
        """Whether they co-ordinate all its schemes, so that they may give it to another member."""
        return not self.elsewhere


class Known(Struct, frozen=True, kw_only=True):
    """What a file is compared with.

    Attributes:
        schemes: of the person who imports.
        premises: all that they see, by number.
        members: names of all that they see, in any order; one may occur twice.
        premises_in_town: how many there are, seen or not.
        bytes_in_town: what those take in a snapshot.
    """

    schemes: tuple[OwnScheme, ...]
    premises: Mapping[int, Existing]
    members: tuple[str, ...]
    premises_in_town: int
    bytes_in_town: int


class RowProblem(Struct, frozen=True):
    """What is wrong in a row: the line in the file, the column's heading, and what to do."""

    line: int
    column: str
    sentence: str


class Change(Struct, frozen=True):
    """A field that a row changes, as people read it."""

    label: str
    before: str
    after: str


class RowPlan(Struct, frozen=True):
    """A good row. ``number`` is ``None`` for a new premises; without ``changes`` nothing happens."""

    line: int
    number: int | None
    member: str
    schemes: frozenset[int]
    facts: PremisesFacts
    changes: tuple[Change, ...]


class ImportPlan(Struct, frozen=True):
    """What a file would do. With any problem it does nothing.

    Attributes:
        rows: the good ones.
        problems: of all others, by line.
        new_members: names that are not known yet, in the order of the file.
        notes: what a person should know before they continue.
    """

    rows: tuple[RowPlan, ...]
    problems: tuple[RowProblem, ...]
    new_members: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def new(self) -> tuple[RowPlan, ...]:
        """Rows that add a premises."""
        return tuple(row for row in self.rows if row.number is None)

    @property
    def changed(self) -> tuple[RowPlan, ...]:
        """Rows that change one."""
        return tuple(row for row in self.rows if row.number is not None and row.changes)

    @property
    def unchanged_count(self) -> int:
        """Rows that say what is there already."""
        return sum(not row.changes for row in self.rows)


def headings(contact_count: int) -> tuple[str, ...]:
    """Of a file with columns for this many contacts of each premises."""
    contacts = (contact_heading(index, field) for index in range(contact_count) for field in CONTACT_LABELS)
    return (NUMBER, VERSION, MEMBER, SCHEMES, *_FIELDS, *contacts)


def contact_heading(index: int, field: str) -> str:
    """``(0, "phone")`` → ``"Contact 1 phone"``."""
    return f"Contact {index + 1} {CONTACT_LABELS[field]}"


def cells_of(existing: Existing, schemes: Sequence[OwnScheme], contact_count: int) -> list[str]:
    """A premises as a row below :func:`headings`."""
    texts = texts_of(existing.facts)
    slugs = ", ".join(scheme.slug for scheme in schemes if scheme.number in existing.schemes)
    cells = [str(existing.number), str(existing.version), existing.member, slugs]
    cells += [texts[field] for field in _FIELDS.values()]
    for index in range(contact_count):
        held = existing.facts.contacts
        contact = contact_texts(held[index]) if index < len(held) else dict.fromkeys(CONTACT_LABELS, "")
        cells += [contact[field] for field in CONTACT_LABELS]
    return cells


def plan_import(table: Table, known: Known) -> ImportPlan:
    """Check every row of a file, and say what it would change."""
    return _Planning(table, known).plan()


class _RowRefusedError(Exception):
    def __init__(self, problems: tuple[tuple[str, str], ...]) -> None:
        super().__init__(problems)
        self.problems = problems


def _refusal(column: str, sentence: str) -> _RowRefusedError:
    return _RowRefusedError(((column, sentence),))


class _Planning:
    """One pass over a file."""

    def __init__(self, table: Table, known: Known) -> None:
        self._table = table
        self._known = known
        self._schemes = {folded(text): one.number for one in known.schemes for text in (one.slug, one.name)}
        self._members: dict[str, list[str]] = {}
        for name in known.members:
            self._members.setdefault(folded(name), []).append(name)
        self._new_members: dict[str, str] = {}
        self._by_place = {_place_key(one.member, one.facts): one.number for one in known.premises.values()}
        self._seen: dict[object, int] = {}
        self._columns: dict[str, int] = {}
        self._without_zero: list[int] = []
        self._more_bytes = 0

    def plan(self) -> ImportPlan:
        problems = self._read_headings()
        if problems:
            return ImportPlan((), problems, (), ())
        rows: list[RowPlan] = []
        found: list[RowProblem] = []
        for row in self._table.rows:
            try:
                rows.append(self._row(row))
            except _RowRefusedError as e:
                found += (RowProblem(row.line, column, sentence) for column, sentence in e.problems)
        added = sum(row.number is None for row in rows)
        if self._known.premises_in_town + added > PREMISES_MAX:
            found.append(RowProblem(self._table.rows[0].line, "", f"The office holds {PREMISES_MAX} premises at most."))
        if not has_room(self._known.bytes_in_town, self._more_bytes):
            found.append(RowProblem(self._table.rows[0].line, "", NO_ROOM))
        return ImportPlan(tuple(rows), tuple(found), tuple(self._new_members.values()), self._notes())

    def _read_headings(self) -> tuple[RowProblem, ...]:
        possible = {_key(heading): heading for heading in headings(CONTACTS_MAX)}
        problems = []
        for index, text in enumerate(self._table.headings):
            heading = possible.get(_key(text))
            if heading in self._columns:
                problems.append(RowProblem(1, text, "This column occurs twice. Remove one of them."))
            elif heading is not None:
                self._columns[heading] = index
        name = LABELS["name"]
        if name not in self._columns and NUMBER not in self._columns:
            problems.append(RowProblem(1, name, f"The first row must name the columns, and one must be called {name}."))
        return tuple(problems)

    def _notes(self) -> tuple[str, ...]:
        notes = []
        if self._table.is_windows_1252:
            notes.append("The file is not UTF-8, so it was read as Windows-1252. Check names with accents.")
        used = set(self._columns.values())
        unused = [text for index, text in enumerate(self._table.headings) if text and index not in used]
        if unused:
            notes.append(f"Not imported, because no column of the office is called so: {', '.join(unused)}.")
        if self._without_zero:
            lines = ", ".join(map(str, self._without_zero[:_LINES_TOLD_MAX]))
            more = " and more" if len(self._without_zero) > _LINES_TOLD_MAX else ""
            notes.append(
                f"Some phone numbers have no 0 in front: spreadsheets drop it. Check line {lines}{more}. "
                "In the spreadsheet, format the column as text, or write a space into the number."
            )
        return tuple(notes)

    def _row(self, row: Row) -> RowPlan:
        if len(row.cells) != len(self._table.headings):
            raise _refusal(
                "",
                f"This row has {len(row.cells)} cells, but there are {len(self._table.headings)} headings. "
                "Look for a missing or extra separator or quotation mark.",
            )
        cells = {heading: row.cells[index] for heading, index in self._columns.items()}
        before = self._existing(cells, row.line)
        facts = self._facts(cells, before, row.line)
        member = self._member(cells, before)
        schemes = self._chosen_schemes(cells, before)
        changes = tuple(self._changes(before, member, schemes, facts))
        if before is None:
            self._refuse_twice(_place_key(member, facts), row.line)
        self._more_bytes += entry_bytes(facts) - (0 if before is None else entry_bytes(before.facts))
        return RowPlan(row.line, None if before is None else before.number, member, schemes, facts, changes)

    def _existing(self, cells: Mapping[str, str], line: int) -> Existing | None:
        text = cells.get(NUMBER, "")
        if not text:
            return None
        number = int(text) if _DIGITS.fullmatch(text) else 0
        existing = self._known.premises.get(number)
        if existing is None:
            raise _refusal(
                NUMBER, f"You have no premises with the number {text[:20]}. Leave the cell empty to add a new one."
            )
        first = self._seen.setdefault(number, line)
        if first != line:
            raise _refusal(NUMBER, f"Line {first} is about the same premises. Remove one of the two.")
        version = cells.get(VERSION, "")
        if version and version != str(existing.version):
            raise _refusal(
                VERSION,
                "This premises was changed after the file was exported. Export again, "
                "or empty this cell to replace what has been saved since.",
            )
        return existing

    def _facts(self, cells: Mapping[str, str], before: Existing | None, line: int) -> PremisesFacts:
        texts = {} if before is None else texts_of(before.facts)
        texts |= {field: cells[label] for label, field in _FIELDS.items() if label in cells}
        indices = [
            index
            for index in range(CONTACTS_MAX)
            if any(contact_heading(index, field) in self._columns for field in CONTACT_LABELS)
        ]
        contacts: Iterable[Mapping[str, str]]
        if indices:
            contacts = [
                {field: cells.get(contact_heading(index, field), "") for field in CONTACT_LABELS}
                for index in range(indices[-1] + 1)
            ]
        else:
            contacts = map(contact_texts, before.facts.contacts if before else ())
        facts, problems = read_premises(texts, tuple(contacts))
        if facts is None:
            raise _RowRefusedError(tuple((_column(problem.field), problem.sentence) for problem in problems))
        if indices and any(_WITHOUT_ZERO.fullmatch(contact.phone) for contact in facts.contacts):
            self._without_zero.append(line)
        return facts

    def _member(self, cells: Mapping[str, str], before: Existing | None) -> str:
        text = cells.get(MEMBER)
        if before is not None and (text is None or text == before.member):
            return before.member
        if before is not None and not before.may_move:
            raise _refusal(MEMBER, MAY_NOT_MOVE)
        if not text:
            raise _refusal(MEMBER, "Enter the member, the business that these premises belong to.")
        try:
            name = clean_line(text, NAME_CHARS_MAX)
        except TextRefusedError as e:
            raise _refusal(MEMBER, str(e)) from e
        alike = self._members.get(folded(name), [])
        if len(alike) > 1:
            raise _refusal(MEMBER, f"Several members are called {name}. Rename one of them first.")
        return alike[0] if alike else self._new_members.setdefault(folded(name), name)

    def _chosen_schemes(self, cells: Mapping[str, str], before: Existing | None) -> frozenset[int]:
        text = cells.get(SCHEMES)
        if before is not None and text is None:
            return before.schemes
        words = [word.strip() for word in _SCHEME_SEPARATORS.split(text or "") if word.strip()]
        if not words and before is None and len(self._known.schemes) == 1:
            return frozenset({self._known.schemes[0].number})
        yours = ", ".join(scheme.slug for scheme in self._known.schemes)
        if not words:
            raise _refusal(SCHEMES, f"Enter at least one scheme. Yours: {yours}.")
        for word in words:
            if folded(word) not in self._schemes:
                raise _refusal(
                    SCHEMES, f"You do not co-ordinate a scheme called {word[:NAME_CHARS_MAX]}. Yours: {yours}."
                )
        chosen = frozenset(self._schemes[folded(word)] for word in words)
        now = frozenset() if before is None else before.schemes | before.elsewhere
        try:
            schemes_after(now, chosen, frozenset(self._schemes.values()))
        except SchemesRefusedError as e:
            raise _refusal(SCHEMES, str(e)) from e
        return chosen

    def _refuse_twice(self, key: tuple[str, str, str], line: int) -> None:
        label = LABELS["name"]
        if key in self._by_place:
            number = self._by_place[key]
            raise _refusal(
                label, f"This member already has premises of that name there. To change them, enter {number} as Number."
            )
        first = self._seen.setdefault(key, line)
        if first != line:
            raise _refusal(label, f"Line {first} adds the same premises. Remove one of the two.")

    def _changes(
        self, before: Existing | None, member: str, schemes: frozenset[int], facts: PremisesFacts
    ) -> Iterable[Change]:
        def names(numbers: frozenset[int]) -> str:
            return ", ".join(scheme.name for scheme in self._known.schemes if scheme.number in numbers)

        old = dict.fromkeys(LABELS, "") if before is None else texts_of(before.facts)
        pairs = [
            (MEMBER, before.member if before else "", member),
            (SCHEMES, names(before.schemes) if before else "", names(schemes)),
            *((LABELS[field], old[field], text) for field, text in texts_of(facts).items()),
        ]
        return (Change(label, one, other) for label, one, other in pairs if one != other)


def _place_key(member: str, facts: PremisesFacts) -> tuple[str, str, str]:
    return folded(member), folded(facts.name), folded(facts.place)


def _key(heading: str) -> str:
    return "".join(c for c in folded(heading) if c.isalnum())


def _column(field: str) -> str:
    if field.startswith("contacts-"):
        _, index, name = field.split("-", 2)
        return contact_heading(int(index), name)
    return LABELS[field]
