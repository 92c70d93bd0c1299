"""The board of one profile: buttons, panel, LED and sounder."""

from __future__ import annotations

import importlib
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final, Protocol

from node.core.controls import LedPattern, Part, SoundPattern
from node.core.events import Emit
from node.core.screens import Screen
from node.hw.buttons import GpiozeroButtons
from node.hw.health import PartHealth
from node.hw.indicators import GpiozeroLed, GpiozeroSounder
from node.hw.luma_devices import open_luma_panel
from node.hw.panel import LumaPanel, PanelDevice
from node.hw.panel import Observer as PanelObserver
from node.hw.pins import PinSource, open_lgpio_factory
from node.hw.profiles import Profile
from node.hw.typeface import TERMINUS_DIR, Typeface

CHECK_S: Final = 5.0
"""How often the pins are read back: six reads, some microseconds."""
_STOP_WAIT_S: Final = 1.0


class PartPort(Protocol):
    """A part of the board. Methods never raise and never wait for a slow bus: faults become events."""

    def check(self) -> None:
        """Check whether the part still works; if not, ``PartFailed``, once."""

    def retry(self) -> None:
        """Retry a failed part: ``PartRecovered``, or ``PartFailed`` once more. Nothing if it works."""

    def close(self) -> None:
        """Leave the part dark and silent and release its pins. Idempotent."""


class Board:
    """A premises' hardware. No method raises or waits for a bus; events go to ``emit``.

    Args:
        emit: takes events from any of the board's threads; it may only enqueue.
        source: of pins.
        open_panel: opens the panel; may raise anything.
        led_observer, sound_observer: get the name of the pattern that plays; ``"off"`` at its end.
    """

    def __init__(
        self,
        profile: Profile,
        emit: Emit,
        *,
        source: PinSource,
        open_panel: Callable[[], PanelDevice],
        typeface: Typeface,
        panel_observer: PanelObserver | None = None,
        led_observer: Callable[[str], None] | None = None,
        sound_observer: Callable[[str], None] | None = None,
    ) -> None:
        self.profile = profile
        self._source = source
        self._buttons = GpiozeroButtons(profile.buttons, source, emit, PartHealth(Part.BUTTONS, emit))
        self._led = GpiozeroLed("led", profile.led_pin, source, PartHealth(Part.LED, emit), led_observer)
        self._sounder = GpiozeroSounder(
            "sounder", profile.sounder_pin, source, PartHealth(Part.SOUNDER, emit), sound_observer
        )
        self._panel = LumaPanel(
            profile.panel, open_panel, typeface, emit, health=PartHealth(Part.OLED, emit), observer=panel_observer
        )
        self._parts: dict[Part, PartPort] = {
            Part.OLED: self._panel,
            Part.BUTTONS: self._buttons,
            Part.LED: self._led,
            Part.SOUNDER: self._sounder,
        }
        self._stopping = threading.Event()
        self._supervisor = threading.Thread(target=self._supervise, name="board", daemon=True)
        self._supervisor.start()

    def show(self, screen: Screen) -> None:
        """Draw this; the latest wins. ``ScreenShown`` once the panel has taken it."""
        self._panel.show(screen)

    def play(self, pattern: SoundPattern) -> None:
        """Start this sound in place of the current one; it ends by itself within 60 s."""
        self._sounder.play(pattern)

    def set_led(self, pattern: LedPattern) -> None:
        """Show this on the LED until the next call."""
        self._led.show(pattern)

    def retry(self, part: Part) -> None:
        """Retry a failed part: ``PartRecovered``, or ``PartFailed`` once more.

        Parts that are not the board's (store, network, clock) are left alone.
        """
        if part in self._parts:
            self._parts[part].retry()

    def check(self, part: Part) -> None:
        """Check now whether a part still works."""
        if part in self._parts:
            self._parts[part].check()

    def close(self) -> None:
        """Sounder and LED off, panel dark, pins released. Idempotent."""
        self._stopping.set()
        for part in (self._sounder, self._led, self._panel, self._buttons):
            part.close()
        if self._supervisor is not threading.current_thread():
            self._supervisor.join(_STOP_WAIT_S)
        self._source.close()

    def _supervise(self) -> None:
        while not self._stopping.wait(CHECK_S):
            for part in (self._buttons, self._led, self._sounder):
                part.check()


def open_board(
    profile: Profile, emit: Emit, *, fake_socket: Path | None = None, font_dir: Path = TERMINUS_DIR
) -> Board:
    """Open the board of a profile, as far as its parts work; the others are reported through ``emit``.

    Args:
        profile: what is built in.
        emit: takes events from any of the board's threads; it may only enqueue.
        fake_socket: profile ``fake`` only: Unix socket to serve; ``None`` = no control from outside.
        font_dir: with Terminus.

    Raises:
        FakeBoardError: ``fake_socket`` cannot be served: another board has it, or its folder is missing.
    """
    typeface = Typeface(font_dir)
    if profile.is_fake:
        # Loaded here: a real node never needs the mocks.
        opened: Board = importlib.import_module("node.hw.fake_board").open_fake_board(
            profile, emit, typeface, fake_socket
        )
        return opened
    source = PinSource(open_lgpio_factory)
    return Board(
        profile,
        emit,
        source=source,
        open_panel=lambda: open_luma_panel(profile.panel, source),
        typeface=typeface,
    )
