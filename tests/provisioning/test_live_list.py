"""``fleet list --from FILE``: what central's page said is shown with its age, and believed for nothing else."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

import msgspec
import pytest
from msgspec.structs import replace

from provisioning.cli import main
from provisioning.errors import FleetInputError
from provisioning.fleet import Fleet
from provisioning.listing import as_table, list_fleet
from provisioning.live_list import WHERE_FROM, read_live
from wire.fleet_list import FLEET_LIST_BYTES_MAX, FleetList, UnitEntry
from wire.node_settings import NodeSettings

NODE = "00000010"


class Clock(Protocol):
    """As in conftest."""

    pass_by: Callable[[timedelta], None]


def entry(node: str = NODE, *needs: str, certificate_ends_at: datetime | None = None) -> UnitEntry:
    return UnitEntry(
        node=node,
        premises="Corner Shop",
        state="ok",
        last_seen_at=datetime(2026, 11, 27, 15, 30, tzinfo=UTC),
        version="0.1.0",
        certificate_ends_at=certificate_ends_at,
        free_bytes=120_000_000,
        temperature_c=48,
        clock="ntp",
        has_battery_clock=False,
        radio="OK",
        is_speech_ready=True,
        settings="set from afar",
        settings_serial=7,
        needs=needs,
    )


@pytest.fixture
def shop(fleet: Fleet) -> Fleet:
    fleet.add("Corner Shop", "High St", ["hart"])
    return fleet


def test_list_without_the_file_says_where_to_get_it(shop: Fleet) -> None:
    assert WHERE_FROM in as_table(list_fleet(shop)).splitlines()


def test_list_shows_what_central_said_of_each_node(shop: Fleet) -> None:
    told = entry(NODE, "Card nearly full: 120 MB free. Make room, or change the card.")
    table = as_table(list_fleet(shop, live=FleetList(at=shop.now(), units=(told, entry(NODE)))))

    assert WHERE_FROM not in table
    row = next(line for line in table.splitlines() if line.startswith(f"{NODE}  ok"))
    assert ["2026-11-27", "15:30", "0.1.0", "not", "told", "120", "MB", "48", "°C", "ntp", "none", "OK", "ready"] == (
        row.split()[2:15]
    )
    assert row.endswith("set from afar  not told")
    assert "! Corner Shop (00000010): Card nearly full: 120 MB free. Make room, or change the card." in table


@pytest.mark.parametrize(
    ("serial", "state", "is_late"), [(7, "ok", False), (8, "fault", True), (8, "no-contact", False)]
)
def test_list_says_which_nodes_do_not_have_their_newest_settings(
    shop: Fleet,
    serial: int,
    state: str,
    is_late: bool,  # noqa: FBT001 - what the case is about
) -> None:
    node = shop.record.node(NODE)
    settings = NodeSettings(node=NODE, serial=serial, made_at=shop.now())
    with shop.folder.changing():
        shop.folder.commit(shop.record.with_node(msgspec.structs.replace(node, settings=settings)))
    told = msgspec.structs.replace(entry(), state=state)

    warnings = list_fleet(shop, live=FleetList(at=shop.now(), units=(told,))).warnings

    assert is_late is any("does not have its newest settings yet" in one for one in warnings)


def test_list_shows_of_an_older_node_that_it_did_not_tell(shop: Fleet) -> None:
    table = as_table(list_fleet(shop, live=FleetList(at=shop.now(), units=(UnitEntry(node=NODE),))))
    row = next(line for line in table.splitlines() if line.startswith(f"{NODE}  never-seen"))

    assert (11, True) == (row.count("not told"), "never  " in row)


@pytest.mark.parametrize(
    ("age", "words"),
    [
        (timedelta(hours=23), []),
        (timedelta(days=3, hours=1), ["Central said this 3 days ago: save the list again."]),
        (-timedelta(days=2), ["Central's list is from tomorrow or later: one of the two clocks is wrong."]),
    ],
    ids=str,
)
def test_list_says_how_old_central_s_word_is(shop: Fleet, age: timedelta, words: list[str]) -> None:
    quiet = list_fleet(shop).warnings
    warnings = list_fleet(shop, live=FleetList(at=shop.now() - age, units=(entry(),))).warnings

    assert words == [warning for warning in warnings if warning not in quiet]


def test_list_of_another_town_is_told(shop: Fleet) -> None:
    warnings = list_fleet(shop, live=FleetList(at=shop.now(), units=(entry("00000099"),))).warnings

    assert any("does not know (00000099): is it another town's list?" in warning for warning in warnings)


def test_node_that_renewed_itself_is_not_said_to_expire(shop: Fleet, clock: Clock) -> None:
    clock.pass_by(timedelta(days=70))
    renewed = entry(certificate_ends_at=shop.now() + timedelta(days=80))
    expires = [warning for warning in list_fleet(shop).warnings if warning.startswith("Corner Shop's certificate")]
    told = list_fleet(shop, live=FleetList(at=shop.now(), units=(renewed,))).warnings

    assert 1 == len(expires)
    assert not set(expires).intersection(told)


def test_older_word_of_a_certificate_takes_nothing_from_the_records(shop: Fleet) -> None:
    quiet = list_fleet(shop).warnings
    old = entry(certificate_ends_at=shop.now() + timedelta(days=1))

    assert quiet == list_fleet(shop, live=FleetList(at=shop.now(), units=(old,))).warnings


@pytest.mark.parametrize(
    "data",
    [b"", b"{", b"[]", b'{"at":"2026-11-27T15:30:00Z"}', b'{"at":"2026-11-27T15:30:00","units":[]}', b"\xff"],
    ids=["empty", "cut off", "a list", "no units", "no zone", "no UTF-8"],
)
def test_file_that_is_no_such_list_is_refused_with_a_sentence(tmp_path: Path, data: bytes) -> None:
    file = tmp_path / "list.json"
    file.write_bytes(data)

    with pytest.raises(FleetInputError, match=r"is no list from central's fleet page"):
        read_live(file)


def test_file_that_is_too_large_or_missing_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "list.json"
    with pytest.raises(FleetInputError, match="cannot be read: No such file"):
        read_live(file)
    with file.open("wb") as opened:
        opened.truncate(FLEET_LIST_BYTES_MAX + 1)
    with pytest.raises(FleetInputError, match="too large"):
        read_live(file)


def test_what_a_node_said_cannot_play_with_the_terminal(shop: Fleet, tmp_path: Path) -> None:
    evil = UnitEntry(node=NODE, premises="\x1b]0;x\x07", version="\x1b[2J", radio="\u202eKO", needs=("\x1b[31mred",))
    table = as_table(list_fleet(shop, live=FleetList(at=shop.now(), units=(evil,))))

    assert not any(sign in table for sign in "\x1b\x07\u202e")


def test_command_takes_the_file(shop: Fleet, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "list.json"
    file.write_bytes(msgspec.json.encode(FleetList(at=shop.now(), units=(entry(),))))

    assert 0 == main(["list", "--dir", str(shop.layout.town), "--from", str(file)])
    assert "As central said on" in capsys.readouterr().out
    assert 2 == main(["list", "--dir", str(shop.layout.town), "--from", str(tmp_path)])


@pytest.mark.parametrize(("update", "said"), [("", "none yet"), ("Trying 0.1.1", "Trying 0.1.1")])
def test_list_shows_the_booted_system_and_its_update(shop: Fleet, update: str, said: str) -> None:
    unit = replace(entry(), image="0.1.0.5", slot="b", update=update)
    table = as_table(list_fleet(shop, live=FleetList(at=shop.now(), units=(unit,))))
    row = next(line for line in table.splitlines() if line.startswith(f"{NODE}  ok"))

    assert " 0.1.0.5 " in row
    assert row.endswith(said)
