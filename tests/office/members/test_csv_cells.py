from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from office.members.csv_cells import (
    FILE_BYTES_MAX,
    ROWS_MAX,
    CsvRefusedError,
    read_table,
    write_table,
)

cells = st.text(st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from("=+-@'\n\",;"), max_size=12)


@given(st.lists(st.tuples(cells, cells, cells).filter(lambda row: any(cell.strip(" ") for cell in row)), min_size=1))
def test_written_table_is_read_back(rows: list[tuple[str, str, str]]) -> None:
    table = read_table(write_table(("Name", "Place", "Note"), rows))

    assert table.headings == ("Name", "Place", "Note")
    assert [row.cells for row in table.rows] == [tuple(cell.strip(" ") for cell in row) for row in rows]
    assert not table.is_windows_1252


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
def test_tables_of_every_kind_are_read(delimiter: str, encoding: str) -> None:
    text = 'Name,Address\r\nCafé,"1 High St"\r\n'.replace(",", delimiter)
    table = read_table(text.encode(encoding))

    assert table.rows[0].cells == ("Café", "1 High St")
    assert table.is_windows_1252 == (encoding == "cp1252")


def test_rows_are_told_by_the_line_on_which_they_begin() -> None:
    table = read_table(b'Name,Note\n\nA,"one\ntwo"\n,\nB,x\n')

    assert [row.line for row in table.rows] == [3, 6]


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "empty"),
        (b" , ,\n", "empty"),
        (b"Name,Note\n", "no rows"),
        (b"Name\n" + b"A\n" * (ROWS_MAX + 1), "5001 rows"),
        (b"x" * (FILE_BYTES_MAX + 1), "10 MB"),
        (b'Name,Note\nA,b\nC,"d\n', "line 3"),
        (b'Name,Note\nA,"b"c\n', "line 2"),
        ("Name\nA\n".encode("utf-16"), "CSV UTF-8"),
        (b"PK\x03\x04\x00\x00", "CSV UTF-8"),
        (b"Name\nCaf\x81\n", "Line 2"),
        (b"Name\n" + b"x" * 40_000, "longer"),
        (b"Name\n" + b"x" * 200_000, "line 2"),
    ],
)
def test_unreadable_files_are_refused_with_a_sentence(data: bytes, says: str) -> None:
    with pytest.raises(CsvRefusedError, match=says):
        read_table(data)
