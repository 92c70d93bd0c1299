"""Draws a paper: what the order says → HTML → tagged PDF, mended and checked. Runs in a child that may die of it."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pikepdf
from django.template import Context, Engine
from weasyprint import HTML
from weasyprint.text.fonts import FontConfiguration
from weasyprint.urls import URLFetcher

from office.papers import tags
from office.papers.mending import mend
from office.papers.orders import (
    NAME_CHARS_MAX,
    PREMISES_ON_FRONT_MAX,
    TEXT_CHARS_MAX,
    HeldPaper,
    MeetingPaper,
    NoticePaper,
    Order,
    StatementPaper,
    UnreadablePaperError,
    day_text,
    person_text,
)
from wire.text import display_text

_SHEETS: Final = Path(__file__).parent / "sheets"
_ENGINE: Final = Engine(dirs=[str(_SHEETS)], autoescape=True)
_NOTHING_ELSE: Final = URLFetcher(allowed_protocols=("data",))
"""Only what stands in the page itself, the photograph, is read; never disk or network."""
_TIGHT_CHARS: Final = 300
"""Of addresses: more leave room on a card only for smaller letters."""
_IMAGES: Final = {b"\xff\xd8\xff": "image/jpeg", b"\x89PNG\r\n\x1a\n": "image/png"}


def draw(order: Order) -> bytes:
    """The PDF. The same order gives the same bytes.

    Raises:
        UnreadablePaperError: a check of its tags failed.
    """
    document = HTML(string=html_of(order), url_fetcher=_NOTHING_ELSE).render(FontConfiguration())
    drawn = document.write_pdf(pdf_variant="pdf/ua-1")
    assert drawn is not None
    finished = io.BytesIO()
    with pikepdf.open(io.BytesIO(drawn)) as pdf:
        mend(pdf)
        pdf.save(finished, deterministic_id=True)
    with pikepdf.open(finished) as pdf:
        faults = tags.faults(pdf, figures=_pictures(order))
    if faults:
        raise UnreadablePaperError("; ".join(faults))
    return finished.getvalue()


def html_of(order: Order) -> str:
    """What is drawn, as a page of HTML. All text in it is plain: one line each, without control characters."""
    if isinstance(order, HeldPaper):
        name, words = "held", _words_of_held(order)
    elif isinstance(order, MeetingPaper):
        name, words = "meeting", _words_of_meeting(order)
    elif isinstance(order, StatementPaper):
        name, words = "statement", _words_of_statement(order)
    else:
        name, words = "pocket" if order.is_pocket_size else "notice", _words(order)
    css = (_SHEETS / f"{'pocket' if name == 'pocket' else 'notice'}.css").read_text(encoding="utf-8")
    text: str = _ENGINE.get_template(f"{name}.html").render(Context({**words, "css": css}))
    return text


def _pictures(order: Order) -> int:
    if isinstance(order, HeldPaper):
        return len(order.photographs)
    return int(isinstance(order, NoticePaper) and bool(order.photograph))


def _words_of_held(paper: HeldPaper) -> dict[str, object]:
    return {
        "scheme": _line(paper.scheme),
        "reference": _line(paper.reference),
        "made_on": day_text(paper.made_on),
        "created": paper.made_on.isoformat(),
        "responsible": list(_lines(paper.responsible)),
        "contact": list(_lines(paper.contact)),
        "about": [_line(sentence) for sentence in paper.about],
        "parts": [
            {
                "title": _line(part.title),
                "facts": [{"label": _line(fact.label), "text": " / ".join(_lines(fact.text))} for fact in part.facts],
            }
            for part in paper.parts
            if part.facts
        ],
        "photographs": [_data_url(one) for one in paper.photographs],
    }


def _words_of_meeting(paper: MeetingPaper) -> dict[str, object]:
    return {
        "scheme": _line(paper.scheme),
        "printed_on": day_text(paper.printed_on),
        "created": paper.printed_on.isoformat(),
        "count": "1 case" if len(paper.cases) == 1 else f"{len(paper.cases)} cases",
        "cases": [
            {
                "number": f"{one.number}",
                "category": _line(one.category),
                "conduct": list(_lines(one.conduct)),
                "evidence": _line(one.evidence),
                "happened_on": day_text(one.happened_on),
                "happened_at": _line(one.happened_at),
                "until": day_text(one.until) if one.until else "",
                "is_repeat": one.is_repeat,
                "months": f"{one.months}",
                "months_reason": _line(one.months_reason),
                "where": _line(one.where),
                "necessity": _line(one.necessity),
                "tariff_first": f"{one.tariff_first}",
                "tariff_again": f"{one.tariff_again}",
                "is_minor": one.is_minor,
            }
            for one in paper.cases
        ],
    }


def _words_of_statement(paper: StatementPaper) -> dict[str, object]:
    witness = _line(paper.witness)
    return {
        "scheme": _line(paper.scheme),
        "reference": _line(paper.reference),
        "created": paper.made_on.isoformat(),
        "footing": f"Statement{f' of {witness}' if witness else ''}, {_line(paper.reference)}. Draft, not signed.",
        "witness": witness,
        "occupation": _line(paper.occupation),
        "crime_reference": _line(paper.crime_reference),
        "paragraphs": [
            {"number": f"{number}", "text": _line(text)} for number, text in enumerate(paper.paragraphs, start=1)
        ],
        "blank": range(paper.blank_lines),
        "exhibits": [{"mark": _line(one.mark), "what": _line(one.what)} for one in paper.exhibits],
        "photograph_mark": _line(paper.photograph_mark),
        "custody": [{"at": _line(one.at), "what": _line(one.what), "by": _line(one.by)} for one in paper.custody],
        "made_on": day_text(paper.made_on),
        "made_by": _line(paper.made_by),
    }


def _words(paper: NoticePaper) -> dict[str, object]:
    # Django formats numbers and dates by settings, which this program has not: everything is text already.
    count = len(paper.premises)
    return {
        "scheme": _line(paper.scheme),
        "title": _line(paper.title),
        "reference": _line(paper.reference),
        "case": f"{paper.case_number}",
        "version": f"{paper.version}",
        "replaces": paper.version > 1,
        "person": person_text(paper),
        "is_known": person_text(paper) == display_text(paper.name, NAME_CHARS_MAX),
        "photograph": _data_url(paper.photograph) if paper.photograph else "",
        "category": _line(paper.category),
        "conduct": list(_lines(paper.conduct)),
        "happened_on": day_text(paper.happened_on),
        "happened_at": _line(paper.happened_at),
        "decided_on": day_text(paper.decided_on) if paper.decided_on else "",
        "first": day_text(paper.first_on),
        "last": day_text(paper.last_on),
        "premises": [{"name": _line(one.name), "place": _line(one.place)} for one in paper.premises],
        "count": "1 premises" if count == 1 else f"{count} premises",
        "is_tight": len(paper.responsible) + len(paper.contact) > _TIGHT_CHARS,
        "is_short": count <= PREMISES_ON_FRONT_MAX,
        "responsible": list(_lines(paper.responsible)),
        "contact": list(_lines(paper.contact)),
        "issued_on": day_text(paper.issued_on),
        "created": paper.issued_on.isoformat(),
        "standing": _line(paper.standing),
        "is_regional": paper.is_regional,
    }


def _line(text: str) -> str:
    return display_text(text, TEXT_CHARS_MAX)


def _lines(text: str) -> Iterator[str]:
    for line in text.splitlines():
        if shown := _line(line):
            yield shown


def _data_url(photograph: bytes) -> str:
    kind = next((kind for start, kind in _IMAGES.items() if photograph.startswith(start)), None)
    if kind is None:
        raise UnreadablePaperError("the photograph is neither JPEG nor PNG")
    return f"data:{kind};base64,{base64.b64encode(photograph).decode()}"
