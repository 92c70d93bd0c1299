"""Labels: what stands on them and what never does, on a terminal and as a PDF."""

from __future__ import annotations

import html
import io
import re
import stat
from pathlib import Path

import pikepdf
import pytest
import segno
from msgspec.structs import replace

from provisioning.claims import MadeClaim, reserve
from provisioning.cli import main
from provisioning.fleet import Fleet, NewNode
from provisioning.label_sheets import LABELS_PER_SHEET, draw_labels, html_of
from provisioning.labels import Label, as_text, label_of
from wire.claim_code import claim_code, claim_hash, read_claim_code

LABEL = Label("00000010", "Corner Shop", "High St", claim_code(bytes(range(14))), "15 March 2027")


def shops(count: int) -> list[NewNode]:
    return [NewNode(f"Shop {number}", "High St", ["hart"]) for number in range(count)]


def pages(pdf: bytes) -> int:
    with pikepdf.open(io.BytesIO(pdf)) as document:
        return len(document.pages)


def test_label_says_whose_it_is_and_until_when(fleet: Fleet) -> None:
    (made,) = reserve(fleet, [NewNode("Corner Shop", "High St", ["hart"])])

    assert Label("00000010", "Corner Shop", "High St", made.code, "15 March 2027") == label_of(made)
    assert [
        "  Corner Shop, High St",
        "  Node        00000010",
        f"  Claim code  {made.code}",
        "  Use by      15 March 2027, for one unit only",
        "  Weaknesses  no address for reports was set",
    ] == as_text(label_of(made)).splitlines()


def test_label_of_a_premises_without_a_place_has_no_comma(fleet: Fleet) -> None:
    (made,) = reserve(fleet, [NewNode("Corner Shop", "", ["hart"])])

    assert "  Corner Shop" == as_text(label_of(made)).splitlines()[0]


def test_sheet_holds_what_the_label_says() -> None:
    words = re.sub(r"<[^>]*>", "\n", html_of([LABEL]).partition("<body>")[2])

    code = LABEL.code
    said = {line for line in words.splitlines() if line}
    assert {
        "Corner Shop",
        "High St",
        code[:20],
        code[20:],
        "Claim code of Watchlink unit 00000010",
        "Use by 15 March 2027 · secret until used",
        "Weaknesses: no address for reports was set",
    } == said


def test_qr_code_is_the_claim_code() -> None:
    """As it is written, so that any telephone shows what may be typed."""
    drawn = re.findall(r'<img src="([^"]+)"', html_of([LABEL]))

    assert [segno.make(LABEL.code, error="m", micro=False).svg_data_uri(border=4)] == [
        html.unescape(one) for one in drawn
    ]


def test_name_that_looks_like_a_page_is_text() -> None:
    label = Label("00000010", "<b>Tom & Jerry</b>", '<img src="file:///etc/passwd">', LABEL.code, "1 May 2027")

    page = html_of([label])

    assert "&lt;b&gt;Tom &amp; Jerry&lt;/b&gt;" in page
    assert "&lt;img" in page
    assert 1 == page.count("<img")


@pytest.mark.parametrize(("count", "sheets"), [(1, 1), (LABELS_PER_SHEET, 1), (LABELS_PER_SHEET + 1, 2)])
def test_sheets_hold_fourteen_labels(fleet: Fleet, count: int, sheets: int) -> None:
    made: tuple[MadeClaim, ...] = reserve(fleet, shops(count))

    assert sheets == pages(draw_labels([label_of(one) for one in made]))


def test_add_writes_the_labels_for_their_owner_alone(
    fleet: Fleet, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "labels.pdf"

    assert 0 == add(fleet, file)

    said = capsys.readouterr().out
    assert 0o600 == stat.S_IMODE(file.stat().st_mode)
    assert 1 == pages(file.read_bytes())
    assert f"{file} holds the label. Print it at its full size, then delete it: the codes are in it." in said
    assert "Claim code" not in said


def test_labels_without_a_folder_are_refused_before_a_code_is_made(
    fleet: Fleet, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert 2 == add(fleet, tmp_path / "nowhere/labels.pdf")

    assert "is no folder: the labels cannot be written there. Nothing was changed." in capsys.readouterr().err
    assert () == Fleet.open(fleet.layout.town).record.claims


def test_labels_that_the_disk_refuses_are_printed(
    fleet: Fleet, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The numbers are reserved, and nobody can read the codes again."""
    (tmp_path / "labels.pdf").mkdir()

    assert 1 == add(fleet, tmp_path / "labels.pdf")

    said = capsys.readouterr()
    code = read_claim_code(said.out.splitlines()[2].removeprefix("  Claim code  "))
    assert [claim_hash(code)] == [one.claim_hash for one in Fleet.open(fleet.layout.town).record.claims]
    assert "The labels are above, and their codes are good." in said.err


def test_claim_writes_its_new_label(fleet: Fleet, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    reserve(fleet, shops(1))

    assert 0 == main(["claim", "--dir", str(fleet.layout.town), "00000010", "--labels", str(tmp_path / "new.pdf")])

    assert (tmp_path / "new.pdf").read_bytes().startswith(b"%PDF")
    assert "holds the label" in capsys.readouterr().out


def test_labels_say_where_a_weakness_is_reported(
    fleet: Fleet, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With each unit, as the law wants it (PSTI)."""
    town = ["--dir", str(fleet.layout.town)]
    assert 0 == add(fleet, tmp_path / "labels.pdf")
    assert "'watchlink fleet contact ADDRESS'" in capsys.readouterr().out

    assert 0 == main(["contact", *town, " security@town.example "])
    capsys.readouterr()
    assert 0 == main(["claim", *town, "00000010"])

    said = capsys.readouterr().out
    assert "  Weaknesses  security@town.example\n" in said
    assert "fleet contact" not in said
    assert "Weaknesses: security@town.example" in html_of([replace(LABEL, contact="security@town.example")])


@pytest.mark.parametrize("contact", ["", " ", "a\nb", "x" * 41])
def test_contact_that_does_not_fit_on_a_label_is_refused(
    fleet: Fleet, capsys: pytest.CaptureFixture[str], contact: str
) -> None:
    assert 2 == main(["contact", "--dir", str(fleet.layout.town), contact])

    assert "does not fit on a label" in capsys.readouterr().err
    assert "" == Fleet.open(fleet.layout.town).record.contact


def add(fleet: Fleet, labels: Path) -> int:
    name = ["--premises", "Corner Shop", "--place", "High St", "--scheme", "hart"]
    return main(["add", "--dir", str(fleet.layout.town), *name, "--labels", str(labels)])
