"""Sheets of labels as a PDF: fourteen on A4, 99.1 × 38.1 mm, as stationers sell them (Avery L7163 and others).

The QR code is the claim code as it is written, so that any telephone shows what it may type into a seed.
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import Final

import segno
from weasyprint import HTML
from weasyprint.text.fonts import FontConfiguration
from weasyprint.urls import URLFetcher

from provisioning.labels import NO_CONTACT, Label

LABELS_PER_SHEET: Final = 14
_NOTHING_ELSE: Final = URLFetcher(allowed_protocols=("data",))
"""Only what stands in the page itself, the QR codes, is read; never disk or network."""
_LONG_CHARS: Final = 26
"""A name this long takes two lines, and smaller letters."""
_VERY_LONG_CHARS: Final = 44
_CSS: Final = """
@page { size: A4; margin: 15.1mm 0 0 4.65mm; }
html { font: 400 8pt/1.3 Inter, "DejaVu Sans", sans-serif; color: #000; }
body { margin: 0; }
title { display: none; }
.sheet { position: relative; height: 266.7mm; break-after: page; }
.sheet:last-child { break-after: auto; }
.label { position: absolute; width: 99.1mm; height: 38.1mm; overflow: hidden; }
.label div { position: absolute; left: 35mm; width: 61mm; }
.names { top: 3.5mm; height: 13.4mm; overflow: hidden; }
.label img { position: absolute; left: 2.5mm; top: 3.55mm; width: 31mm; height: 31mm; }
p { margin: 0; overflow-wrap: anywhere; }
.premises { font-size: 13pt; line-height: 1.15; font-weight: 700; }
.long .premises { font-size: 10pt; }
.very-long .premises { font-size: 8pt; }
.place { font-size: 9.5pt; line-height: 1.2; }
.very-long .place { font-size: 7.5pt; }
.code { bottom: 10.2mm; font-size: 11.5pt; line-height: 1.25; font-weight: 600; white-space: nowrap;
  font-variant-numeric: slashed-zero tabular-nums; letter-spacing: 0.03em; }
.note { bottom: 1.9mm; font-size: 6.5pt; line-height: 1.2; white-space: nowrap; }
.note span { font-size: 6pt; }
"""


def draw_labels(labels: Sequence[Label]) -> bytes:
    """The sheets as a PDF, in the order of ``labels``."""
    document = HTML(string=html_of(labels), url_fetcher=_NOTHING_ELSE).render(FontConfiguration())
    drawn: bytes | None = document.write_pdf(pdf_variant="pdf/ua-1")
    assert drawn is not None
    return drawn


def html_of(labels: Sequence[Label]) -> str:
    """What is drawn, as a page of HTML."""
    sheets = [labels[start : start + LABELS_PER_SHEET] for start in range(0, len(labels), LABELS_PER_SHEET)]
    body = "".join(
        f'<div class="sheet">{"".join(_label(one, place) for place, one in enumerate(sheet))}</div>' for sheet in sheets
    )
    head = f"<head><title>Watchlink labels</title><style>{_CSS}</style></head>"
    return f'<html lang="en-GB">{head}<body>{body}</body></html>'


def _label(label: Label, place: int) -> str:
    longest = max(len(label.premises), len(label.place))
    size = " very-long" if longest > _VERY_LONG_CHARS else " long" if longest > _LONG_CHARS else ""
    row, column = divmod(place, 2)
    groups = label.code.split("-")
    code = f"{'-'.join(groups[:4])}-<br>{'-'.join(groups[4:])}"
    picture = segno.make(label.code, error="m", micro=False).svg_data_uri(border=4)
    where = f"left: {column * 101.6:.1f}mm; top: {row * 38.1:.1f}mm"
    return (
        f'<div class="label{size}" style="{where}">'
        f'<img src="{html.escape(picture)}" alt="QR code of the claim code">'
        f'<div class="names"><p class="premises">{html.escape(label.premises)}</p>'
        f'<p class="place">{html.escape(label.place)}</p></div>'
        f'<div class="code">{code}</div>'
        f'<div class="note">Claim code of Watchlink unit {label.node}<br>'
        f"Use by {html.escape(label.last_day)} · secret until used<br>"
        f"<span>Weaknesses: {html.escape(label.contact or NO_CONTACT)}</span></div></div>"
    )
