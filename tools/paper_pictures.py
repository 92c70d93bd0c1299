"""Draws a sample notice and a statement for the documentation, by Debian’s poppler-utils.

``python -m tools.paper_pictures``
"""

from __future__ import annotations

import io
import subprocess
from datetime import UTC, date, datetime
from typing import Final

import msgspec
from PIL import Image

from office.breaches.statements import Facts, Maker, statement
from office.papers.drawing import draw
from office.papers.orders import NamedPremises, NoticePaper
from tools.pictures import FOLDER, digest, write_small

PDF: Final = "notice.pdf"
FRONT, BACK, POCKET = "notice-front.png", "notice-back.png", "notice-pocket.png"
STATEMENT: Final = "statement.png"
PICTURES: Final = (FRONT, BACK, POCKET, STATEMENT)
_GAP: Final = 24
NOTICE: Final = NoticePaper(
    scheme="HART",
    title="Exclusion notice",
    reference="HART-0042",
    case_number=17,
    version=2,
    name="Nobody Atall",
    category="Theft",
    conduct="Took three bottles of spirits from the shelf and left without paying. Pushed a member of staff who asked"
    " to see the receipt.",
    happened_on=date(2026, 10, 30),
    happened_at="Castle Street",
    decided_on=date(2026, 11, 20),
    first_on=date(2026, 11, 28),
    last_on=date(2027, 5, 27),
    premises=tuple(
        NamedPremises(name, place)
        for name, place in (
            ("Alder Books", "Castle Street"),
            ("Birch Pharmacy", "Castle Street"),
            ("Corner Shop", "High Street"),
            ("Delta Phones", "The Crescent"),
            ("Elm Bakery", "Market Place"),
            ("Fern Supermarket", "The Crescent"),
        )
    ),
    responsible="The businesses of HART, jointly\nTown Hall, 1 Market Place, Anytown",
    contact="The co-ordinator of HART\nTown Hall, 1 Market Place, Anytown\n01632 960 000, hart@example.org",
    issued_on=date(2026, 11, 27),
)

_SEEN_AT: Final = datetime(2026, 12, 5, 14, 3, tzinfo=UTC)
BREACH: Final = statement(
    Facts(
        scheme="HART",
        reference="HART-0042",
        name="Nobody Atall",
        kind="breach",
        at=_SEEN_AT,
        is_time_proven=True,
        place="Corner Shop, High Street",
        left="no",
        report="5a" * 16,
        incident="00000010-7",
        received_at=_SEEN_AT,
        first_on=date(2026, 11, 28),
        last_on=date(2027, 5, 27),
        served=None,
        photograph="cd" * 32,
    ),
    Maker(
        witness="reporter",
        name="Alice Alder",
        occupation="Shop assistant",
        crime_reference="26*123456",
        made_by="Cora Hart",
        made_on=date(2026, 12, 6),
    ),
)


def made_from() -> str:
    """Digest of all that determines the pictures."""
    return digest("office/papers/sheets", data=msgspec.json.encode((NOTICE, BREACH)))


def main() -> None:
    """Write the PDF and its pictures."""
    notice = draw(NOTICE)
    (FOLDER / PDF).write_bytes(notice)
    front, back = (_picture(notice, page, 110) for page in (1, 2))
    write_small(FOLDER / STATEMENT, _png(_picture(draw(BREACH), 1, 110)), made_from())
    card = draw(msgspec.structs.replace(NOTICE, is_pocket_size=True))
    write_small(FOLDER / FRONT, _png(front), made_from())
    write_small(FOLDER / BACK, _png(back), made_from())
    write_small(FOLDER / POCKET, _png(_beside(*(_picture(card, page, 150) for page in (1, 2)))), made_from())


def _picture(pdf: bytes, page: int, dots_per_inch: int) -> Image.Image:
    command = ["pdftoppm", "-png", "-r", str(dots_per_inch), "-f", str(page), "-l", str(page), "-"]
    png = subprocess.run(command, input=pdf, capture_output=True, check=True, timeout=120).stdout
    return Image.open(io.BytesIO(png)).convert("RGB")


def _beside(left: Image.Image, right: Image.Image) -> Image.Image:
    both = Image.new("RGB", (left.width + _GAP + right.width, left.height), "#e9ecef")
    both.paste(left, (0, 0))
    both.paste(right, (left.width + _GAP, 0))
    return both


def _png(image: Image.Image) -> bytes:
    written = io.BytesIO()
    image.save(written, "PNG")
    return written.getvalue()


if __name__ == "__main__":
    main()
