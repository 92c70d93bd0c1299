"""The panel, real drivers and fake alike: bytes on the wire, latest wins, faults as events (N3, F6)."""

from __future__ import annotations

import importlib
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from gpiozero.pins.mock import MockFactory, MockPWMPin
from PIL import Image

from node.core.controls import Part
from node.core.events import PartFailed, PartRecovered, ScreenShown
from node.core.screens import Face, Screen
from node.hw.drawing import draw_screen
from node.hw.fake_board import FakeI2cBus, FakePanel
from node.hw.health import PartHealth
from node.hw.luma_devices import OpenedPanel, open_luma_panel
from node.hw.panel import CONTRAST_DIM, CONTRAST_FULL, LumaPanel, PanelDevice
from node.hw.pins import PinSource
from node.hw.profiles import PROFILES, Bus, Driver, Panel, Profile
from node.hw.typeface import TERMINUS_DIR, Typeface
from tests.support.event_recorder import EventRecorder
from tests.support.panel_wires import RecordingI2cBus, RecordingSpi, Wire, bus_options, picture
from tools.specimens import SPECIMENS
from wire.kinds import Priority

# luma 3.16 asks Pillow for pixels by a name that Pillow 14 drops.
pytestmark = pytest.mark.filterwarnings("ignore:.*getdata is deprecated:DeprecationWarning")

REAL = [profile for profile in PROFILES.values() if not profile.is_fake]
every_real_profile = pytest.mark.parametrize("profile", REAL, ids=lambda profile: profile.name)
READY, NEIGHBOUR = SPECIMENS["ready"], SPECIMENS["neighbour"]


@pytest.fixture
def source() -> Iterator[PinSource]:
    factory = MockFactory(pin_class=MockPWMPin)
    source = PinSource(lambda: factory)
    yield source
    source.close()


class Rig:
    """A panel of some kind on a wire that can be cut."""

    def __init__(self, panel: Panel, events: EventRecorder, typeface: Typeface, source: PinSource) -> None:
        self.panel_kind = panel
        self.wire = Wire()
        self.fake_bus = FakeI2cBus()
        self.options = {} if panel.driver is Driver.FAKE else bus_options(panel, self.wire, source)
        self.opened = 0

        def open_device() -> PanelDevice:
            self.opened += 1
            if panel.driver is Driver.FAKE:
                return OpenedPanel(FakePanel(panel, self.fake_bus))
            return open_luma_panel(panel, source, **self.options)

        self.port = LumaPanel(panel, open_device, typeface, events, health=PartHealth(Part.OLED, events))

    def cut(self, *, is_cut: bool) -> None:
        """Unplug it, or plug it in."""
        self.wire.is_cut = self.fake_bus.is_unplugged = is_cut


@pytest.fixture(params=list(PROFILES.values()), ids=list(PROFILES))
def rig(request: pytest.FixtureRequest, events: EventRecorder, terminus: Typeface, source: PinSource) -> Iterator[Rig]:
    rig = Rig(request.param.panel, events, terminus, source)
    yield rig
    rig.port.close()


# --- the contract: every real driver, and the fake ---


def test_panel_says_shown_with_what_the_screen_concerns(rig: Rig, events: EventRecorder) -> None:
    rig.port.show(Screen(Face.RECEIVED, ("RECEIVED",), concerns="00000010-7"))

    events.wait_for(ScreenShown("00000010-7", "received"))


def test_panel_that_is_unplugged_fails_once_and_recovers_with_the_latest_screen(
    rig: Rig, events: EventRecorder
) -> None:
    rig.port.show(Screen(Face.READY, ("READY",), concerns="a"))
    events.wait_for(ScreenShown("a", "ready"))
    rig.cut(is_cut=True)
    rig.port.check()
    events.wait_until(lambda told: any(isinstance(event, PartFailed) for event in told))
    rig.port.show(Screen(Face.SENDING, ("SENDING",), concerns="b"))
    rig.port.check()
    rig.cut(is_cut=False)
    rig.port.retry()
    events.wait_for(ScreenShown("b", "sending"))

    assert [Part.OLED] == [event.part for event in events.all if isinstance(event, PartFailed)]
    assert [ScreenShown("a", "ready"), PartRecovered(Part.OLED), ScreenShown("b", "sending")] == events.of(
        ScreenShown, PartRecovered
    )


def test_panel_that_is_missing_fails_again_at_each_retry_and_keeps_nothing(rig: Rig, events: EventRecorder) -> None:
    rig.port.show(READY)
    events.wait_for(ScreenShown("", "ready"))
    rig.cut(is_cut=True)
    rig.port.check()
    for count in (1, 2, 3):
        events.wait_until(lambda told, n=count: n == sum(isinstance(e, PartFailed) for e in told))  # type: ignore[misc]
        rig.port.retry()
    events.wait_until(lambda told: sum(isinstance(e, PartFailed) for e in told) == 4)
    detail = events.of(PartFailed)[-1].detail

    assert "\n" not in detail
    assert len(detail) <= 120
    assert str(rig.panel_kind.driver) in detail


def test_panel_is_dark_after_close(rig: Rig, events: EventRecorder) -> None:
    rig.port.show(NEIGHBOUR)
    events.wait_for(ScreenShown("", "neighbour", Priority.P1))
    before = len(rig.wire.traffic)
    rig.port.close()
    rig.port.close()
    farewell = rig.wire.traffic[before:]
    if rig.panel_kind.driver is not Driver.FAKE:
        frame_bytes = len(rig.wire.data) // 3

        assert ("command", b"\xae") == farewell[0]
        assert bytes(frame_bytes) == rig.wire.data[-frame_bytes:]


# --- bytes on the wire ---


@every_real_profile
def test_driver_sends_the_very_picture_that_was_drawn(
    profile: Profile, events: EventRecorder, terminus: Typeface, source: PinSource
) -> None:
    rig = Rig(profile.panel, events, terminus, source)
    rig.port.show(NEIGHBOUR)
    events.wait_for(ScreenShown("", "neighbour", Priority.P1))
    frames = rig.wire.data
    rig.port.close()
    drawn = draw_screen(NEIGHBOUR, profile.panel, terminus)
    blank, shown = frames[: len(frames) // 2], frames[len(frames) // 2 :]

    assert bytes(len(blank)) == blank
    if profile.panel.is_colour:
        drawn = drawn.point(
            [level & 0xF8 for level in range(256)]
            + [level & 0xFC for level in range(256)]
            + [level & 0xF8 for level in range(256)]
        )
    assert drawn.tobytes() == picture(profile.panel, shown).tobytes()


INIT = {
    # By the data sheets: display off, …, multiplex 64, …, charge pump, horizontal addressing, remapped both ways.
    Driver.SSD1306: "ae d580 a83f d300 40 8d14 2000 a1 c8 da12 d9f1 db40 a4 a6 81cf",
    Driver.SSD1309: "ae d580 a83f d300 40 8d14 2000 a1 c8 da12 d9f1 db40 a4 a6 81cf",
    Driver.SH1106: "ae 20 10b0c8 001040 a1 a6 a83f a4 d300 d5f0 d922 da12 db20 8d14 817f",
}


@every_real_profile
def test_driver_initialises_the_controller_by_its_data_sheet(profile: Profile, source: PinSource) -> None:
    wire = Wire()
    panel = open_luma_panel(profile.panel, source, **bus_options(profile.panel, wire, source))
    first_data = next(n for n, (kind, _) in enumerate(wire.traffic) if kind == "data")
    opening = b"".join(data for _, data in wire.traffic[:first_data])
    if profile.panel.driver in INIT:
        assert opening.startswith(bytes.fromhex(INIT[profile.panel.driver]))
        assert b"\xaf" == wire.commands[-1:]
    else:
        # Unlock first; 64 or 128 rows; display on at the end.
        rows = profile.panel.height_px - 1
        sent = b"".join(data for _, data in wire.traffic)

        assert sent.startswith(bytes.fromhex("fd12"))
        assert bytes([0xCA, rows]) in sent
        assert b"\xaf" == sent[-1:]
    panel.close()


@every_real_profile
def test_driver_dims_the_idle_face_and_lights_the_alert(
    profile: Profile, events: EventRecorder, terminus: Typeface, source: PinSource
) -> None:
    rig = Rig(profile.panel, events, terminus, source)
    rig.port.show(READY)
    events.wait_for(ScreenShown("", "ready"))
    idle = b"".join(data for _, data in rig.wire.traffic)
    rig.port.show(NEIGHBOUR)
    events.wait_for(ScreenShown("", "neighbour", Priority.P1))
    alert = b"".join(data for _, data in rig.wire.traffic)[len(idle) :]
    rig.port.close()
    command, levels = {Driver.SSD1351: (0xC1, 3), Driver.SSD1322: (0xC1, 1)}.get(profile.panel.driver, (0x81, 1))

    assert bytes([command, *[CONTRAST_DIM] * levels]) in idle
    assert bytes([command, *[CONTRAST_FULL] * levels]) in alert


def test_face_that_stays_for_long_is_dimmed_and_a_new_one_is_bright(
    events: EventRecorder, terminus: Typeface, source: PinSource
) -> None:
    """NO LINK may stay for days: it must not burn in, and what comes next must be seen."""
    panel, wire = PROFILES["ssd1309-128x64"].panel, Wire()
    port = LumaPanel(
        panel,
        lambda: open_luma_panel(panel, source, **bus_options(panel, wire, source)),
        terminus,
        events,
        health=PartHealth(Part.OLED, events),
        rest_after_s=0.0,
    )
    port.show(SPECIMENS["no-link"])
    events.wait_for(ScreenShown("", "fault"))
    port.close()

    assert bytes([0x81, CONTRAST_DIM]) in wire.commands
    assert bytes([0x81, CONTRAST_FULL]) not in wire.commands


def test_i2c_panel_is_written_at_its_address(source: PinSource) -> None:
    bus = RecordingI2cBus(Wire())
    open_luma_panel(PROFILES["ssd1306-128x64"].panel, source, i2c_bus=bus).close()

    assert {0x3C} == bus.addresses


def test_spi_panel_opens_ce0_at_its_controllers_speed_and_gives_it_back(source: PinSource) -> None:
    profile = PROFILES["waveshare-sh1106-hat"]
    spi = RecordingSpi(Wire(), source, 24)
    panel = open_luma_panel(profile.panel, source, spi=spi)

    assert (0, 0) == spi.opened
    assert 2_000_000 == spi.max_speed_hz
    panel.close()
    assert spi.is_closed


@every_real_profile
def test_reset_is_pulsed_low_before_the_first_byte_and_then_stays_high(profile: Profile) -> None:
    """An SSD1309 on I²C shows nothing without it, and luma's I²C has none."""
    if profile.panel.reset_pin is None:
        return
    factory = MockFactory(pin_class=MockPWMPin)
    source = PinSource(lambda: factory)
    reset = factory.pin(profile.panel.reset_pin)
    states_at_first_byte: list[bool] = []

    class Watching(Wire):
        def take(self, kind: str, data: bytes) -> None:
            if not states_at_first_byte:
                states_at_first_byte.extend(bool(state.state) for state in reset.states)
            super().take(kind, data)

    panel = open_luma_panel(profile.panel, source, **bus_options(profile.panel, Watching(), source))

    assert [True, False, True] == states_at_first_byte[-3:]
    assert reset.state
    panel.close()
    source.close()


# --- faults ---


@pytest.mark.parametrize("bus", Bus)
def test_missing_bus_is_a_failed_part_not_an_exception(
    bus: Bus, events: EventRecorder, terminus: Typeface, source: PinSource
) -> None:
    """This machine has neither /dev/i2c-1 nor /dev/spidev0.0."""
    panel = next(p.panel for p in REAL if p.panel.bus is bus)
    port = LumaPanel(
        panel, lambda: open_luma_panel(panel, source), terminus, events, health=PartHealth(Part.OLED, events)
    )
    port.show(READY)
    events.wait_until(lambda told: any(isinstance(event, PartFailed) for event in told))
    port.close()

    assert [PartFailed] == [type(event) for event in events.all]


def test_pins_are_free_again_after_a_bus_failed_to_open(source: PinSource) -> None:
    """Else every retry would find its own pins taken."""
    for profile in REAL:
        for _ in range(2):
            wire = Wire(is_cut=True)
            with pytest.raises(Exception, match=r"Remote I/O error|not found") as caught:
                open_luma_panel(profile.panel, source, **bus_options(profile.panel, wire, source))
            assert "in use" not in str(caught.value)


def test_panels_leave_no_exit_hook_behind(source: PinSource, monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing panel tried again every 5 s would fill the memory within a day."""
    hooks: list[Any] = []
    monkeypatch.setattr("atexit.register", hooks.append)
    profile = PROFILES["ssd1306-128x64"]
    open_luma_panel(profile.panel, source, **bus_options(profile.panel, Wire(), source)).close()

    assert [] == hooks


def test_missing_font_is_told_and_the_words_still_show(
    events: EventRecorder, source: PinSource, tmp_path: Path
) -> None:
    """The panel is not opened anew for it, and is well once the font is there."""
    rig = Rig(PROFILES["fake"].panel, events, Typeface(tmp_path), source)
    rig.port.show(READY)
    events.wait_for(ScreenShown("", "ready"))
    rig.port.retry()
    events.wait_until(lambda told: sum(isinstance(event, PartFailed) for event in told) == 2)
    for font in TERMINUS_DIR.glob("ter-u??b_unicode.pcf.gz"):
        shutil.copy(font, tmp_path)
    rig.port.retry()
    events.wait_for(PartRecovered(Part.OLED))
    rig.port.close()

    assert all("xfonts-terminus" in failure.detail for failure in events.of(PartFailed))
    assert 1 == rig.opened


class SlowDevice:
    """A panel whose bus takes as long as the test wants."""

    def __init__(self) -> None:
        self.pictures: list[bytes] = []
        self.is_busy = threading.Event()
        self.may_go_on = threading.Event()

    def display(self, image: Image.Image) -> None:
        """Not before it may."""
        self.is_busy.set()
        assert self.may_go_on.wait(60)
        self.pictures.append(image.tobytes())

    def contrast(self, level: int) -> None:
        """At once."""

    def close(self) -> None:
        """At once."""

    abandon = close


@pytest.fixture
def slow(events: EventRecorder, terminus: Typeface) -> Iterator[tuple[SlowDevice, LumaPanel]]:
    device = SlowDevice()
    panel = PROFILES["ssd1309-128x64"].panel
    port = LumaPanel(panel, lambda: device, terminus, events, health=PartHealth(Part.OLED, events))
    yield device, port
    device.may_go_on.set()
    port.close()


def test_slow_bus_holds_up_nobody_and_the_latest_screen_wins(
    slow: tuple[SlowDevice, LumaPanel], events: EventRecorder, terminus: Typeface
) -> None:
    """N3: the loop goes on while the bus is busy, and no old screen is shown after a newer one."""
    device, port = slow
    screens = [Screen(Face.SENDING, (word,), concerns=word) for word in ("ONE", "TWO", "THREE", "FOUR")]
    port.show(screens[0])
    assert device.is_busy.wait(60)
    for screen in screens[1:]:
        port.show(screen)

    assert [] == events.all
    device.may_go_on.set()
    events.wait_for(ScreenShown("FOUR", "sending"))
    assert [ScreenShown("ONE", "sending"), ScreenShown("FOUR", "sending")] == events.all
    expected = [draw_screen(s, PROFILES["ssd1309-128x64"].panel, terminus).tobytes() for s in (screens[0], screens[3])]
    assert expected == device.pictures


def test_redraw_of_the_same_screen_is_not_told_again(slow: tuple[SlowDevice, LumaPanel], events: EventRecorder) -> None:
    device, port = slow
    device.may_go_on.set()
    port.show(READY)
    events.wait_for(ScreenShown("", "ready"))
    port.check()
    port.show(Screen(Face.BOOT, ("STARTING",)))
    events.wait_for(ScreenShown("", "boot"))

    assert [ScreenShown("", "ready"), ScreenShown("", "boot")] == events.all


@pytest.mark.parametrize("error", [OSError(5, "I/O"), ValueError("odd"), AssertionError(), MemoryError()])
def test_whatever_a_driver_raises_is_a_failed_part(error: Exception, events: EventRecorder, terminus: Typeface) -> None:
    def broken() -> PanelDevice:
        raise error

    port = LumaPanel(PROFILES["fake"].panel, broken, terminus, events, health=PartHealth(Part.OLED, events))
    events.wait_until(lambda told: len(told) == 1)
    port.close()

    assert isinstance(events.all[0], PartFailed)


def test_every_driver_is_one_that_luma_has() -> None:
    devices = importlib.import_module("luma.oled.device")
    missing = [d for d in Driver if d is not Driver.FAKE and not hasattr(devices, d.value)]

    assert [] == missing
