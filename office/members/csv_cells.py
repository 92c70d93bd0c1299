"""CSV files, in and out: bytes to rows of cells and back. What the cells mean is not known here.

RFC 4180, and what spreadsheets make of it: UTF-8 with or without a mark, Windows-1252, commas, semicolons or tabs.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Final

from msgspec import Struct

from runtime.formula_guard import guard_cell, unguard_cell

FILE_BYTES_MAX: Final = 10_000_000
ROWS_MAX: Final = 5_000
"""Of one file: a town's worth, and done within seconds."""
_CELL_CHARS_MAX: Final = 32_768
"""What a spreadsheet holds."""
_UTF8_MARK: Final = b"\xef\xbb\xbf"
_UTF16_MARKS: Final = (b"\xff\xfe", b"\xfe\xff")
_DELIMITERS: Final = ",;\t"


class CsvRefusedError(ValueError):
    """A file that cannot be read as CSV, as a sentence that says what to do."""


class Row(Struct, frozen=True):
    """A row of a file.

    Attributes:
        line: where it begins, from 1.
        cells: unguarded, without spaces at their ends.
    """

    line: int
    cells: tuple[str, ...]


class Table(Struct, frozen=True):
    """A file.

    Attributes:
        headings: the first row that is not empty.
        rows: those below that are not empty.
        is_windows_1252: it was no UTF-8, so accents are worth a look.
    """

    headings: tuple[str, ...]
    rows: tuple[Row, ...]
    is_windows_1252: bool


def write_table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    """A CSV file: UTF-8 with a mark (Excel needs it), commas, CRLF between rows, cells guarded."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(headings)
    writer.writerows(map(guard_cell, row) for row in rows)
    return _UTF8_MARK + out.getvalue().encode()


def read_table(data: bytes) -> Table:
    """Read a CSV file.

    Raises:
        CsvRefusedError: too large, no text, no rows, or damaged.
    """
    if len(data) > FILE_BYTES_MAX:
        size = f"{len(data) / 1_000_000:.1f}"
        raise CsvRefusedError(f"The file has {size} MB; 10 MB is the most. Split it into several files.")
    text, is_windows_1252 = _decode(data)
    heading_line = next((line for line in text.splitlines() if line.strip(" ,;\t\"'")), "")
    if not heading_line:
        raise CsvRefusedError("The file is empty. Its first row must name the columns, such as Name and Address.")
    delimiter = max(_DELIMITERS, key=heading_line.count)
    rows = _rows(text, delimiter)
    headings, body = rows[0].cells, rows[1:]
    if not body:
        raise CsvRefusedError("The file has headings but no rows below them.")
    if len(body) > ROWS_MAX:
        raise CsvRefusedError(f"The file has {len(body)} rows; {ROWS_MAX} is the most. Split it into several files.")
    return Table(headings, body, is_windows_1252)


def _decode(data: bytes) -> tuple[str, bool]:
    if data.startswith(_UTF16_MARKS) or b"\0" in data[:4_096]:
        raise CsvRefusedError("This is not a CSV file. In the spreadsheet, choose Save as, then CSV UTF-8.")
    try:
        return data.removeprefix(_UTF8_MARK).decode(), False
    except UnicodeDecodeError:
        pass
    try:
        return data.decode("cp1252"), True
    except UnicodeDecodeError as e:
        line = data.count(b"\n", 0, e.start) + 1
        raise CsvRefusedError(
            f"Line {line} is neither UTF-8 nor Windows-1252 text. In the spreadsheet, choose Save as, then CSV UTF-8."
        ) from e


def _rows(text: str, delimiter: str) -> tuple[Row, ...]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows: list[Row] = []
    begins = 1
    try:
        for cells in reader:
            cleaned = tuple(unguard_cell(cell.strip(" ")) for cell in cells)
            if any(cleaned):
                if max(map(len, cleaned)) > _CELL_CHARS_MAX:
                    raise CsvRefusedError(f"Line {begins} has a cell longer than {_CELL_CHARS_MAX} characters.")
                rows.append(Row(begins, cleaned))
            begins = reader.line_num + 1
    except csv.Error as e:
        raise CsvRefusedError(
            f"The row that begins on line {begins} cannot be read. "
            'Look for a quotation mark that is not closed; a quotation mark inside a cell is written twice ("").'
        ) from e
    return tuple(rows)
