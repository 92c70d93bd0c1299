"""What the sound modem needs of the hardware. :mod:`node.hw.radio` has it; the composition root joins the two."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

# Hardware and modem speak of the same sound without importing one another: its format is the air's.
from node.core.air import BLOCK_BYTES, BLOCK_MS, RATE_HZ

__all__ = ["BLOCK_BYTES", "BLOCK_MS", "RATE_HZ", "AudioPort", "PhraseBook", "PttPort", "RadioPort"]


class AudioPort(Protocol):
    """A full-duplex sound device.

    Every method may be called from any thread. An implementation raises an error of its own that is an ``OSError``.
    """

    def start(self, on_block: Callable[[bytes], None], on_failed: Callable[[str], None]) -> None:
        """Open both directions, and keep them open: what is not ours to play is silence.

        Args:
            on_block: called about 50 times a second from a thread of the device's, with ``BLOCK_BYTES`` received.
            on_failed: called once if the device is lost later; :meth:`start` may then be tried again.

        Raises:
            OSError: it cannot be opened.
        """

    def play(self, samples: bytes, on_end: Callable[[str], None]) -> None:
        """Play at once. ``on_end("")`` when the last sample has left the device, or why it did not.

        Raises:
            OSError: the device does not run, so nothing must be keyed.
        """

    def flush(self) -> None:
        """Stop playing now; ``on_end`` is called."""

    def close(self) -> None:
        """Let go of the device."""


class PttPort(Protocol):
    """The transmitter's key. Off before, after, and whenever in doubt (N10)."""

    def key(self, max_ms: int) -> None:
        """Transmit, for at most so long, whatever becomes of this program.

        Raises:
            OSError: the line did not move, or nothing guards it.
        """

    def unkey(self) -> None:
        """Stop transmitting. May be called when it is off.

        Raises:
            OSError: the line did not move.
        """

    def close(self) -> None:
        """Unkey, and let go of the line."""


class PhraseBook(Protocol):
    """Sentences that were rendered ahead."""

    def start(self) -> None:
        """Make what is missing, in the background."""

    def samples(self, phrase: str) -> bytes | None:
        """Of :class:`node.core.air.Phrase`, at ``RATE_HZ``; ``None`` where none is set or it is not ready."""


class RadioPort(Protocol):
    """A radio as the composition root drives it: ``KissTnc`` and ``SoundModem`` are its two drivers.

    What happens becomes events for the loop: ``FrameReceived(data, None, Path.RADIO)``, ``ChannelChanged``,
    ``OverStarted``, ``OverEnded``, ``OverFailed``, ``PartFailed(Part.RADIO)``, ``PartRecovered(Part.RADIO)``.
    """

    def start(self) -> None:
        """Begin to listen. Never raises: what does not work is told as ``PartFailed``, and tried again by itself."""

    def transmit(self, over: int, bursts: tuple[bytes, ...], mode: str, phrase: str | None) -> None:
        """Carry out ``TransmitOver``; returns at once. Exactly one OverEnded or OverFailed follows."""

    def stop_over(self, over: int) -> None:
        """Unkey now; returns at once. Another over's number changes nothing."""

    def retry_speech(self) -> None:
        """Make the sentences that are missing; returns at once. ``Part.SPEECH`` fails or recovers by it."""

    def close(self) -> None:
        """Unkey, then end children and threads; within a second."""
