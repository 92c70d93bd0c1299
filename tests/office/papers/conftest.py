from __future__ import annotations

import io
from datetime import date
from typing import Any

import msgspec
from PIL import Image

from office.papers.orders import NamedPremises, NoticePaper

PAPER = NoticePaper(
    scheme="HART",
    title="Exclusion notice",
    reference="HART-0042",
    case_number=17,
    version=1,
    name="Nobody Atall",
    category="Theft",
    conduct="Took three bottles from the shelf and left without paying.\nPushed somebody at the door.",
    happened_on=date(2026, 10, 30),
    happened_at="High Street",
    decided_on=date(2026, 11, 20),
    first_on=date(2026, 11, 28),
    last_on=date(2027, 5, 27),
    premises=(NamedPremises("Echo Club", "High Street"), NamedPremises("Corner Shop", "")),
    responsible="HART\n1 Castle Street",
    contact="The co-ordinator, office@example.org",
    issued_on=date(2026, 11, 27),
)


def paper(**changes: Any) -> NoticePaper:  # noqa: ANN401 - of each its own
    """A notice for a person with a name, but for the changes."""
    return msgspec.structs.replace(PAPER, **changes)


def shops(count: int) -> tuple[NamedPremises, ...]:
    """So many premises."""
    return tuple(NamedPremises(f"Shop {number}", "Castle Street") for number in range(1, count + 1))


def photograph(kind: str = "JPEG") -> bytes:
    """Of nobody: a grey picture."""
    written = io.BytesIO()
    Image.new("RGB", (60, 80), (128, 128, 128)).save(written, kind)
    return written.getvalue()
