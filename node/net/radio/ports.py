"""The sound modem's view of the hardware: :mod:`node.hw.radio` provides it, the composition root joins the two."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

# Hardware and modem share a sound format without importing each other: that of node.core.air.
from node.core.air import BLOCK_BYTES, BLOCK_MS, RATE_HZ

__all__ = ["BLOCK_BYTES", "BLOCK_MS", "RATE_HZ", "AudioPort", "PhraseBook", "PttPort", "RadioPort"]


class AudioPort(Protocol):
    """A full-duplex sound device.

    Every method may be called from any thread. Implementations raise errors of their own that are ``OSError``.
    """

    def start(self, on_block: Callable[[bytes], None], on_failed: Callable[[str], None]) -> None:
        """Open both directions and keep them open, playing silence between overs.

        Args:
            on_block: called about 50 times a second from the device's thread, with ``BLOCK_BYTES`` received.
            on_failed: called once if the device is lost later; :meth:`start` may then be tried again.

        Raises:
            OSError: it cannot be opened.
        """

    def play(self, samples: bytes, on_end: Callable[[str], None]) -> None:
        """Play at once. ``on_end("")`` when the last sample has left the device, else with the reason.

        Raises:
            OSError: the device is not running, so do not key.
        """

    def flush(self) -> None:
        """Stop playing now; ``on_end`` is called."""

    def close(self) -> None:
        """Release the device."""


class PttPort(Protocol):
    """The transmitter's key. Off before, after, and if in doubt (N10)."""

    def key(self, max_ms: int) -> None:
        """Transmit, for at most ``max_ms``, whatever happens to this program.

        Raises:
            OSError: the line did not move, or has no guard.
        """

    def unkey(self) -> None:
        """Stop transmitting. May be called when it is off.

        Raises:
            OSError: the line did not move.
        """

    def close(self) -> None:
        """Unkey and release the line."""


class PhraseBook(Protocol):
    """Sentences rendered in advance."""

    def start(self) -> None:
        """Make missing sentences in the background."""

    def prepare(self, phrase: str) -> None:
        """Make a sentence about a person (:func:`node.core.air.about`) in the background."""

    def samples(self, phrase: str) -> bytes | None:
        """Samples of a :class:`node.core.air.Phrase` at ``RATE_HZ``; ``None`` = not set or not ready.

        Of one about a person that is not ready: those of the sentence about nobody.
        """


class RadioPort(Protocol):
    """A radio, as driven by the composition root: ``KissTnc`` and ``SoundModem`` are its two drivers.

    Events for the loop: ``FrameReceived(data, None, Path.RADIO)``, ``ChannelChanged``,
    ``OverStarted``, ``OverEnded``, ``OverFailed``, ``PartFailed(Part.RADIO)``, ``PartRecovered(Part.RADIO)``.
    """

    def start(self) -> None:
        """Begin to listen. Never raises: failures are reported as ``PartFailed`` and retried."""

    def transmit(self, over: int, bursts: tuple[bytes, ...], mode: str, phrase: str | None) -> None:
        """Carry out ``TransmitOver``; returns at once. Exactly one OverEnded or OverFailed follows."""

    def prepare(self, phrase: str) -> None:
        """Make a sentence about a person ready, if there is speech; returns at once."""

    def stop_over(self, over: int) -> None:
        """Unkey now; returns at once. Another over's number is ignored."""

    def retry_speech(self) -> None:
        """Make missing sentences; returns at once. ``Part.SPEECH`` then fails or recovers."""

    def close(self) -> None:
        """Unkey, then end children and threads; within a second."""
