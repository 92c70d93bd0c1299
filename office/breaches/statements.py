"""What a draft of a witness statement says, from what is recorded (G12). Pure. Nobody signs by machine.

The form is that of the Criminal Justice Act 1967, s. 9. Two people can make one: who reported the breach says what they
saw; who looks after the records produces them, with the chain of custody of the photograph. Neither is made to say what
only the other knows. Of an incident about nobody the same two say what they can.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from itertools import count
from typing import Final, Literal
from zoneinfo import ZoneInfo

from msgspec import Struct

from office.breaches.rules import HAPPENED_TITLES, Happened, RecordKind
from office.papers.orders import (
    CUSTODY_ROWS_MAX,
    STATEMENT_PARAGRAPHS_MAX,
    CustodyRow,
    Exhibit,
    StatementPaper,
    day_text,
)
from wire.gallery_reports import Left

Witness = Literal["reporter", "producer"]
Ended = Literal["", "last-day", "revoked"]
WITNESS_TITLES: Final[Mapping[Witness, str]] = {
    "reporter": "Who reported it: what they saw",
    "producer": "Who looks after the records: what is recorded",
}
_ZONE: Final = ZoneInfo("Europe/London")
_LEFT: Final[Mapping[Left, str]] = {
    "yes": "I asked the person to leave, and they left.",
    "no": "I asked the person to leave. They did not leave.",
    "not-asked": "I did not ask the person to leave.",
}
_LEFT_RECORDED: Final[Mapping[Left, str]] = {
    "yes": "left when asked",
    "no": "did not leave when asked",
    "not-asked": "was not asked to leave",
}
_RECOGNISED: Final = (
    "How well, how long, from how far and in what light I saw the person, whether anything was in the way, whether I"
    " had seen them before, why I remember them, and what else I saw and heard:"
)
"""What a court asks of whoever has recognised somebody (R v Turnbull)."""
_HAPPENED: Final = (
    "What I saw and heard, from how far and in what light; who was there, and how I would know them again; what was"
    " said, done, taken or damaged; and who else saw it:"
)
_ALERTED_AT: Final = "The time is that of the alert, as it was written down at the office."
_WORDS_LINES_MAX: Final = STATEMENT_PARAGRAPHS_MAX - 4
_PHOTOGRAPH: Final = (
    "The photograph by which shops know this person is exhibit {}. Who handed it in, what was done with it, and when"
    " that shop’s unit showed it, is in the schedule."
)


class Served(Struct, frozen=True):
    """How the notice of the exclusion was served."""

    version: int
    at: datetime
    by: str
    where: str
    how: str


class Facts(Struct, frozen=True, kw_only=True):
    """What is recorded.

    Attributes:
        reference, name: of the person; an empty name is not known. Of an incident both are empty.
        place: of the shop, as it was then.
        left: empty = it is an incident.
        report, incident: ids of the report, and of the alert; empty = none went out.
        received_at: when the office had the report, or when the incident was written down.
        happened: what an incident was.
        first_on, last_on: days of the exclusion; ``None`` = there are none.
        ended: whether it holds no more when this is made, and how it came to an end.
        ended_at: when; ``None`` = it has not, or that is not known.
        served: the newest version that was served; ``None`` = none was.
        photograph: SHA-256 of the file as it was handed in; empty = there is none.
        custody: of it, in order of time.
    """

    scheme: str
    reference: str
    name: str
    kind: RecordKind
    at: datetime
    is_time_proven: bool
    place: str
    left: Left | Literal[""]
    report: str
    incident: str
    received_at: datetime
    first_on: date | None
    last_on: date | None
    served: Served | None
    photograph: str
    happened: Happened | Literal[""] = ""
    ended: Ended = ""
    ended_at: datetime | None = None
    custody: tuple[CustodyRow, ...] = ()


class Maker(Struct, frozen=True, kw_only=True):
    """Whose statement it is to be, and who puts it together.

    Attributes:
        words: what the reporter of an incident says, in their own words; a line is a paragraph. Empty = lines to write.
    """

    witness: Witness
    name: str
    occupation: str
    crime_reference: str
    made_by: str
    made_on: date
    words: str = ""


def statement(facts: Facts, maker: Maker) -> StatementPaper:
    """The draft."""
    marks = _Marks(maker.name, has_photograph=bool(facts.photograph))
    is_producer = maker.witness == "producer"
    if facts.kind == "incident":
        paragraphs = _incident_produced(facts, maker, marks) if is_producer else _incident_seen(facts, maker, marks)
    else:
        paragraphs = _produced(facts, maker, marks) if is_producer else _seen(facts, marks)
    return StatementPaper(
        scheme=facts.scheme,
        reference=facts.reference or facts.incident,
        witness=maker.name,
        occupation=maker.occupation,
        crime_reference=maker.crime_reference,
        paragraphs=tuple(paragraphs),
        blank_lines=3 if is_producer or maker.words else 6,
        exhibits=tuple(_exhibits(facts, marks, is_producer=is_producer)),
        photograph_mark=marks.photograph,
        custody=facts.custody[-CUSTODY_ROWS_MAX:] if is_producer and facts.photograph else (),
        made_on=maker.made_on,
        made_by=maker.made_by,
    )


class _Marks:
    """By the initials of the witness, as exhibits are marked. That of the photograph is empty if there is none."""

    def __init__(self, name: str, *, has_photograph: bool) -> None:
        initials, numbers = "".join(word[0] for word in name.split()).upper() or "____", count(1)
        self.photograph = f"{initials}/{next(numbers)}" if has_photograph else ""
        self.record, self.notice = (f"{initials}/{next(numbers)}" for _ in range(2))


def _seen(facts: Facts, marks: _Marks) -> list[str]:
    """What only somebody who was there can say."""
    came = "A person came in whom I recognised" if facts.kind == "breach" else "Nearby I saw a person whom I recognised"
    by = f" from the photograph that {facts.scheme} shows its members, exhibit {marks.photograph}"
    alert = f" An alert went out with it, number {facts.incident}." if facts.incident else ""
    day, hour = day_text(_local(facts.at).date()), f"{_local(facts.at):%H:%M}"
    left = [_LEFT[facts.left]] if facts.kind == "breach" and facts.left else []
    return [
        f"I work at {facts.place}. What I say here I saw and heard myself, unless I say otherwise.",
        f"On {day} at about {hour} I was at work there. {_clock(facts)}",
        f"{came}{by if facts.photograph else ''}. {facts.scheme} knows this person as {_called(facts)}.",
        *left,
        f"At that time I reported it on the unit in the shop. Its record is exhibit {marks.record}.{alert}",
        _RECOGNISED,
    ]


def _produced(facts: Facts, maker: Maker, marks: _Marks) -> list[str]:
    """What the records say, and no more."""
    left = f": the person {_LEFT_RECORDED[facts.left]}" if facts.kind == "breach" and facts.left else ""
    is_there = [_PHOTOGRAPH.format(marks.photograph)] if facts.photograph else []
    return [
        f"I am {maker.occupation or '________________'}. I produce records of {facts.scheme}. I was not in the shop.",
        f"By these records the person known as {_called(facts)} {_excluded(facts)}.",
        _was_served(facts, marks),
        f"On {_moment(facts.at)} the unit at {facts.place} recorded a {facts.kind}{left}. {_clock(facts)}",
        f"It has the number {facts.report}, and came to the office on {_moment(facts.received_at)}.",
        f"Its record is exhibit {marks.record}.",
        *is_there,
        "Further:",
    ]


def _incident_seen(facts: Facts, maker: Maker, marks: _Marks) -> list[str]:
    """The same of an incident: their own words, if somebody has written them down with them."""
    day, hour = day_text(_local(facts.at).date()), f"{_local(facts.at):%H:%M}"
    words = [line.strip() for line in maker.words.splitlines() if line.strip()]
    # A paper has only so many paragraphs, and no word of a witness is left out.
    words[_WORDS_LINES_MAX - 1 :] = filter(None, [" ".join(words[_WORDS_LINES_MAX - 1 :])])
    return [
        f"I work at {facts.place}. What I say here I saw and heard myself, unless I say otherwise.",
        f"On {day} at about {hour} I was at work there. {_ALERTED_AT}",
        f"{_alerted(facts)} The record of that alert is exhibit {marks.record}.",
        *words,
        "Further:" if words else _HAPPENED,
    ]


def _incident_produced(facts: Facts, maker: Maker, marks: _Marks) -> list[str]:
    """The same of an incident."""
    return [
        f"I am {maker.occupation or '________________'}. I produce records of {facts.scheme}. I was not in the shop.",
        f"On {_moment(facts.at)} this was recorded of {facts.place}. {_alerted(facts)} {_ALERTED_AT}",
        f"The office wrote it down on {_moment(facts.received_at)}. The record of the alert is exhibit {marks.record}.",
        "Further:",
    ]


def _alerted(facts: Facts) -> str:
    what = f", written down as: {HAPPENED_TITLES[facts.happened].lower()}" if facts.happened else ""
    return f"An alert was sent from the unit in the shop, number {facts.incident}{what}."


def _exhibits(facts: Facts, marks: _Marks, *, is_producer: bool) -> list[Exhibit]:
    found = []
    if facts.photograph:
        what = f"Photograph of {facts.reference}. SHA-256 of the file as it was handed in: {facts.photograph}"
        found.append(Exhibit(marks.photograph, what))
    what, number = ("alert", facts.incident) if facts.kind == "incident" else (facts.kind, facts.report)
    found.append(Exhibit(marks.record, f"Record of the {what}, number {number}, {_moment(facts.at)}"))
    if is_producer and facts.served is not None:
        found.append(Exhibit(marks.notice, f"Notice of the exclusion, version {facts.served.version}"))
    return found


def _called(facts: Facts) -> str:
    known = f"by the name {facts.name}" if facts.name else "whose name is not known"
    return f"{facts.reference}, {known}"


def _excluded(facts: Facts) -> str:
    if facts.first_on is None or facts.last_on is None:
        return "has no exclusion with a first and a last day"
    days = f"excluded from {day_text(facts.first_on)} to the end of {day_text(facts.last_on)}"
    if facts.ended != "revoked":
        return f"{'was' if facts.ended else 'is'} {days}"
    when = f" on {_moment(facts.ended_at)}" if facts.ended_at else ""
    return f"was {days}; that exclusion was revoked{when}"


def _was_served(facts: Facts, marks: _Marks) -> str:
    if facts.served is None:
        return "There is no record that the person was served with a notice of it."
    one = facts.served
    where = f", {one.where}" if one.where else ""
    how = f", {one.how}" if one.how else ""
    by = f", by {one.by}" if one.by else ""
    served = f"The person was served with the notice, version {one.version}, on {_moment(one.at)}{where}{how}{by}."
    return f"{served} It is exhibit {marks.notice}."


def _clock(facts: Facts) -> str:
    if facts.is_time_proven:
        return "The time is that of the unit in the shop, whose clock had been proven right."
    return "The time is that of the unit in the shop, whose clock was not proven right at that moment."


def _moment(when: datetime) -> str:
    local = _local(when)
    return f"{day_text(local.date())} at {local:%H:%M}"


def _local(when: datetime) -> datetime:
    return when.astimezone(_ZONE)
