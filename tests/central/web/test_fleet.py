"""The fleet page and its file: who sees what, what comes first, and how long it takes."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import msgspec
import pytest

from central.core.rights import Scope
from central.core.unit_lines import UnitFacts
from central.core.view import NodeLine
from central.web import fleet
from central.web.fleet import PAGE_UNITS, Asked, facts_of, fleet_list
from central.web.upkeep import RENEW
from tests.support.fleet_lines import NOW, facts, troubled, unit
from tests.support.fleet_page import ask, board_of, names, told
from wire.fleet_list import FleetList, decode_fleet_list
from wire.messages import SettingsReport


def test_page_says_first_who_needs_a_person_and_then_who_is_in_order() -> None:
    page = told(ask("/fleet", troubled()).text)

    assert "10 of 14 need a person." in page
    assert "Card nearly full: 120 MB free. Call the fleet engineer." in page
    order = [page.index(name) for name in ("Bell’s Outdoor", "New Café", "In order", "Corner Shop", "Struck off")]
    assert sorted(order) == order


def test_page_of_an_engineer_says_what_to_do() -> None:
    page = told(ask("/fleet", troubled(), "fleet-engineer").text)

    assert f"{RENEW} 00000017" in page
    assert "Call the fleet engineer" not in page.replace("If it stays so, call", "")


def test_page_shows_what_an_older_unit_did_not_tell_as_not_told() -> None:
    old = unit(0x10, version="0.0.9", facts=UnitFacts(version="0.0.9"), radio=None)
    shown = {label: words for _, label, words in facts_of(old)}

    assert {"Last seen": "now", "Version": "0.0.9", "Radio path": "no radio", "Speech": "none"} | {
        "Settings": "as installed"
    } == {label: words for label, words in shown.items() if words != "not told"}
    assert "0 of 1 need a person." in told(ask("/fleet", [old]).text)


def test_page_says_of_each_unit_all_that_it_told() -> None:
    assert [
        ("Last seen", "now"),
        ("Version", "0.1.0"),
        ("Certificate until", "5 Feb 2027"),
        ("Free space", "2.9 GB"),
        ("Temperature", "48 °C"),
        ("Clock", "proven by NTP"),
        ("Battery clock", "yes"),
        ("Radio path", "OK"),
        ("Speech", "ready"),
        ("Profile", "ssd1309-128x64"),
        ("Settings", "as installed"),
        ("System", "Debian GNU/Linux 13 (trixie)"),
        ("Support until", "10 Aug 2028"),
    ] == [(label, words) for _, label, words in facts_of(unit(0x10))]


@pytest.mark.parametrize(
    ("report", "said"),
    [
        (SettingsReport(serial=7, state="taken", in_force=7), "set from afar"),
        (SettingsReport(serial=7, state="trial"), "on trial"),
        (SettingsReport(serial=7, state="trial", reason="radio: mute"), "on trial, soon taken back"),
        (SettingsReport(serial=7, state="waiting"), "as installed; newer ones wait"),
        (SettingsReport(serial=7, state="refused", in_force=5), "as set before; newer ones refused"),
        (SettingsReport(serial=7, state="returned", in_force=5), "as set before; newer ones tried, taken back"),
        (SettingsReport(serial=7, state="of-a-newer-version"), "of-a-newer-version"),
    ],
)
def test_page_and_file_say_which_settings_count(report: SettingsReport, said: str) -> None:
    line = unit(0x10, facts=facts(settings=report))
    (told_in_file,) = fleet_list(board_of(line).board(Scope())).units

    assert said in [words for _, label, words in facts_of(line) if label == "Settings"]
    assert (said, 7) == (told_in_file.settings, told_in_file.settings_serial)


def test_page_is_that_of_one_moment_and_says_so() -> None:
    page = told(ask("/fleet", [unit(0x10)]).text)

    assert f"As of {NOW.astimezone():%H:%M:%S} . This page does not refresh itself." in page


def test_name_of_a_unit_is_text_on_the_page() -> None:
    evil = "<script>alert(1)</script>"
    page = ask("/fleet?q=%3Cb%3E&sort=%22", [unit(0x10, evil), unit(0x11, "<b>", facts=facts(profile=evil))]).text

    assert "<script>alert" not in page
    assert '<input type="search" name="q" value="&lt;b&gt;"' in page


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("corner", ["Corner Shop"]),
        ("HIGH st corner", ["Corner Shop"]),
        ("0000001a", ["Old Mill"]),
        ("bookworm", ["Tea Room"]),
        ("0.0.9", ["The Crown"]),
        ("nowhere", []),
    ],
)
def test_search_finds_by_all_its_words(query: str, found: list[str]) -> None:
    assert found == names(troubled(), Asked(query=query))


def test_page_shows_only_what_is_wrong_in_the_way_asked_for() -> None:
    assert ["Bell’s Outdoor", "Fox & Goose"] == names(troubled(), Asked(wrong="certificate"))


@pytest.mark.parametrize(
    ("sort", "first"),
    [
        ("wrong", "Bell’s Outdoor"),
        ("premises", "Bell’s Outdoor"),
        ("seen", "New Café"),
        ("certificate", "Fox & Goose"),
        ("room", "The Railway Arms"),
        ("temperature", "Market Pharmacy"),
        ("version", "New Café"),
    ],
)
def test_page_is_sorted_as_asked_with_those_in_need_first(sort: str, first: str) -> None:
    found = names(troubled(), Asked(sort=sort))

    assert first == found[0]
    assert {"Control room radio", "Corner Shop", "The Crown"} == set(found[10:13])


@pytest.mark.parametrize("query", ["sort=evil", "wrong=evil", "page=0", "page=-1", "page=99999", "page=٣", "page=x"])
def test_page_bears_any_address(query: str) -> None:
    assert "<bdi>Corner Shop</bdi>" in ask(f"/fleet?{query}", [unit(0x10)]).text


def test_pages_of_a_large_town_hold_every_unit_once() -> None:
    lines = [unit(number, f"Shop {number:03}") for number in range(1, 2 * PAGE_UNITS + 2)]
    pages = [ask(f"/fleet?page={number}", lines).text for number in (1, 2, 3)]
    shown = [name for page in pages for name in re.findall(r"<bdi>(Shop \d+)</bdi>", page)]

    assert [line.premises for line in lines] == shown
    assert "Page 2 of 3" in told(pages[1])


def test_page_of_five_thousand_units_draws_one_page_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """Drawing is most of the time that the page takes."""
    drawn: set[str] = set()
    real = fleet.facts_of

    def counted(line: NodeLine) -> list[tuple[str, str, str]]:
        drawn.add(line.node)
        return real(line)

    monkeypatch.setattr(fleet, "facts_of", counted)
    ask("/fleet", [unit(number) for number in range(1, 5_001)])

    assert PAGE_UNITS == len(drawn)


def test_file_is_a_list_that_the_fleet_can_read() -> None:
    response = ask("/fleet.json", troubled(), "fleet-engineer")
    read = decode_fleet_list(response.content)

    assert 'attachment; filename="watchlink-fleet-2026-11-27.json"' == response.headers["content-disposition"]
    assert fleet_list(board_of(*troubled()).board(Scope())) == read
    first = read.units[0]
    assert ("00000013", "no-contact", "0.1.0", 2_900_000_000, "was OK") == (
        first.node,
        first.state,
        first.version,
        first.free_bytes,
        first.radio,
    )
    assert f"Certificate ends in 9 days, and has not renewed itself. {RENEW} 00000013" == first.needs[1]


def test_file_leaves_only_within_five_minutes_of_a_second_factor() -> None:
    late = ask("/fleet.json", troubled(), later=timedelta(minutes=5, seconds=1))

    assert (403, True) == (late.status_code, "content-disposition" not in late.headers)
    assert "Bell’s" not in late.text


def test_list_that_a_board_makes_is_one_that_its_reader_takes() -> None:
    """Whatever units said: the longest names, faults and numbers."""
    long = "\N{SNOWMAN}" * 64
    worst = UnitFacts(
        version=long,
        profile=long,
        system=long,
        free_bytes=2**53,
        clock="x" * 32,
        support_ends_at=NOW,
        temperature_c=200,
    )
    lines = [unit(1, long, long, state="fault", version=long, facts=worst, faults=("oled: " + "x" * 494,) * 17)]
    data = msgspec.json.encode(fleet_list(board_of(*lines).board(Scope())))

    assert isinstance(decode_fleet_list(data), FleetList)
    assert datetime.fromisoformat("2026-11-27T15:30:00+00:00") == decode_fleet_list(data).at
