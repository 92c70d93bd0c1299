"""The OLED: draws only the latest screen, in its own thread, so that a slow bus never holds up the loop."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final, Protocol

from PIL import Image

from node.core.events import Emit, ScreenShown
from node.core.screens import Screen
from node.hw.drawing import draw_screen
from node.hw.errors import PartError, translated
from node.hw.health import PartHealth
from node.hw.profiles import Panel
from node.hw.typeface import Typeface

CONTRAST_FULL: Final = 0xFF
CONTRAST_DIM: Final = 0x20
"""For the idle face: spares the pixels, and is readable in a lit shop."""
SETTLE_S: Final = 0.008
"""How long a new screen waits for a newer one. A transfer takes 25 ms on I²C: a screen that follows within this, as a
receipt mostly does, is drawn instead of the earlier one, not after it. Together they stay under the 40 ms of N3."""
REDRAW_S: Final = 60.0
"""Moves the idle face by a pixel, and reveals a panel that was unplugged."""
REST_AFTER_S: Final = 900.0
"""A face unchanged for this long, such as NO LINK, is dimmed and moved like the idle one, against burn-in."""
_STOP_WAIT_S: Final = 1.5

Observer = Callable[[Screen | None, Image.Image | None], None]
"""Gets each picture that the panel took; ``None`` when it went dark."""


class PanelDevice(Protocol):
    """An open panel. Methods may raise anything."""

    def display(self, image: Image.Image) -> None:
        """Send the whole picture."""

    def contrast(self, level: int) -> None:
        """Brightness, 0 … 255."""

    def close(self) -> None:
        """Blank and release; never raises."""

    def abandon(self) -> None:
        """Release as it is; never raises."""


class LumaPanel:
    """A panel driven by luma.

    Args:
        open_device: opens and initialises the panel; may raise anything. Called in the panel's thread.
        observer: called in the panel's thread.
        rest_after_s: a face unchanged for this long is dimmed and moved.
    """

    def __init__(
        self,
        panel: Panel,
        open_device: Callable[[], PanelDevice],
        typeface: Typeface,
        emit: Emit,
        *,
        health: PartHealth,
        observer: Observer | None = None,
        rest_after_s: float = REST_AFTER_S,
    ) -> None:
        self._rest_after_s = rest_after_s
        self._panel = panel
        self._open_device = open_device
        self._typeface = typeface
        self._emit = emit
        self._health = health
        self._observer = observer
        self._changed = threading.Condition()
        self._screen: Screen | None = None
        self._is_new = False
        self._is_check_asked = False
        self._is_retry_asked = False
        self._is_closing = False
        self._device: PanelDevice | None = None
        self._contrast: int | None = None
        self._drawn: Screen | None = None
        self._drawn_since_s = 0.0
        self._thread = threading.Thread(target=self._run, name="panel", daemon=True)
        self._thread.start()

    def show(self, screen: Screen) -> None:
        """Draw this soon; ``ScreenShown`` once the panel has it. A screen overtaken by the next is dropped."""
        with self._changed:
            self._screen = screen
            self._is_new = True
            self._changed.notify()

    def check(self) -> None:
        """Redraw, to notice a panel that no longer answers."""
        with self._changed:
            self._is_check_asked = True
            self._changed.notify()

    def retry(self) -> None:
        """Restart a failed panel and draw the latest screen."""
        with self._changed:
            self._is_retry_asked = True
            self._changed.notify()

    def close(self) -> None:
        """Blank the panel and release the bus."""
        with self._changed:
            self._is_closing = True
            self._changed.notify()
        self._thread.join(_STOP_WAIT_S)

    def _run(self) -> None:
        self._open(is_retry=False)
        while self._wait():
            with self._changed:
                screen, is_new, is_retry = self._screen, self._is_new, self._is_retry_asked
                self._is_new = self._is_check_asked = self._is_retry_asked = False
            is_mended = is_retry and self._health.is_failed and self._mend()
            if screen is not None and self._device is not None:
                self._draw(screen, is_announced=is_new or is_mended)
        if self._device is not None:
            self._device.close()
            self._device = None
            self._observe(None, None)

    def _wait(self) -> bool:
        """Sleep until there is something to do; ``False`` when closing."""
        with self._changed:
            # A dead panel is left alone until a retry is requested: no timer for it.
            timeout_s = None if self._device is None or self._screen is None else REDRAW_S
            self._changed.wait_for(self._has_work, timeout_s)
            if self._is_new:
                self._changed.wait_for(lambda: self._is_closing, SETTLE_S)
            return not self._is_closing

    def _has_work(self) -> bool:
        return self._is_new or self._is_check_asked or self._is_retry_asked or self._is_closing

    def _open(self, *, is_retry: bool) -> bool:
        self._abandon()
        try:
            with translated(f"{self._panel.driver} on {self._panel.bus}"):
                self._device = self._open_device()
        except PartError as error:
            self._health.fail(str(error), is_retry=is_retry)
            return False
        return self._judge_typeface(is_retry=is_retry)

    def _mend(self) -> bool:
        """Retry what failed. A panel that only lacks its font is not restarted, which would make it blink."""
        if self._device is None:
            return self._open(is_retry=True)
        self._typeface.load()
        return self._judge_typeface(is_retry=True)

    def _judge_typeface(self, *, is_retry: bool) -> bool:
        if self._typeface.fault:
            # Words still show, in another font: someone has to come and install it.
            self._health.fail(self._typeface.fault, is_retry=is_retry)
        else:
            self._health.recover()
        return not self._typeface.fault

    def _draw(self, screen: Screen, *, is_announced: bool) -> None:
        device = self._device
        if device is None:
            return
        now_s = time.monotonic()
        if screen != self._drawn:
            self._drawn, self._drawn_since_s = screen, now_s
        is_at_rest = screen.is_dim or now_s - self._drawn_since_s >= self._rest_after_s
        minute = int(now_s // REDRAW_S) if is_at_rest else None
        contrast = CONTRAST_DIM if is_at_rest else CONTRAST_FULL
        try:
            with translated(f"{self._panel.driver} on {self._panel.bus}"):
                image = draw_screen(screen, self._panel, self._typeface, minute=minute)
                if contrast != self._contrast:
                    device.contrast(contrast)
                    self._contrast = contrast
                device.display(image)
        except PartError as error:
            self._abandon()
            self._health.fail(str(error))
            self._observe(None, None)
            return
        self._observe(screen, image)
        if is_announced:
            self._emit(ScreenShown(screen.concerns, screen.face.value, screen.priority))

    def _abandon(self) -> None:
        device, self._device = self._device, None
        self._contrast = None
        if device is not None:
            device.abandon()

    def _observe(self, screen: Screen | None, image: Image.Image | None) -> None:
        if self._observer is not None:
            self._observer(screen, image)
