"""A file of premises to be added, as a spreadsheet writes it: CSV with a line of headings.

=============  ==================================================================
heading        cells
=============  ==================================================================
``premises``   its name, as screens and labels show it
``place``      street or area; may be empty, and the column may be missing
``schemes``    short names of its schemes, with spaces or semicolons between them
``profile``    its hardware; empty or no such column = as the command says
=============  ==================================================================

All mistakes are told together, each with its line, so that a file is corrected once and not fifty times.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from typing import Final

from msgspec import Struct

from provisioning.errors import FleetInputError
from provisioning.fleet import NewNode
from provisioning.layout import PROFILES
from provisioning.records import FleetRecord, clean_name

FILE_BYTES_MAX: Final = 1_048_576
PREMISES_MAX: Final = 1_000
_NEEDED: Final = ("premises", "schemes")
_KNOWN: Final = ("premises", "place", "schemes", "profile")
_TOLD_MAX: Final = 20


class _Line(Struct, frozen=True):
    """A line of the file: where it begins, and its cells by heading."""

    number: int
    cells: Mapping[str, str]


def read_premises(data: bytes, record: FleetRecord, profile: str, *, are_seconds_allowed: bool) -> list[NewNode]:
    """The premises of the file, in its order.

    Args:
        data: the file.
        record: the fleet's, which says what exists.
        profile: for lines without one.
        are_seconds_allowed: a premises may stand in the file twice, or have a node already.

    Raises:
        FleetInputError: something in the file cannot be used; says what, line by line.
    """
    wanted: list[NewNode] = []
    faults: list[str] = []
    known = {} if are_seconds_allowed else _known(record)
    for line in _lines(data):
        found = _new_node(line, record, profile)
        if isinstance(found, NewNode):
            place_key = _key(found.premises, found.place)
            if place_key in known:
                faults.append(f"line {line.number}: {found.premises} is there already: {known[place_key]}.")
            elif not are_seconds_allowed:
                known[place_key] = f"line {line.number}"
            wanted.append(found)
        else:
            faults += [f"line {line.number}: {fault}" for fault in found]
    if faults:
        more = [f"and {len(faults) - _TOLD_MAX} more"] if len(faults) > _TOLD_MAX else []
        told = "".join(f"\n  {fault}" for fault in (*faults[:_TOLD_MAX], *more))
        raise FleetInputError(f"Nothing was added.{told}")
    if not wanted:
        raise FleetInputError("Nothing was added: no line of the file names a premises.")
    if len(wanted) > PREMISES_MAX:
        raise FleetInputError(f"Nothing was added: {len(wanted)} premises are too many, {PREMISES_MAX} at most.")
    return wanted


def _new_node(line: _Line, record: FleetRecord, profile: str) -> NewNode | list[str]:
    """The premises of a line, or what is wrong with it."""
    cells = line.cells
    slugs = cells["schemes"].replace(";", " ").replace(",", " ").lower().split()
    chosen = cells.get("profile", "") or profile
    faults = []
    for check in (
        lambda: clean_name(cells["premises"], "name of the premises"),
        lambda: clean_name(cells.get("place", ""), "place", is_required=False),
        lambda: record.scheme_numbers(tuple(slugs)),
    ):
        try:
            check()
        except FleetInputError as e:
            faults.append(str(e))
    if chosen not in PROFILES:
        faults.append(f"No hardware profile {chosen!r}. Choose one of: {', '.join(PROFILES)}.")
    return faults or NewNode(cells["premises"], cells.get("place", ""), slugs, chosen)


def _lines(data: bytes) -> Iterator[_Line]:
    """Every line that is not empty.

    Raises:
        FleetInputError: no such file: another format, or other headings.
    """
    if len(data) > FILE_BYTES_MAX:
        raise FleetInputError("Nothing was added: the file is far too large for a list of premises.")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as e:
        raise FleetInputError("Nothing was added: save the file as 'CSV UTF-8', and try again.") from e
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    try:
        headings = [one.strip().lower() for one in next(reader, [])]
        _check_headings(headings)
        before = reader.line_num
        for row in reader:
            number, before = before + 1, reader.line_num
            cells = [cell.strip() for cell in row]
            if not any(cells):
                continue
            if len(cells) > len(headings):
                raise FleetInputError(
                    f"Nothing was added.\n  line {number}: {len(cells)} cells under {len(headings)} headings."
                )
            # Whoever types leaves out the commas of empty cells at the end.
            cells += [""] * (len(headings) - len(cells))
            yield _Line(number, dict(zip(headings, cells, strict=True)))
    except csv.Error as e:
        raise FleetInputError(f"Nothing was added.\n  line {reader.line_num}: {e}.") from e


def _check_headings(headings: list[str]) -> None:
    missing = [one for one in _NEEDED if one not in headings]
    unknown = [one for one in headings if one not in _KNOWN]
    twice = [one for one in _KNOWN if headings.count(one) > 1]
    if missing or unknown or twice:
        raise FleetInputError(
            "Nothing was added: the first line has to be headings: premises and schemes, and place and profile if you"
            f" like. It has: {', '.join(headings) or 'none'}."
        )


def _delimiter(text: str) -> str:
    # What spreadsheets write depends on the country.
    first = text.partition("\n")[0]
    return max(",;\t", key=first.count)


def _known(record: FleetRecord) -> dict[tuple[str, str], str]:
    there = [node for node in record.nodes if node.revoked_at is None]
    return {
        **{_key(node.premises, node.place): node.node for node in there},
        **{_key(claim.premises, claim.place): f"{claim.node}, which waits for its claim" for claim in record.claims},
    }


def _key(premises: str, place: str) -> tuple[str, str]:
    first, second = (" ".join(text.casefold().split()) for text in (premises, place))
    return first, second
