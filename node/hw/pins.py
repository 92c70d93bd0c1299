"""The Pi's pins by gpiozero: one factory for all parts, opened on first use and again after a failure."""

from __future__ import annotations

import gc
import importlib
import os
import tempfile
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from node.hw.errors import PartError, translated

Device = Any
"""A gpiozero device; the library has no types."""
PinFactory = Any


class PinSource:
    """Makes gpiozero devices.

    Args:
        open_factory: makes the pin factory; may raise anything.
    """

    def __init__(self, open_factory: Callable[[], PinFactory]) -> None:
        self._open_factory = open_factory
        self._lock = threading.Lock()
        self._factory: PinFactory = None

    def factory(self) -> PinFactory:
        """The one pin factory.

        Raises:
            PartError: pins are not available here.
        """
        with self._lock, translated("pins"):
            if self._factory is None:
                self._factory = self._open_factory()
            return self._factory

    def device(self, kind: str, pin: int, **options: object) -> Device:
        """A ``gpiozero`` device of class ``kind`` on BCM pin ``pin``.

        Raises:
            PartError: no pins here, or the pin is in use or refuses.
        """
        try:
            return self._make(kind, pin, options)
        except PartError as error:
            if type(error.__cause__).__name__ != "GPIOPinInUse":
                raise
        # A device that failed half-way keeps its pin until it is collected, which Python 3.13 delays.
        gc.collect()
        return self._make(kind, pin, options)

    def _make(self, kind: str, pin: int, options: dict[str, object]) -> Device:
        factory = self.factory()
        with translated(f"GPIO {pin}"):
            return getattr(importlib.import_module("gpiozero"), kind)(pin, pin_factory=factory, **options)

    def close(self) -> None:
        """Release every pin."""
        with self._lock:
            factory, self._factory = self._factory, None
        if factory is not None:
            quietly(factory.close)


def open_lgpio_factory() -> PinFactory:
    """Open gpiozero's factory for the kernel's ``/dev/gpiochip*``. May raise anything."""
    # lgpio makes a pipe named .lgd-nfy… in the working directory, which a hardened unit cannot write to.
    os.environ.setdefault("LG_WD", os.environ.get("RUNTIME_DIRECTORY") or tempfile.gettempdir())
    return importlib.import_module("gpiozero.pins.lgpio").LGPIOFactory()


def quietly(action: Callable[[], object]) -> None:
    """Run a closing step of something that may already be broken, ignoring its errors."""
    with suppress(PartError), translated():
        action()


class LumaGpio:
    """The few calls of ``RPi.GPIO`` that luma's SPI makes for DC and reset, on gpiozero's pins.

    So one library holds all pins, and ``RPi.GPIO``, which cannot run on current kernels, is not needed.
    """

    LOW = 0
    HIGH = 1
    OUT = "out"

    def __init__(self, source: PinSource) -> None:
        self._source = source
        self._devices: dict[int, Device] = {}

    def setup(self, pin: int, direction: str) -> None:
        """Take the pin as an output, high: neither reset nor command."""
        if direction != self.OUT:
            raise ValueError(f"GPIO {pin}: luma uses outputs only, not {direction!r}")
        self._devices[pin] = self._source.device("DigitalOutputDevice", pin, initial_value=True)

    def output(self, pin: int, level: int) -> None:
        """Drive it."""
        self._devices[pin].value = bool(level)

    def close(self) -> None:
        """Release all pins taken here. Luma leaves that to its caller."""
        for device in self._devices.values():
            quietly(device.close)
        self._devices.clear()
