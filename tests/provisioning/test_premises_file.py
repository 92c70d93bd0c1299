"""A file of premises: read as spreadsheets write it, wholly or not at all, each mistake told with its line."""

from __future__ import annotations

import io
from pathlib import Path

import pikepdf
import pytest

from provisioning.claims import reserve
from provisioning.cli import main
from provisioning.errors import FleetInputError
from provisioning.fleet import Fleet, NewNode
from provisioning.layout import DEFAULT_PROFILE
from provisioning.premises_file import FILE_BYTES_MAX, PREMISES_MAX, read_premises
from wire.claims import decode_claims

TOWN = """premises,place,schemes,profile
Corner Shop,High St,hart,
The Anchor,Quay,hart pubwatch,waveshare-sh1106-hat
"Patel, Sons & Co",,pubwatch;hart,
"""


def read(fleet: Fleet, text: str | bytes, *, seconds: bool = False) -> list[NewNode]:
    data = text.encode() if isinstance(text, str) else text
    return read_premises(data, fleet.record, DEFAULT_PROFILE, are_seconds_allowed=seconds)


def refusal(fleet: Fleet, text: str | bytes) -> str:
    with pytest.raises(FleetInputError) as caught:
        read(fleet, text)
    return str(caught.value)


def test_file_is_read_in_its_order(fleet: Fleet) -> None:
    assert [
        NewNode("Corner Shop", "High St", ["hart"]),
        NewNode("The Anchor", "Quay", ["hart", "pubwatch"], "waveshare-sh1106-hat"),
        NewNode("Patel, Sons & Co", "", ["pubwatch", "hart"]),
    ] == read(fleet, TOWN)


@pytest.mark.parametrize(
    "text",
    [
        TOWN.replace("\n", "\r\n"),
        "\ufeff" + TOWN,
        TOWN + "\n , ,,\n",
        TOWN.replace("premises,place,schemes,profile", " Premises,PLACE,Schemes,Profile "),
        TOWN.replace(" hart pubwatch", " HART PubWatch"),
    ],
    ids=["lines of Windows", "mark of Excel", "empty lines", "headings", "capitals"],
)
def test_file_is_read_as_spreadsheets_write_it(fleet: Fleet, text: str) -> None:
    assert read(fleet, TOWN) == read(fleet, text)


@pytest.mark.parametrize("delimiter", [";", "\t"], ids=["semicolon", "tab"])
def test_file_of_another_country_is_read(fleet: Fleet, delimiter: str) -> None:
    text = "premises,place,schemes\nCaffè Nero,Swan Lane,hart\n".replace(",", delimiter)

    assert [NewNode("Caffè Nero", "Swan Lane", ["hart"])] == read(fleet, text)


def test_chain_may_have_one_name_in_many_places(fleet: Fleet) -> None:
    text = "premises,place,schemes\nBoots,High St,hart\nBoots,Station,hart\n"

    assert ["High St", "Station"] == [one.place for one in read(fleet, text)]


def test_every_mistake_is_told_with_its_line(fleet: Fleet) -> None:
    assert (
        "Nothing was added.\n"
        "  line 2: No scheme 'tennis' in this fleet; it has: hart, pubwatch.\n"
        "  line 4: The name of the premises is empty.\n"
        "  line 4: A premises belongs to 1 to 4 schemes, not 0.\n"
        "  line 7: The name of the premises has characters that cannot be shown (control, direction or line-break"
        " characters); without them it reads 'Two lines'.\n"
        "  line 9: The place is too long: 64 characters at most."
    ) == refusal(
        fleet,
        "premises,place,schemes\nClub,,tennis\nCorner Shop,High St,hart\n,Quay,\n\n\n"
        f'"Two\nlines",,hart\nX,{"long " * 14},hart\n',
    )


def test_profile_that_does_not_exist_is_told_with_its_line(fleet: Fleet) -> None:
    told = refusal(fleet, "premises,schemes,profile\nClub,hart,ssd1309\n")

    assert "line 2: No hardware profile 'ssd1309'. Choose one of: ssd1309-128x64, " in told


def test_premises_that_is_there_twice_is_told_with_both_lines(fleet: Fleet) -> None:
    text = "premises,place,schemes\nCorner Shop,High St,hart\nBakery,,hart\ncorner  shop,high st,hart\n"

    assert "  line 4: corner  shop is there already: line 2." in refusal(fleet, text)
    assert 3 == len(read(fleet, text, seconds=True))


def test_premises_that_the_fleet_has_is_told_with_its_number(fleet: Fleet) -> None:
    fleet.add("Corner Shop", "High St", ["hart"])
    reserve(fleet, [NewNode("The Anchor", "Quay", ["hart"])])

    told = refusal(fleet, TOWN)

    assert "  line 2: Corner Shop is there already: 00000010." in told
    assert "  line 3: The Anchor is there already: 00000011, which waits for its claim." in told


def test_second_import_of_a_file_adds_nothing(fleet: Fleet, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "town.csv"
    file.write_text(TOWN)
    add = ["add", "--dir", str(fleet.layout.town), "--from", str(file)]

    assert 0 == main(add)
    assert 2 == main(add)

    assert "is there already" in capsys.readouterr().err
    assert 3 == len(Fleet.open(fleet.layout.town).record.claims)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "It has: none."),
        (b"Corner Shop,High St,hart\n", "It has: corner shop, high st, hart."),
        (b"premises,place\n", "the first line has to be headings"),
        (b"premises,premises,schemes\n", "the first line has to be headings"),
        (b"premises,schemes,postcode\n", "It has: premises, schemes, postcode."),
        (b"premises,schemes\n", "no line of the file names a premises"),
        (b"premises,schemes\nShop,High St,hart\n", "line 2: 3 cells under 2 headings."),
        (b"premises,schemes\nShop\n", "line 2: A premises belongs to 1 to 4 schemes, not 0."),
        (b'premises,schemes\nShop,hart\n"Pub,hart\n', "line 3: unexpected end of data."),
        ("premises,schemes\nCaffè,hart\n".encode("cp1252"), "save the file as 'CSV UTF-8'"),
        (b"PK\x03\x04\xff", "save the file as 'CSV UTF-8'"),
        (b" " * (FILE_BYTES_MAX + 1), "far too large"),
        (b"premises,schemes\n" + b"".join(b"S%d,hart\n" % n for n in range(PREMISES_MAX + 1)), "are too many"),
        (b"premises,schemes\n" + b"Shop,golf\n" * 25, "and 5 more"),
    ],
    ids=[
        *(
            "empty",
            "no headings",
            "too few headings",
            "heading twice",
            "other heading",
            "no premises",
            "too many cells",
            "too few",
        ),
        *("open quotes", "not UTF-8", "workbook", "endless", "too many", "many mistakes"),
    ],
)
def test_file_that_is_no_list_is_told_in_words(fleet: Fleet, data: bytes, words: str) -> None:
    told = refusal(fleet, data)

    assert told.startswith("Nothing was added")
    assert words in told


def test_fifty_premises_are_added_in_one_go_with_their_labels(
    fleet: Fleet, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = "".join(f"Shop {number},High St,hart\n" for number in range(50))
    (tmp_path / "town.csv").write_text(f"premises,place,schemes\n{lines}")

    assert 0 == add(fleet, tmp_path, "--labels", str(tmp_path / "labels.pdf"))

    assert 50 == len(decode_claims(fleet.layout.claims.read_bytes()).claims)
    with pikepdf.open(io.BytesIO((tmp_path / "labels.pdf").read_bytes())) as pdf:
        assert 4 == len(pdf.pages)
    assert "holds 50 labels" in capsys.readouterr().out


def test_file_with_one_mistake_adds_nothing(fleet: Fleet, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "town.csv").write_text(TOWN + "Club,,tennis\n")

    assert 2 == add(fleet, tmp_path, "--labels", str(tmp_path / "labels.pdf"))

    assert "line 5: No scheme 'tennis'" in capsys.readouterr().err
    assert () == Fleet.open(fleet.layout.town).record.claims
    assert not (tmp_path / "labels.pdf").exists()


@pytest.mark.parametrize("more", [["--premises", "A"], ["--scheme", "hart"], ["--proposal", "5"], ["--gateway"]])
def test_file_takes_the_place_of_other_options(
    fleet: Fleet, tmp_path: Path, capsys: pytest.CaptureFixture[str], more: list[str]
) -> None:
    (tmp_path / "town.csv").write_text(TOWN)

    assert 2 == add(fleet, tmp_path, *more)
    assert "leave out" in capsys.readouterr().err


def test_file_that_is_not_there_is_told(fleet: Fleet, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert 2 == add(fleet, tmp_path)
    assert "town.csv cannot be read: No such file or directory." in capsys.readouterr().err


def add(fleet: Fleet, folder: Path, *more: str) -> int:
    return main(["add", "--dir", str(fleet.layout.town), "--from", str(folder / "town.csv"), *more])
