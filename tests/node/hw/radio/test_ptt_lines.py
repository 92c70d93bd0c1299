"""Lines that key the radio: off from the opening on, moved when told, and every refusal says what to do (N10, F6)."""

from __future__ import annotations

import errno
import os
import sys
import termios
import types
from pathlib import Path
from typing import Any

import pytest
from gpiozero.pins.mock import MockFactory

from node.hw import pins
from node.hw.pins import PinSource
from node.hw.profiles import RADIO_PINS
from node.hw.radio.ptt import METHODS, PttError, PttSettings
from node.hw.radio.ptt_lines import GPIO_MIN, Cm108Ptt, GpioPtt, SerialRtsPtt, open_line, put_off

OFF, ON = bytes((0, 0, 0, 4, 0)), bytes((0, 0, 4, 4, 0))


@pytest.fixture
def factory() -> MockFactory:
    return MockFactory()


@pytest.fixture
def gpio(factory: MockFactory) -> GpioPtt:
    return GpioPtt(12, PinSource(lambda: factory))


def test_gpio_is_an_output_and_low_from_the_opening_on(factory: MockFactory, gpio: GpioPtt) -> None:
    pin = factory.pin(12)

    assert (pin.function, pin.state) == ("output", False)
    assert [False] == [state.state for state in pin.states]


def test_gpio_is_high_while_keyed_and_let_go_when_closed(factory: MockFactory, gpio: GpioPtt) -> None:
    pin = factory.pin(12)
    gpio.set(is_on=True)
    keyed = pin.state
    gpio.close()

    assert keyed is True
    assert (pin.state, pin.function) == (False, "input")


def test_gpio_that_does_not_move_is_told(factory: MockFactory, gpio: GpioPtt, monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorted to ground, or its transistor is dead."""
    monkeypatch.setattr(type(factory.pin(12)), "_get_state", lambda _: False)
    monkeypatch.setattr(type(gpio._device), "value", property(lambda _: 0, lambda _, value: None))

    with pytest.raises(PttError, match="GPIO 12: stays low"):
        gpio.set(is_on=True)


def test_gpio_without_its_library_says_which_to_install() -> None:
    def without_library() -> object:
        raise ModuleNotFoundError("No module named 'lgpio'", name="lgpio")

    with pytest.raises(PttError, match="lgpio is not installed; install Raspberry Pi OS's python3-lgpio, or use"):
        GpioPtt(12, PinSource(without_library))


def test_gpio_that_another_holds_says_so(factory: MockFactory) -> None:
    source = PinSource(lambda: factory)
    other = source.device("OutputDevice", 12)

    with pytest.raises(PttError, match="GPIO 12 is held by another program"):
        GpioPtt(12, source)

    other.close()


def test_gpio_where_no_pins_are_asks_for_the_group() -> None:
    def no_chip() -> object:
        raise PermissionError(errno.EACCES, "Permission denied", "/dev/gpiochip0")

    with pytest.raises(PttError, match="in the group gpio"):
        GpioPtt(12, PinSource(no_chip))


class FakeSerial:
    """What pyserial's port does that matters here: the order of things."""

    refuses: Exception | None = None
    is_without_lines = False

    def __init__(self, port: str | None, **options: object) -> None:
        assert port is None, "a port given here is opened at once, with its lines raised"
        self.options = options
        self.log: list[tuple[str, object]] = []
        self.is_open = False
        self.port: str | None = None
        FakeSerial.last = self

    last: FakeSerial

    def __setattr__(self, name: str, value: object) -> None:
        if name in ("rts", "dtr"):
            self.log.append((name, value))
            if name == "rts" and self.is_open and self.is_without_lines:
                raise OSError(errno.ENOTTY, "Inappropriate ioctl for device")
        object.__setattr__(self, name, value)

    def open(self) -> None:
        if self.refuses:
            raise self.refuses
        self.log.append(("open", self.port))
        self.is_open = True

    def close(self) -> None:
        self.log.append(("close", self.port))
        self.is_open = False


@pytest.fixture
def serial(monkeypatch: pytest.MonkeyPatch) -> type[FakeSerial]:
    """pyserial, with the fake port."""
    module: Any = types.ModuleType("serial")
    module.Serial = FakeSerial
    monkeypatch.setitem(sys.modules, "serial", module)
    monkeypatch.setattr(FakeSerial, "refuses", None)
    monkeypatch.setattr(FakeSerial, "is_without_lines", False)
    return FakeSerial


def test_serial_lines_are_low_before_the_port_is_opened(serial: type[FakeSerial]) -> None:
    """Opening a port raises both lines; hung up and told before, it does so for no longer than it must."""
    SerialRtsPtt("/dev/ttyUSB0")

    assert [("rts", False), ("dtr", False), ("open", "/dev/ttyUSB0"), ("rts", False)] == serial.last.log
    assert {"baudrate": 0, "rtscts": False, "dsrdtr": False, "xonxoff": False} == serial.last.options


def test_serial_keys_with_rts_and_lowers_it_before_closing(serial: type[FakeSerial]) -> None:
    line = SerialRtsPtt("/dev/ttyUSB0")
    del serial.last.log[:]
    line.set(is_on=True)
    line.close()

    assert [("rts", True), ("rts", False), ("close", "/dev/ttyUSB0")] == serial.last.log


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(errno.ENOENT, "No such file or directory"), "RTS of /dev/ttyX is not there; is it plugged in"),
        (OSError(errno.EACCES, "Permission denied"), "must be in the group dialout"),
        (OSError(errno.EBUSY, "Device or resource busy"), "is held by another program"),
        (termios.error(errno.EIO, "Input/output error"), "does not answer; is it plugged in"),
        (OSError(errno.ENOMEM, "no memory"), "does not work: .*no memory"),
        (ValueError("strange"), "does not work: strange"),
    ],
)
def test_serial_refusal_says_what_to_do(serial: type[FakeSerial], error: Exception, words: str) -> None:
    serial.refuses = error

    with pytest.raises(PttError, match=words):
        SerialRtsPtt("/dev/ttyX")


def test_serial_port_without_modem_lines_is_refused_and_closed(serial: type[FakeSerial]) -> None:
    serial.is_without_lines = True

    with pytest.raises(PttError, match="has no such line"):
        SerialRtsPtt("/dev/ttyX")

    assert not serial.last.is_open


def test_serial_library_takes_a_baud_rate_of_nought() -> None:
    """And opens a pseudo-terminal with it, which then has no RTS: the real library and kernel agree with the fake."""
    master, slave = os.openpty()
    try:
        with pytest.raises(PttError, match="has no such line"):
            SerialRtsPtt(os.ttyname(slave))
        assert termios.B0 == termios.tcgetattr(slave)[5]
    finally:
        os.close(master)
        os.close(slave)


def test_cm108_reports_levels_then_directions(tmp_path: Path) -> None:
    """Off at the opening, on, off at the closing; the pin is an output each time."""
    hidraw = tmp_path / "hidraw"
    hidraw.touch()
    line = Cm108Ptt(str(hidraw), 3)
    line.set(is_on=True)
    line.close()

    assert OFF + ON + OFF == hidraw.read_bytes()


@pytest.mark.parametrize(("pin", "mask"), [(1, 1), (4, 8), (8, 128)])
def test_cm108_pin_is_its_bit(tmp_path: Path, pin: int, mask: int) -> None:
    hidraw = tmp_path / "hidraw"
    hidraw.touch()
    line = Cm108Ptt(str(hidraw), pin)
    line.set(is_on=True)

    assert bytes((0, 0, mask, mask, 0)) == hidraw.read_bytes()[5:]


def test_cm108_is_never_made_where_it_is_missing(tmp_path: Path) -> None:
    with pytest.raises(PttError, match="hidraw0 is not there"):
        Cm108Ptt(str(tmp_path / "hidraw0"), 3)

    assert [] == list(tmp_path.iterdir())


def test_cm108_that_takes_no_report_is_let_go(tmp_path: Path) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))

    with pytest.raises(PttError, match=r"does not work: .*No space left"):
        Cm108Ptt("/dev/full", 3)

    assert before == len(list(Path("/proc/self/fd").iterdir()))


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (PttSettings(method="vox"), "'vox' is not known: it is one of gpio, serial-rts, cm108"),
        (PttSettings(method="cm108", cm108_pin=0), "such chips have pins 1 to 8"),
        (PttSettings(method="cm108", cm108_pin=9), "such chips have pins 1 to 8"),
        (PttSettings(method="gpio", gpio=28), "only GPIO 9 to 27"),
        (PttSettings(method="gpio", gpio=8), "low while the Pi starts"),
    ],
)
def test_setting_that_cannot_be_is_refused(settings: PttSettings, words: str) -> None:
    with pytest.raises(PttError, match=words):
        open_line(settings)


@pytest.mark.parametrize("method", METHODS)
def test_each_method_opens_its_line(
    method: str, tmp_path: Path, factory: MockFactory, serial: type[FakeSerial], monkeypatch: pytest.MonkeyPatch
) -> None:
    hidraw = tmp_path / "hidraw"
    hidraw.touch()
    monkeypatch.setattr(pins, "open_lgpio_factory", lambda: factory)
    line = open_line(PttSettings(method=method, hidraw=str(hidraw)))

    assert {"gpio": "GPIO 12", "serial-rts": "RTS of /dev/ttyUSB0", "cm108": f"pin 3 of {hidraw}"}[method] == line.name

    line.close()


def test_pin_that_is_meant_unless_said_is_free_and_low_at_power_up() -> None:
    """F6: no profile has it, and the Pi pulls it down."""
    assert PttSettings().gpio in RADIO_PINS
    assert GPIO_MIN <= PttSettings().gpio


def test_put_off_leaves_the_line_off(tmp_path: Path) -> None:
    hidraw = tmp_path / "hidraw"
    hidraw.write_bytes(ON)
    put_off(PttSettings(method="cm108", hidraw=str(hidraw)))

    assert OFF == hidraw.read_bytes()[-5:]
