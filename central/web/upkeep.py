"""What is wrong with a unit, in which order, and in which words: the rules of the fleet page. Pure.

A unit's needs come worst first: what keeps an alert from arriving, then what soon will, then what merely wants looking
after. What an older unit does not tell is never called wrong.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final, Literal

from msgspec import Struct

from central.core.boots import DUPLICATE
from central.core.unit_lines import UnitFacts
from central.core.view import NodeLine
from central.web.versions import update_words
from wire.renewal import is_late

Kind = Literal[
    "no-contact",
    "identity",
    "certificate",
    "fault",
    "room",
    "hot",
    "clock",
    "radio",
    "off",
    "speech",
    "restarts",
    "update",
    "test",
    "support",
    "never-seen",
]
KINDS: Final[dict[Kind, str]] = {
    "no-contact": "No contact",
    "identity": "Two units with one identity",
    "certificate": "Certificate ends",
    "fault": "Faults",
    "room": "Card nearly full",
    "hot": "Too hot",
    "clock": "Clock not right",
    "radio": "Radio not proven",
    "off": "Switched off",
    "speech": "No spoken alerts",
    "restarts": "Keeps restarting",
    "update": "Update not taken",
    "test": "Weekly test overdue",
    "support": "Support ends",
    "never-seen": "Never seen",
}
"""Worst first, with the words of the page's filter."""
_RANK: Final = {kind: rank for rank, kind in enumerate(KINDS)}

SUPPORT_SOON: Final = timedelta(days=90)
IMAGE_SUPPORT_SOON: Final = timedelta(days=60)
"""A new version goes out over the air: no card has to be planned."""
ROOM_BYTES_MIN: Final = 200_000_000
HOT_C: Final = 80
"""A Raspberry Pi slows down from here on."""
RESTARTS_MANY: Final = 3
"""In an hour."""

_ENGINEER: Final = "Call the fleet engineer."
RENEW: Final = "On the unit: watchlink node renew --now; without an enrolment service: watchlink fleet renew"
_CHECK: Final = "On the unit: watchlink node check"
_SPEECH: Final = "no spoken alerts: "
_PARTS: Final = {
    "oled": "Panel",
    "buttons": "Buttons",
    "sounder": "Sounder",
    "led": "Light",
    "store": "Storage",
    "card": "Memory card",
    "network": "Network",
    "radio": "Radio",
    "modem": "Modem",
    "identity": "Identity",
}


class Need(Struct, frozen=True):
    """One thing that a person must see to.

    Attributes:
        says: what is wrong, a sentence.
        advice: what to do, a sentence.
        remedy: the same for a fleet engineer; empty = the same.
        by: sorts units of the same kind, the most urgent first.
    """

    kind: Kind
    says: str
    advice: str
    remedy: str = ""
    by: float = 0.0

    @property
    def rank(self) -> int:
        """0 = worst."""
        return _RANK[self.kind]

    def told(self, *, to_engineer: bool) -> str:
        """Both sentences."""
        return f"{self.says} {self.remedy if to_engineer and self.remedy else self.advice}"


_NO_SPEECH_YET: Final = Need(
    "speech", "Spoken alerts are not made yet.", "If it stays so, call the fleet engineer.", _CHECK
)


def needs_of(line: NodeLine, now_at: datetime) -> tuple[Need, ...]:
    """What a unit needs at ``now_at``, worst first; nothing of one that was struck off."""
    if line.state == "revoked":
        return ()
    found = [*_contact(line), *_faults(line), *_radio(line), *_upkeep(line)]
    if line.facts is not None:
        found += [*_dates(line.node, line.facts, now_at), *_machine(line.facts), *_update(line.facts)]
        if line.facts.is_speech_ready is False and all(need.kind != "speech" for need in found):
            found.append(_NO_SPEECH_YET)
    if len(found) > 1:
        found.sort(key=lambda need: (need.rank, need.by))
    return tuple(found)


def urgency(needs: tuple[Need, ...]) -> tuple[int, float, int]:
    """Sorts units that need a person: by their worst need, then how urgent that is, then how many they have."""
    return needs[0].rank, needs[0].by, -len(needs)


def day(at: datetime) -> str:
    """Local day, ``3 Nov 2026``."""
    local = at.astimezone()
    return f"{local.day} {local:%b %Y}"


def moment(at: datetime) -> str:
    """Local day and time, ``3 Nov 23:40``."""
    local = at.astimezone()
    return f"{local.day} {local:%b %H:%M}"


def room(free_bytes: int) -> str:
    """``120 MB``, ``2.9 GB``."""
    tenths_gb = free_bytes // 100_000_000
    return f"{tenths_gb / 10:.1f} GB" if tenths_gb >= 10 else f"{free_bytes // 1_000_000} MB"  # noqa: PLR2004


def days(span: timedelta) -> str:
    """``9 days``, ``1 day``, ``less than a day``."""
    return "less than a day" if span.days < 1 else f"{span.days} day{'' if span.days == 1 else 's'}"


def _contact(line: NodeLine) -> Iterator[Need]:
    last = line.last_seen_at
    by = 0.0 if last is None else last.timestamp()
    if line.state == "no-contact":
        heard = "never heard" if last is None else f"last heard {moment(last)}"
        advice = "Call the premises: has the unit power, and do they have network?"
        yield Need("no-contact", f"No contact: {heard}.", advice, by=by)
    elif line.state == "stopped":
        heard = "" if last is None else f" since {moment(last)}"
        yield Need("off", f"Switched off{heard}.", "Call the premises if they are open.", by=by)
    elif line.state == "never-seen" and last is None:
        yield Need("never-seen", "Never seen.", "If it is fitted: has it power and network?")


def _faults(line: NodeLine) -> Iterator[Need]:
    if line.state not in ("ok", "fault"):
        return  # Its last faults may no longer be true.
    for fault in line.faults:
        part, is_there, detail = fault.partition(": ")
        if part == "certificate":
            continue  # Told with its date, of silent units too.
        if fault == DUPLICATE or (part == "identity" and is_there):
            yield Need(
                "identity",
                "Two units use this identity.",
                _ENGINEER,
                "Switch one off, then make it anew: see the runbook, ‘DUPLICATE IDENTITY’.",
            )
        elif part == "clock" and is_there:
            said = "nothing vouches for it, so alerts carry no time" if detail == "not proven" else detail
            yield Need("clock", f"Clock: {said}.", _ENGINEER, "See the runbook, ‘A wrong clock’.")
        elif part == "speech" and is_there:
            yield Need("speech", f"No spoken alerts: {detail.removeprefix(_SPEECH)}.", _ENGINEER, _CHECK)
        else:
            said = f"{_PARTS.get(part, part)}: {detail}" if is_there else fault
            yield Need("fault", f"{said.rstrip('.')}.", _ENGINEER, _CHECK)


def _radio(line: NodeLine) -> Iterator[Need]:
    radio = line.radio
    if radio is None or line.state not in ("ok", "fault"):
        return
    if radio.blocked_since is not None:
        says = f"Radio channel blocked since {moment(radio.blocked_since)}, and an alert is waiting."
        remedy = "Look for a stuck transmitter, or jamming."
        yield Need("radio", says, _ENGINEER, remedy, radio.blocked_since.timestamp())
    elif radio.is_test_overdue:
        last = f"last came back {moment(radio.tested_at)}" if radio.tested_at else "none has come back"
        by = radio.tested_at.timestamp() if radio.tested_at else 0.0
        yield Need("radio", f"Radio test overdue: {last}.", _ENGINEER, "On the unit: watchlink node radio-check", by)


def _upkeep(line: NodeLine) -> Iterator[Need]:
    if line.restarts >= RESTARTS_MANY:
        says = f"Restarted {line.restarts} times in the last hour."
        yield Need("restarts", says, _ENGINEER, _CHECK, -line.restarts)
    if line.is_weekly_test_overdue:
        last = f", last good {moment(line.weekly_test_at)}" if line.weekly_test_at else ""
        yield Need("test", f"Weekly test overdue{last}.", "Ask staff to press Test when it is quiet.")


def _dates(node: str, facts: UnitFacts, now_at: datetime) -> Iterator[Need]:
    ends_at = facts.certificate_ends_at
    if ends_at is not None and is_late(ends_at, now_at):
        says = f"Certificate ends in {days(ends_at - now_at)}, and has not renewed itself."
        if ends_at <= now_at:
            says = f"Certificate ended on {day(ends_at)}: it cannot connect again."
        yield Need("certificate", says, _ENGINEER, f"{RENEW} {node}", ends_at.timestamp())
    until = facts.support_ends_at
    if until is not None and until - now_at <= (IMAGE_SUPPORT_SOON if facts.image else SUPPORT_SOON):
        system = f"Version {facts.image}" if facts.image else facts.system or "The operating system"
        left = f"support ends in {days(until - now_at)}" if until > now_at else f"support ended on {day(until)}"
        advice = "The fleet engineer publishes a newer one." if facts.image else "The fleet engineer plans a new card."
        yield Need("support", f"{system}: {left}.", advice, by=until.timestamp())


def _update(facts: UnitFacts) -> Iterator[Need]:
    update = facts.update
    if update is not None and update.state in ("returned", "refused"):
        remedy = "If others say so too, stop it for all: watchlink fleet release pause"
        yield Need("update", f"{update_words(facts)}.", _ENGINEER, remedy)


def _machine(facts: UnitFacts) -> Iterator[Need]:
    free, degrees_c = facts.free_bytes, facts.temperature_c
    if free is not None and free < ROOM_BYTES_MIN:
        says = f"Card nearly full: {room(free)} free."
        yield Need("room", says, f"{_ENGINEER} A full card saves no alerts.", "Make room, or change the card.", free)
    if degrees_c is not None and degrees_c >= HOT_C:
        yield Need("hot", f"Too hot: {degrees_c} °C.", "Ask the premises to give the box air.", by=-degrees_c)
