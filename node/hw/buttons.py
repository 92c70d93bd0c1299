"""Buttons from pins to ground, pulled up. Every edge goes to the core, which debounces."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Final

from node.core.controls import Button
from node.core.events import Emit, PinChanged
from node.hw.errors import PartError, translated
from node.hw.health import PartHealth
from node.hw.pins import Device, PinSource, quietly
from runtime.monotonic import monotonic_ms

AGE_MAX_S: Final = 5.0
"""An edge that claims to be older was stamped by another clock."""


class GpiozeroButtons:
    """Watches each button separately, so that one dead pin costs no other button.

    Args:
        pins: BCM pin of each button.
        emit: called from the pin library's thread.
    """

    def __init__(self, pins: Mapping[Button, int], source: PinSource, emit: Emit, health: PartHealth) -> None:
        self._pins = pins
        self._source = source
        self._emit = emit
        self._health = health
        self._lock = threading.RLock()
        self._devices: dict[Button, Device] = {}
        self._is_down: dict[Button, bool] = dict.fromkeys(pins, False)
        self._doubted: set[Button] = set()
        self._open_missing(is_retry=False)

    def check(self) -> None:
        """Read every pin: an unreadable pin is a failure, and a missed edge is made good.

        A level that differs from the last edge in two successive checks is reported as an edge: the kernel drops edges
        when its queue is full, and a button must not stay up or down for ever because of that.
        """
        problems: dict[Button, str] = {}
        with self._lock:
            for button, device in list(self._devices.items()):
                try:
                    with translated(self._where(button)):
                        is_down = bool(device.value)
                except PartError as error:
                    problems[button] = str(error)
                    quietly(self._devices.pop(button).close)
                    continue
                if is_down == self._is_down[button]:
                    self._doubted.discard(button)
                elif button in self._doubted:
                    self._edge(button, is_down=is_down)
                else:
                    self._doubted.add(button)
        if problems:
            self._health.fail(self._summary(problems))

    def retry(self) -> None:
        """Open the pins that are not open. A level that has changed is reported as found, not as an edge."""
        if self._health.is_failed:
            self._open_missing(is_retry=True)

    def close(self) -> None:
        """Release the pins."""
        with self._lock:
            for device in self._devices.values():
                quietly(device.close)
            self._devices.clear()

    def _open_missing(self, *, is_retry: bool) -> None:
        problems: dict[Button, str] = {}
        with self._lock:
            for button in self._pins:
                if button in self._devices:
                    continue
                try:
                    self._open(button)
                except PartError as error:
                    problems[button] = str(error)
        if problems:
            self._health.fail(self._summary(problems), is_retry=is_retry)
        else:
            self._health.recover()

    def _open(self, button: Button) -> None:
        device = self._source.device("DigitalInputDevice", self._pins[button], pull_up=True, bounce_time=None)
        try:
            with translated(self._where(button)):
                device.when_activated = self._handler(button, is_down=True)
                device.when_deactivated = self._handler(button, is_down=False)
                is_down = bool(device.value)
        except PartError:
            quietly(device.close)
            raise
        self._devices[button] = device
        if is_down != self._is_down[button]:
            self._edge(button, is_down=is_down, is_initial=True)

    def _handler(self, button: Button, *, is_down: bool) -> Callable[[Device], None]:
        # Not functools.partial: gpiozero counts the arguments, and passes the device as the required one.
        return lambda device: self._edge(button, is_down=is_down, at_ms=_at_ms(device, is_down=is_down))

    def _edge(self, button: Button, *, is_down: bool, is_initial: bool = False, at_ms: int | None = None) -> None:
        with self._lock:
            self._is_down[button] = is_down
            self._doubted.discard(button)
            self._emit(PinChanged(button, is_down, is_initial, at_ms))

    def _where(self, button: Button) -> str:
        return f"GPIO {self._pins[button]}"

    def _summary(self, problems: Mapping[Button, str]) -> str:
        """Each reason once, with its buttons: the detail has room for one line."""
        buttons_by_reason: dict[str, list[Button]] = {}
        for button, text in problems.items():
            buttons_by_reason.setdefault(text.removeprefix(f"{self._where(button)}: "), []).append(button)
        return "; ".join(
            f"{'all buttons' if len(buttons) == len(self._pins) else ', '.join(buttons)}: {reason}"
            for reason, buttons in buttons_by_reason.items()
        )


def _at_ms(device: Device, *, is_down: bool) -> int | None:
    """When the kernel saw this edge, by the monotonic clock; ``None`` if the library's time cannot be true.

    A callback delayed by a busy machine delivers both edges of a tap together; these times keep them apart.
    """
    age_s = device.active_time if is_down else device.inactive_time
    return monotonic_ms() - round(age_s * 1_000) if age_s is not None and 0 <= age_s <= AGE_MAX_S else None
