"""KISS: frames between a host and a TNC (Chepponis and Karn, 1987), with SLIP's escapes (RFC 1055).

| bytes | meaning |
|---|---|
| ``C0`` | frame end, and frame begin: any number of them between two frames |
| u4 · u4 | port (always 0 here) · command, see :class:`Command` |
| … | the command's parameters; ``C0`` is sent as ``DB DC``, ``DB`` as ``DB DD`` |
| ``C0`` | frame end |

A reader that starts in the middle of a frame drops everything up to the next ``C0``. It never holds more than
:data:`KISS_BYTES_MAX`.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final

from msgspec import Struct

FEND: Final = 0xC0
_FESC: Final = 0xDB
_TFEND: Final = 0xDC
_TFESC: Final = 0xDD
KISS_BYTES_MAX: Final = 512
"""Unescaped, with the command byte. Ours are at most 113; other people's AX.25 frames at most 332."""
_ESCAPES: Final = {_TFEND: FEND, _TFESC: _FESC}


class Command(IntEnum):
    """A frame's command. A TNC sends only ``DATA``."""

    DATA = 0
    TXDELAY = 1
    PERSISTENCE = 2
    SLOTTIME = 3
    TXTAIL = 4
    FULLDUPLEX = 5


class KissFrame(Struct, frozen=True):
    """One frame.

    Attributes:
        port: 0 … 15, of a TNC with several radios.
        command: 0 … 15.
        payload: unescaped.
    """

    port: int
    command: int
    payload: bytes


def encode_kiss(command: Command, payload: bytes) -> bytes:
    """A KISS frame to port 0."""
    escaped = payload.replace(bytes((_FESC,)), bytes((_FESC, _TFESC))).replace(bytes((FEND,)), bytes((_FESC, _TFEND)))
    return bytes((FEND, command)) + escaped + bytes((FEND,))


class KissReader:
    """Turns bytes into whole frames.

    Attributes:
        dropped: frames dropped since start: too long, cut off, or badly escaped.
    """

    def __init__(self) -> None:
        self.dropped = 0
        self._frame = bytearray()
        self._is_escaped = False
        # Where a frame begins is unknown until the first FEND.
        self._is_lost = True

    def feed(self, data: bytes) -> list[KissFrame]:
        """The frames that ``data`` completes, in order, however the bytes are split."""
        frames: list[KissFrame] = []
        for byte in data:
            if byte == FEND:
                self._end(frames)
            elif not self._is_lost:
                self._take(byte)
        return frames

    def _end(self, frames: list[KissFrame]) -> None:
        if self._is_escaped:
            self.dropped += 1
        elif self._frame and not self._is_lost:
            head = self._frame[0]
            frames.append(KissFrame(head >> 4, head & 0x0F, bytes(self._frame[1:])))
        self._frame.clear()
        self._is_escaped = self._is_lost = False

    def _take(self, byte: int) -> None:
        if self._is_escaped:
            self._is_escaped = False
            plain = _ESCAPES.get(byte)
            if plain is None:
                self._lose()
                return
            byte = plain
        elif byte == _FESC:
            self._is_escaped = True
            return
        if len(self._frame) >= KISS_BYTES_MAX:
            self._lose()
            return
        self._frame.append(byte)

    def _lose(self) -> None:
        self.dropped += 1
        self._frame.clear()
        self._is_lost = True
