"""The roles a board is made of. Methods never raise and never wait for a slow bus: faults become events."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from node.core.controls import LedPattern, SoundPattern
from node.core.events import Event
from node.core.screens import Screen

Emit = Callable[[Event], None]
"""Takes an event from any thread. It may only enqueue."""


class PartPort(Protocol):
    """What every part can do."""

    def check(self) -> None:
        """Look whether the part still works; if not, ``PartFailed``, once."""

    def retry(self) -> None:
        """Try a failed part again: ``PartRecovered``, or ``PartFailed`` once more. Nothing if it works."""

    def close(self) -> None:
        """Leave the part dark and silent and give up its pins. May be called twice."""


class ButtonsPort(PartPort, Protocol):
    """Raw edges of all buttons as ``PinChanged``, bounces and all.

    A button that is down when its pin is first read is reported with ``is_initial``.
    """


class PanelPort(PartPort, Protocol):
    """Draws screens, latest wins."""

    def show(self, screen: Screen) -> None:
        """Draw this soon; ``ScreenShown`` once the panel has taken it. A screen overtaken by the next is dropped."""


class LedPort(PartPort, Protocol):
    """The status LED."""

    def show(self, pattern: LedPattern) -> None:
        """Show this until told otherwise."""


class SounderPort(PartPort, Protocol):
    """The sounder."""

    def play(self, pattern: SoundPattern) -> None:
        """Start this instead of what plays; it ends by itself within 60 s. ``OFF`` stops at once."""
