"""What is wrong with a unit, worst first, in words that a tired person understands."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from central.core.boots import DUPLICATE
from central.core.unit_lines import UnitFacts
from central.core.view import NodeLine, RadioLine
from central.web.upkeep import KINDS, RENEW, needs_of, room, urgency
from tests.support.fleet_lines import NOW, facts, troubled, unit
from wire.messages import UpdateReport


def said(line: NodeLine, *, to_engineer: bool = False) -> list[str]:
    return [need.told(to_engineer=to_engineer) for need in needs_of(line, NOW)]


def kinds(line: NodeLine) -> list[str]:
    return [need.kind for need in needs_of(line, NOW)]


def test_unit_in_order_needs_nobody() -> None:
    assert () == needs_of(unit(0x10), NOW)


@pytest.mark.parametrize("told", [UnitFacts(version="0.0.9"), UnitFacts(), None])
def test_older_unit_that_does_not_tell_is_not_called_wrong(told: UnitFacts | None) -> None:
    assert () == needs_of(unit(0x10, facts=told, radio=None), NOW)


@pytest.mark.parametrize(
    ("ends_in", "words"),
    [
        (timedelta(days=30, seconds=1), []),
        (timedelta(days=30), ["Certificate ends in 30 days, and has not renewed itself. Call the fleet engineer."]),
        (timedelta(days=9), ["Certificate ends in 9 days, and has not renewed itself. Call the fleet engineer."]),
        (timedelta(days=1), ["Certificate ends in 1 day, and has not renewed itself. Call the fleet engineer."]),
        (
            timedelta(hours=3),
            ["Certificate ends in less than a day, and has not renewed itself. Call the fleet engineer."],
        ),
        (timedelta(), ["Certificate ended on 27 Nov 2026: it cannot connect again. Call the fleet engineer."]),
        (-timedelta(days=2), ["Certificate ended on 25 Nov 2026: it cannot connect again. Call the fleet engineer."]),
    ],
    ids=str,
)
def test_certificate_is_told_before_it_locks_the_unit_out(ends_in: timedelta, words: list[str]) -> None:
    assert words == said(unit(0x10, facts=facts(certificate_ends_at=NOW + ends_in)))


def test_engineer_is_told_what_to_do_and_everybody_else_whom_to_call() -> None:
    line = unit(0x2A, facts=facts(certificate_ends_at=NOW + timedelta(days=9)))

    assert ["Call the fleet engineer."] == [need.advice for need in needs_of(line, NOW)]
    assert [f"Certificate ends in 9 days, and has not renewed itself. {RENEW} 0000002a"] == said(line, to_engineer=True)


@pytest.mark.parametrize(
    ("free", "words"),
    [
        (200_000_000, []),
        (199_999_999, ["Card nearly full: 199 MB free. Call the fleet engineer. A full card saves no alerts."]),
        (0, ["Card nearly full: 0 MB free. Call the fleet engineer. A full card saves no alerts."]),
    ],
)
def test_card_is_told_before_it_is_full(free: int, words: list[str]) -> None:
    assert words == said(unit(0x10, facts=facts(free_bytes=free)))


@pytest.mark.parametrize(
    ("free", "words"), [(0, "0 MB"), (999_999_999, "999 MB"), (1_000_000_000, "1.0 GB"), (2_960_000_000, "2.9 GB")]
)
def test_room_is_never_told_larger_than_it_is(free: int, words: str) -> None:
    assert words == room(free)


@pytest.mark.parametrize(("degrees_c", "found"), [(79, []), (80, ["hot"]), (-20, [])])
def test_heat_is_told_from_where_the_processor_slows_down(degrees_c: int, found: list[str]) -> None:
    assert found == kinds(unit(0x10, facts=facts(temperature_c=degrees_c)))


@pytest.mark.parametrize(
    ("left", "words"),
    [
        (timedelta(days=91), []),
        (timedelta(days=90), ["Debian 13: support ends in 90 days. The fleet engineer plans a new card."]),
        (timedelta(), ["Debian 13: support ended on 27 Nov 2026. The fleet engineer plans a new card."]),
    ],
    ids=str,
)
def test_end_of_support_is_told_a_season_before(left: timedelta, words: list[str]) -> None:
    assert words == said(unit(0x10, facts=facts(system="Debian 13", support_ends_at=NOW + left)))


@pytest.mark.parametrize(
    ("left", "words"),
    [
        (timedelta(days=61), []),
        (timedelta(days=60), ["Version 0.1.0.5: support ends in 60 days. The fleet engineer publishes a newer one."]),
        (timedelta(), ["Version 0.1.0.5: support ended on 27 Nov 2026. The fleet engineer publishes a newer one."]),
    ],
    ids=str,
)
def test_end_of_an_images_support_is_told_two_months_before(left: timedelta, words: list[str]) -> None:
    assert words == said(unit(0x10, facts=facts(image="0.1.0.5", support_ends_at=NOW + left)))


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("trying", []),
        ("taken", []),
        ("returned", ["Tried 0.1.1, went back to 0.1.0.5. Buttons did not work. Call the fleet engineer."]),
        ("refused", ["Refused 0.1.1. Buttons did not work. Call the fleet engineer."]),
    ],
)
def test_update_that_was_not_taken_is_told(state: str, words: list[str]) -> None:
    update = UpdateReport(serial=7, version="0.1.1", state=state, reason="buttons did not work.")

    assert words == said(unit(0x10, facts=facts(image="0.1.0.5", update=update)))


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("oled: no answer at 0x3c", "Panel: no answer at 0x3c. Call the fleet engineer."),
        ("card: The card is full.", "Memory card: The card is full. Call the fleet engineer."),
        ("clock: not proven", "Clock: nothing vouches for it, so alerts carry no time. Call the fleet engineer."),
        ("clock: 70 s behind central's clock", "Clock: 70 s behind central's clock. Call the fleet engineer."),
        ("speech: no spoken alerts: disk full", "No spoken alerts: disk full. Call the fleet engineer."),
        ("newpart: broken", "newpart: broken. Call the fleet engineer."),
        (DUPLICATE, "Two units use this identity. Call the fleet engineer."),
        ("identity: another unit has it", "Two units use this identity. Call the fleet engineer."),
    ],
)
def test_fault_is_told_in_words(fault: str, words: str) -> None:
    assert [words] == said(unit(0x10, state="fault", faults=(fault,)))


def test_late_certificate_of_the_control_rooms_page_is_told_once() -> None:
    late = unit(0x10, faults=("certificate: ends on 6 December 2026 and is not renewed; tell …",))

    assert [] == kinds(late)


def test_speech_that_failed_is_told_once() -> None:
    line = unit(0x10, state="fault", faults=("speech: no program",), facts=facts(is_speech_ready=False))

    assert ["speech"] == kinds(line)


@pytest.mark.parametrize("state", ["no-contact", "stopped", "never-seen", "revoked"])
def test_last_faults_of_a_silent_unit_are_not_told_as_todays(state: str) -> None:
    radio = RadioLine(state="ready", is_test_overdue=True)

    assert not {"fault", "radio"}.intersection(kinds(unit(0x10, state=state, faults=("oled: gone",), radio=radio)))


def test_silent_unit_says_when_it_was_last_heard() -> None:
    last: datetime = NOW - timedelta(days=15)
    line = unit(0x10, state="no-contact", last_seen_at=last)

    assert ["Call the premises: has the unit power, and do they have network?"] == [
        need.advice for need in needs_of(line, NOW)
    ]
    assert f"No contact: last heard {last.astimezone().day} Nov" in said(line)[0]


@pytest.mark.parametrize(("last_seen_at", "found"), [(None, ["never-seen"]), (NOW, [])])
def test_unit_that_central_has_just_not_heard_yet_is_not_called_wrong(
    last_seen_at: datetime | None, found: list[str]
) -> None:
    assert found == kinds(unit(0x10, state="never-seen", last_seen_at=last_seen_at))


def test_needs_of_a_unit_come_worst_first() -> None:
    line = unit(
        0x10,
        state="fault",
        restarts=3,
        is_weekly_test_overdue=True,
        faults=("oled: gone", "clock: not proven"),
        radio=RadioLine(state="untested", is_test_overdue=True),
        facts=facts(free_bytes=1, temperature_c=90, certificate_ends_at=NOW, support_ends_at=NOW),
    )
    found = kinds(line)

    assert ["certificate", "fault", "room", "hot", "clock", "radio", "restarts", "test", "support"] == found
    assert [kind for kind in KINDS if kind in found] == found


def test_units_come_by_their_worst_need_and_the_most_urgent_of_a_kind_first() -> None:
    lines = {line.premises: needs_of(line, NOW) for line in troubled()}
    order = sorted((name for name, needs in lines.items() if needs), key=lambda name: urgency(lines[name]))

    assert [
        "Bell’s Outdoor",
        "Fox & Goose",
        "Vine & Barrel",
        "The Railway Arms",
        "Market Pharmacy",
        "Gas & Co",
        "Old Mill",
        "Bridge Inn",
        "Tea Room",
        "New Café",
    ] == order
    ends = {
        days: needs_of(unit(1, facts=facts(certificate_ends_at=NOW + timedelta(days=days))), NOW) for days in (9, 3)
    }
    assert urgency(ends[3]) < urgency(ends[9])


def test_struck_off_unit_needs_nobody() -> None:
    assert () == needs_of(unit(0x10, state="revoked", facts=facts(certificate_ends_at=NOW)), NOW)
