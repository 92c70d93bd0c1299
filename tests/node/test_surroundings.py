"""What the kernel and the system's files say, and what they do not."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from node.check.machine import Machine
from node.surroundings import (
    card_fault,
    certificate_ends_at,
    free_bytes,
    has_battery_clock,
    system,
    system_report,
    temperature_c,
)
from provisioning.fleet import Fleet
from wire.unit_files import CARD_FILE, SYSTEM_FILE, UNIT_FILE_BYTES_MAX

DEBIAN = 'PRETTY_NAME="Debian GNU/Linux {0} (x)"\nVERSION_ID="{0}"\nID=debian\n'
RASPBIAN = 'ID=raspbian\nVERSION_ID="12"\n'


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(root=tmp_path)


def write(machine: Machine, path: str, text: str) -> None:
    file = machine.at(path)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def test_machine_without_any_of_it_tells_nothing(machine: Machine) -> None:
    assert (None, False, ("", None)) == (temperature_c(machine), has_battery_clock(machine), system(machine))
    assert (None, None) == (certificate_ends_at(machine.at("/client.pem")), system_report(machine))


@pytest.mark.parametrize(("text", "degrees_c"), [("48312\n", 48.3), ("-5000\n", -5.0), ("n/a\n", None), ("", None)])
def test_temperature_is_the_kernels(machine: Machine, text: str, degrees_c: float | None) -> None:
    write(machine, "/sys/class/thermal/thermal_zone0/temp", text)

    assert degrees_c == temperature_c(machine)


def test_battery_clock_is_one_that_the_kernel_lists(machine: Machine) -> None:
    write(machine, "/sys/class/rtc/rtc0/name", "rtc-ds3231")

    assert has_battery_clock(machine)


def test_free_room_is_that_of_the_nearest_folder_that_is_there(tmp_path: Path) -> None:
    there = free_bytes(tmp_path)

    assert there
    assert free_bytes(tmp_path / "not" / "made" / "yet")


@pytest.mark.parametrize(
    ("text", "day"),
    [
        pytest.param(DEBIAN.format("13"), datetime(2028, 8, 10, tzinfo=UTC), id="Debian's own says no date"),
        pytest.param(
            DEBIAN.format("12").replace("ID=debian", "ID=raspbian"), datetime(2026, 6, 11, tzinfo=UTC), id="Pi"
        ),
        pytest.param(DEBIAN.format("13") + "SUPPORT_END=2030-01-31\n", datetime(2030, 2, 1, tzinfo=UTC), id="its own"),
        pytest.param(DEBIAN.format("13") + "SUPPORT_END=soon\n", datetime(2028, 8, 10, tzinfo=UTC), id="no date"),
        pytest.param(DEBIAN.format("99"), None, id="of the future"),
        pytest.param("ID=arch\nVERSION_ID=13\n", None, id="another system"),
        pytest.param("SUPPORT_END=9999-12-31\n", None, id="no moment that travels"),
        pytest.param('PRETTY_NAME="open\nSUPPORT_END=2030-01-31\n', datetime(2030, 2, 1, tzinfo=UTC), id="damaged"),
    ],
)
def test_support_ends_as_the_system_says_or_debian(machine: Machine, text: str, day: datetime | None) -> None:
    write(machine, "/usr/lib/os-release", text)

    assert day == system(machine)[1]


def test_system_is_named_as_it_names_itself(machine: Machine) -> None:
    write(machine, "/usr/lib/os-release", DEBIAN.format("12"))
    write(machine, "/etc/os-release", DEBIAN.format("13"))

    assert "Debian GNU/Linux 13 (x)" == system(machine)[0]


def test_certificate_ends_with_the_first_of_its_chain(tmp_path: Path) -> None:
    fleet = Fleet.init(tmp_path / "town", schemes={"hart": "HART"})
    chain = fleet.layout.central / "client.pem"

    assert fleet.record.central.certificates[-1].expires_at == certificate_ends_at(chain)


@pytest.mark.parametrize(
    "text",
    [
        *("", "{", "[]", '{"version": "1.2", "slot": "a"}', '{"version": "1.2", "slot": "A!", "compatible": "x"}'),
        '{"version": "1.2", "slot": "a", "compatible": "x"}' + UNIT_FILE_BYTES_MAX * " " + "{}",
    ],
    ids=lambda text: text[:40],
)
def test_system_file_that_cannot_be_understood_says_nothing(machine: Machine, text: str) -> None:
    write(machine, SYSTEM_FILE, text)

    assert None is system_report(machine)


@pytest.mark.parametrize(
    ("before", "report", "fault"),
    [
        ("", "", None),
        ("The card wears out.\n", "", "The card wears out."),
        ("", '{"version": "1.2", "slot": "a", "compatible": "x"}', ""),
        ("", '{"version": "1.2", "slot": "a", "compatible": "x", "card": "it is full"}', "it is full"),
        ("The card wears out.", '{"version": "1.2", "slot": "a", "compatible": "x"}', "The card wears out."),
    ],
    ids=["neither", "found at the start", "good", "found later", "not taken back"],
)
def test_card_is_bad_if_one_of_two_says_so(machine: Machine, before: str, report: str, fault: str | None) -> None:
    for path, text in ((CARD_FILE, before), (SYSTEM_FILE, report)):
        if text:
            write(machine, path, text)

    assert fault == card_fault(machine)
