"""LED and sounder on pins: what the pin does is what was asked; faults as events (F6)."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from gpiozero.pins.mock import MockFactory

from node.core.controls import LedPattern, Part, SoundPattern
from node.core.events import PartFailed, PartRecovered
from node.hw.fake_board import FakePin
from node.hw.health import PartHealth
from node.hw.indicators import GpiozeroLed, GpiozeroSounder
from node.hw.pins import PinSource
from tests.support.event_recorder import PATIENCE_S, EventRecorder

LED_PIN, SOUNDER_PIN = 17, 18


class Names:
    """The patterns that the pin showed, in order."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self.all: list[str] = []

    def look(self) -> None:
        """What a test wants to see in the moment of the telling."""

    def __call__(self, name: str) -> None:
        """As the part tells."""
        self.look()
        with self._changed:
            self.all.append(name)
            self._changed.notify_all()

    def wait_for(self, *names: str) -> None:
        """Wait until these were told, and no others before or between them."""
        with self._changed:
            if not self._changed.wait_for(lambda: self.all[: len(names)] == list(names), PATIENCE_S):
                raise AssertionError(f"{self.all} instead of {list(names)}")


@pytest.fixture
def names() -> Names:
    return Names()


@pytest.fixture
def factory() -> MockFactory:
    return MockFactory(pin_class=FakePin)


@pytest.fixture
def led(factory: MockFactory, events: EventRecorder, names: Names) -> Iterator[GpiozeroLed]:
    led = GpiozeroLed("led", LED_PIN, PinSource(lambda: factory), PartHealth(Part.LED, events), names)
    yield led
    led.close()


@pytest.fixture
def sounder(factory: MockFactory, events: EventRecorder, names: Names) -> Iterator[GpiozeroSounder]:
    health = PartHealth(Part.SOUNDER, events)
    sounder = GpiozeroSounder("sounder", SOUNDER_PIN, PinSource(lambda: factory), health, names)
    yield sounder
    sounder.close()


def levels(pin: FakePin) -> list[float]:
    return [state.state for state in pin.states]


def test_led_lights_the_pin_and_close_darkens_it(led: GpiozeroLed, factory: MockFactory, names: Names) -> None:
    led.show(LedPattern.READY)
    names.wait_for("ready")
    assert 1.0 == factory.pin(LED_PIN).state
    led.close()

    names.wait_for("ready", "off")
    assert 0.0 == factory.pin(LED_PIN).state


def test_led_blinks(led: GpiozeroLed, factory: MockFactory, names: Names) -> None:
    led.show(LedPattern.SENDING)
    names.wait_for("sending")
    led.show(LedPattern.OFF)
    names.wait_for("sending", "off")

    assert [0.0, 1.0, 0.0] == levels(factory.pin(LED_PIN))[:3]


def test_sounder_drives_a_square_wave_at_the_tone(
    sounder: GpiozeroSounder, factory: MockFactory, names: Names, monkeypatch: pytest.MonkeyPatch
) -> None:
    pin = factory.pin(SOUNDER_PIN)
    tones: list[tuple[float, float]] = []
    # Looked at while it sounds: it may be over before this thread has its turn.
    monkeypatch.setattr(names, "look", lambda: tones.append((pin.frequency, pin.state)))
    sounder.play(SoundPattern.NOTICE)
    names.wait_for("notice", "off")

    assert (520.0, 0.5) == tones[0]
    assert 0.0 == pin.state


def test_sounder_off_is_silence_at_once(sounder: GpiozeroSounder, factory: MockFactory, names: Names) -> None:
    sounder.play(SoundPattern.ATTACK)
    names.wait_for("attack")
    sounder.play(SoundPattern.OFF)
    names.wait_for("attack", "off")

    assert 0.0 == factory.pin(SOUNDER_PIN).state


@pytest.mark.parametrize("part", ["led", "sounder"])
def test_pin_that_refuses_fails_once_and_goes_on_after_a_retry(
    part: str, request: pytest.FixtureRequest, factory: MockFactory, events: EventRecorder, names: Names
) -> None:
    output = request.getfixturevalue(part)
    show = output.show if part == "led" else output.play
    pattern = LedPattern.READY if part == "led" else SoundPattern.ATTACK
    pin = factory.pin(LED_PIN if part == "led" else SOUNDER_PIN)
    pin.is_refusing = True
    show(pattern)
    number = LED_PIN if part == "led" else SOUNDER_PIN
    failed = PartFailed(Part(part), f"GPIO {number}: pin does not answer (broken on purpose)")
    events.wait_for(failed)
    output.check()
    output.retry()
    events.wait_for(failed, count=2)
    pin.is_refusing = False
    output.retry()
    names.wait_for(pattern.value)

    assert [failed, failed, PartRecovered(Part(part))] == events.all


def test_check_notices_a_pin_that_refuses_while_idle(
    led: GpiozeroLed, factory: MockFactory, events: EventRecorder, names: Names
) -> None:
    led.show(LedPattern.READY)
    names.wait_for("ready")
    led.check()
    assert [] == events.all
    factory.pin(LED_PIN).is_refusing = True
    led.check()

    assert [Part.LED] == [event.part for event in events.of(PartFailed)]


def test_missing_pins_are_failed_parts_and_every_call_is_harmless(events: EventRecorder) -> None:
    def no_factory() -> None:
        raise RuntimeError("no chip")

    led = GpiozeroLed("led", LED_PIN, PinSource(no_factory), PartHealth(Part.LED, events), None)
    led.show(LedPattern.SENDING)
    led.check()
    led.retry()
    led.close()

    assert [PartFailed(Part.LED, "pins: RuntimeError: no chip")] * 2 == events.all
