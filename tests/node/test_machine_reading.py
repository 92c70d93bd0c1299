"""The machine is read beside the alerts: what it says reaches central, and what hangs holds up nothing."""

from __future__ import annotations

import io
import queue
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest
from msgspec.structs import replace

from node import machine_reading
from node.app import NodeApp
from node.config import NodeConfig, load_config
from node.core.events import MachineRead, StopAsked
from node.machine_reading import MachineReading
from node.radio_driver import speech_of
from runtime.logs import FactLog
from runtime.service import Service
from tests.support.fitted_unit import FittedUnit, fitted_unit
from wire.messages import Health, UpdateReport, decode_message, encode_message
from wire.unit_files import SYSTEM_FILE, SystemReport

SPEAKS = '\n[radio]\ndriver = "fake"\nlicence = "OFCOM 1"\n[radio.fake]\nair_socket = "nowhere.sock"\n'
WITHIN_S = 60.0


@pytest.fixture
def fitted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FittedUnit:
    return fitted_unit(tmp_path, monkeypatch)


def config_of(fitted: FittedUnit) -> NodeConfig:
    return load_config(fitted.file, "1.4")


def read(fitted: FittedUnit) -> MachineRead:
    return MachineReading(config_of(fitted), lambda _: None, fitted.machine).read()


def test_reading_says_what_the_machine_tells(fitted: FittedUnit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine_reading, "is_synchronised", lambda: True)
    fitted.kernel("/sys/class/thermal/thermal_zone0/temp", "48312\n")
    fitted.kernel("/sys/class/rtc/rtc0/name", "rtc-ds3231")
    fitted.kernel("/etc/os-release", 'PRETTY_NAME="Debian GNU/Linux 13 (trixie)"\nID=debian\nVERSION_ID="13"\n')
    done = read(fitted)
    told = done.machine

    assert ("fake", "Debian GNU/Linux 13 (trixie)", 48, True, "ntp") == (
        told.profile,
        told.system,
        told.temperature_c,
        told.has_battery_clock,
        told.clock,
    )
    assert (True, True, True) == (bool(told.free_bytes), bool(told.support_ends_at), bool(done.certificate_ends_at))
    health = Health(state="armed", boot_id="b", machine=told, certificate_ends_at=done.certificate_ends_at)
    assert health == decode_message(encode_message(health), Health)


def test_reading_says_which_image_was_booted_and_what_became_of_the_newest_release(fitted: FittedUnit) -> None:
    update = UpdateReport(serial=7, version="0.1.1", state="trying")
    bare = SystemReport(version="0.1.0.5", slot="b", compatible="watchlink-pi")
    fitted.kernel("/etc/os-release", 'PRETTY_NAME="Debian GNU/Linux 13 (trixie)"\nID=debian\nVERSION_ID="13"\n')
    before = read(fitted)
    fitted.kernel(SYSTEM_FILE, encode_message(bare).decode())
    plain = read(fitted)
    report = replace(bare, card="it is full", support_ends_at=datetime(2027, 3, 1, tzinfo=UTC), update=update)
    fitted.kernel(SYSTEM_FILE, encode_message(report).decode())
    full = read(fitted)

    assert ("", None, None, None) == (before.machine.image, before.machine.slot, before.machine.update, before.card)
    assert ("0.1.0.5", "b", None, "") == (plain.machine.image, plain.machine.slot, plain.machine.update, plain.card)
    assert ("0.1.0.5", update, "it is full") == (full.machine.image, full.machine.update, full.card)
    assert (datetime(2028, 8, 10, tzinfo=UTC), report.support_ends_at) == (
        plain.machine.support_ends_at,
        full.machine.support_ends_at,
    ), "the release's own goes first"


@pytest.mark.parametrize("millidegrees", ["999999999999", "-300000", ""])
def test_temperature_that_cannot_be_is_left_out(fitted: FittedUnit, millidegrees: str) -> None:
    fitted.kernel("/sys/class/thermal/thermal_zone0/temp", millidegrees)

    assert None is read(fitted).machine.temperature_c


def test_speech_is_ready_when_every_sentence_is_made(fitted: FittedUnit) -> None:
    assert None is read(fitted).machine.is_speech_ready, "it has no radio"
    fitted.file.write_text(fitted.file.read_text() + SPEAKS)
    before = read(fitted).machine.is_speech_ready
    speech = speech_of(config_of(fitted))
    assert speech is not None
    for file in speech._files.values():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()

    assert (False, True) == (before, read(fitted).machine.is_speech_ready)


def test_machine_that_cannot_be_read_ends_no_thread(fitted: FittedUnit, monkeypatch: pytest.MonkeyPatch) -> None:
    told: queue.SimpleQueue[MachineRead] = queue.SimpleQueue()
    reading = MachineReading(config_of(fitted), told.put, fitted.machine)
    good, tried = reading.read, []

    def broken_once() -> MachineRead:
        tried.append(1)
        if len(tried) == 1:
            raise OSError(5, "Input/output error")
        return good()

    monkeypatch.setattr(machine_reading, "READ_EVERY_S", 0.0)
    monkeypatch.setattr(reading, "read", broken_once)
    reading.start()

    assert told.get(timeout=WITHIN_S)
    reading.close()


def test_card_that_hangs_keeps_no_node_from_its_presses(fitted: FittedUnit, monkeypatch: pytest.MonkeyPatch) -> None:
    """Statvfs of a card that has stopped answering never returns."""
    hangs, is_over, by = threading.Event(), threading.Event(), []

    def hanging(_: object) -> None:
        by.append(threading.current_thread())
        hangs.set()
        is_over.wait(WITHIN_S)

    monkeypatch.setattr(machine_reading, "free_bytes", hanging)
    app = NodeApp(config_of(fitted), FactLog(io.StringIO()), Service())
    app._queue.put(StopAsked())
    try:
        assert 0 == app.run()
        assert hangs.wait(WITHIN_S)
        assert threading.current_thread() not in by
    finally:
        is_over.set()
