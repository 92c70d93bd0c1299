"""Edges at electrical level, each one, bounces and all; faults as events (N1, F6)."""

from __future__ import annotations

import contextlib
import errno
import math
import threading
import time
from collections.abc import Iterator

import pytest
from gpiozero import DigitalOutputDevice
from gpiozero.pins.mock import MockFactory

from node.core.controls import Button, Part
from node.core.events import PartFailed, PartRecovered, PinChanged
from node.hw.buttons import GpiozeroButtons
from node.hw.fake_board import FakePin
from node.hw.health import PartHealth
from node.hw.pins import PinSource, open_lgpio_factory
from runtime.monotonic import monotonic_ms
from tests.support.event_recorder import PATIENCE_S, EventRecorder

PINS = {Button.ATTACK: 5, Button.ASSIST: 6, Button.TEST: 26}
DOWN, UP = PinChanged(Button.ATTACK, is_down=True), PinChanged(Button.ATTACK, is_down=False)


@pytest.fixture
def factory() -> MockFactory:
    return MockFactory(pin_class=FakePin)


@pytest.fixture
def source(factory: MockFactory) -> Iterator[PinSource]:
    source = PinSource(lambda: factory)
    yield source
    source.close()


def watch(source: PinSource, events: EventRecorder) -> GpiozeroButtons:
    return GpiozeroButtons(PINS, source, events, PartHealth(Part.BUTTONS, events))


@pytest.fixture
def buttons(source: PinSource, events: EventRecorder) -> Iterator[GpiozeroButtons]:
    buttons = watch(source, events)
    yield buttons
    buttons.close()


def test_button_is_pulled_up_and_low_is_pressed(
    buttons: GpiozeroButtons, factory: MockFactory, events: EventRecorder
) -> None:
    factory.pin(5).drive_low()
    factory.pin(5).drive_high()

    assert [None] * 3 == [factory.pin(number).bounce for number in PINS.values()]
    assert ["up"] * 3 == [factory.pin(number).pull for number in PINS.values()]
    assert [DOWN, UP] == events.all


def test_bounces_all_go_to_the_core(buttons: GpiozeroButtons, factory: MockFactory, events: EventRecorder) -> None:
    """N1: debouncing is the core's, tested there; a library that hides edges would hide a press."""
    for _ in range(20):
        factory.pin(5).drive_low()
        factory.pin(5).drive_high()

    assert [DOWN, UP] * 20 == events.all


def test_each_pin_is_its_own_button(buttons: GpiozeroButtons, factory: MockFactory, events: EventRecorder) -> None:
    for number in PINS.values():
        factory.pin(number).drive_low()

    assert [PinChanged(button, is_down=True) for button in PINS] == events.all


def test_button_held_at_the_start_is_reported_as_found_not_as_pressed(
    source: PinSource, factory: MockFactory, events: EventRecorder
) -> None:
    factory.pin(5).drive(low=True)
    buttons = watch(source, events)
    factory.pin(5).drive(low=False)
    buttons.close()

    assert [PinChanged(Button.ATTACK, is_down=True, is_initial=True), UP] == events.all


def test_edge_that_the_kernel_lost_is_made_good_by_the_second_check(
    buttons: GpiozeroButtons, factory: MockFactory, events: EventRecorder
) -> None:
    factory.pin(5)._state = False  # low, and no edge told
    buttons.check()
    assert [] == events.all
    buttons.check()
    buttons.check()

    assert [DOWN] == events.all


def test_check_that_falls_between_level_and_edge_tells_nothing_twice(
    buttons: GpiozeroButtons, factory: MockFactory, events: EventRecorder
) -> None:
    factory.pin(5)._state = False
    buttons.check()
    factory.pin(5)._state = True
    factory.pin(5).drive_low()
    buttons.check()

    assert [DOWN] == events.all


def test_pin_taken_by_another_costs_only_its_own_button(
    source: PinSource, factory: MockFactory, events: EventRecorder
) -> None:
    other = DigitalOutputDevice(26, pin_factory=factory)
    buttons = watch(source, events)
    factory.pin(5).drive_low()
    failure, press = events.all
    other.close()
    buttons.retry()
    factory.pin(26).drive_low()
    buttons.close()

    assert isinstance(failure, PartFailed)
    assert failure.detail.startswith("test: GPIOPinInUse")
    assert DOWN == press
    assert [PartRecovered(Part.BUTTONS), PinChanged(Button.TEST, is_down=True)] == events.all[2:]


def test_pins_that_stop_answering_fail_once_and_come_back_as_they_are_then(
    buttons: GpiozeroButtons, factory: MockFactory, events: EventRecorder
) -> None:
    pins = [factory.pin(number) for number in PINS.values()]
    factory.pin(5).drive(low=True)
    for pin in pins:
        pin.is_refusing = True
    buttons.check()
    buttons.check()
    factory.pin(5).drive(low=False)
    buttons.retry()
    for pin in pins:
        pin.is_refusing = False
    buttons.retry()
    factory.pin(5).drive(low=True)
    told = events.all

    failed = PartFailed(Part.BUTTONS, "all buttons: pin does not answer (broken on purpose)")
    let_go = PinChanged(Button.ATTACK, is_down=False, is_initial=True)
    assert [DOWN, failed, failed, let_go, PartRecovered(Part.BUTTONS), DOWN] == told


def test_retry_of_working_buttons_does_nothing(buttons: GpiozeroButtons, events: EventRecorder) -> None:
    buttons.retry()

    assert [] == events.all


def test_closed_buttons_are_silent(buttons: GpiozeroButtons, factory: MockFactory, events: EventRecorder) -> None:
    buttons.close()
    buttons.close()
    buttons.check()
    factory.pin(5).drive_low()

    assert [] == events.all


@pytest.mark.parametrize(
    ("error", "detail"),
    [
        (ModuleNotFoundError("No module named 'lgpio'", name="lgpio"), "library lgpio is not installed"),
        (OSError(errno.EACCES, "Permission denied", "/dev/gpiochip0"), "Permission denied: /dev/gpiochip0"),
        (RuntimeError("can not open\ngpiochip"), "RuntimeError: can not open gpiochip"),
    ],
)
def test_machine_without_pins_is_one_failed_part_in_one_line(
    error: Exception, detail: str, events: EventRecorder
) -> None:
    def no_factory() -> None:
        raise error

    buttons = watch(PinSource(no_factory), events)
    buttons.check()
    buttons.retry()
    buttons.close()
    failed = PartFailed(Part.BUTTONS, f"all buttons: pins: {detail}")

    assert [failed, failed] == events.all


def test_this_machine_has_no_pins_and_says_so(events: EventRecorder) -> None:
    """The real way to the pins, on a machine that is no Pi."""
    buttons = watch(PinSource(open_lgpio_factory), events)
    buttons.close()

    assert [Part.BUTTONS] == [event.part for event in events.of(PartFailed)]


def hand_over(factory: MockFactory, ticks_s: float, level: int) -> None:
    """An edge on the attack button as the real pins' library hands it over: with the kernel's time."""
    factory.pin(5)._when_changed()(ticks_s, level)


def test_edges_handed_over_late_keep_the_time_between_them(
    buttons: GpiozeroButtons, factory: MockFactory, events: EventRecorder
) -> None:
    """N1: a callback held up by a busy machine gets both edges of a tap at once; the kernel's times tell them apart."""
    now_s = factory.ticks()
    hand_over(factory, now_s - 0.4, level=0)
    hand_over(factory, now_s - 0.3, level=1)

    assert [DOWN, UP] == events.all
    told_ms = math.ceil(1_000 * time.monotonic())
    down_ms, up_ms = (told_ms - at_ms for at_ms in events.edges_at_ms if at_ms is not None)
    assert down_ms >= 400
    assert up_ms >= 300


def test_edge_has_its_time_before_it_waits_for_anything(
    buttons: GpiozeroButtons, factory: MockFactory, events: EventRecorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """N1: an edge of a bounce that got its time only when its turn came would look like another press."""
    told, may_go_on = threading.Event(), threading.Event()

    @contextlib.contextmanager
    def busy() -> Iterator[None]:
        told.set()
        assert may_go_on.wait(PATIENCE_S)
        yield

    monkeypatch.setattr(buttons, "_lock", busy())
    pins = threading.Thread(target=hand_over, args=(factory, factory.ticks(), 0))
    pins.start()
    assert told.wait(PATIENCE_S)
    waits_ms = monotonic_ms()
    while monotonic_ms() == waits_ms:
        pass
    may_go_on.set()
    pins.join()
    monkeypatch.undo()

    (at_ms,) = events.edges_at_ms
    assert at_ms is not None
    assert at_ms <= waits_ms


def test_edge_of_another_clock_counts_as_new(
    buttons: GpiozeroButtons, factory: MockFactory, events: EventRecorder
) -> None:
    hand_over(factory, factory.ticks() - 1_000_000, level=0)
    hand_over(factory, factory.ticks() + 1_000_000, level=1)

    assert [DOWN, UP] == events.all
    assert [None, None] == events.edges_at_ms
