"""The radio by a TNC, on a serial port or ``socket://host:port``, which does modem, key and carrier sense itself.

KISS sets the limits: no speech, no choice of mode, and nothing handed to the TNC can be withdrawn. Nor does a TNC say
when it is done (the ACKMODE extension is rare: Dire Wolf 1.7 drops such a frame unsent), so the end of an over is
estimated, on the late side. The TNC reports no voice, and only whole data frames: after each the channel counts as busy
for a moment, because an answer may follow.
"""

from __future__ import annotations

import contextlib
import logging
import os
import queue
import select
import threading
from typing import Final

import serial
from msgspec import Struct

from node.core.air import BURSTS_PER_OVER_MAX, KEY_UP_MS, Mode, burst_ms
from node.core.events import ChannelChanged, Emit, Offer, OverEnded, OverFailed, OverStarted
from node.net.radio.ax25 import decode_ui, encode_ui
from node.net.radio.errors import Ax25DecodeError
from node.net.radio.health import RadioHealth, words
from node.net.radio.kiss import Command, KissFrame, KissReader, encode_kiss
from node.net.radio.reports import Reports
from runtime.monotonic import monotonic_ms
from wire.ids import NodeId

logger = logging.getLogger(__name__)

BUSY_AFTER_FRAME_MS: Final = 500
_UNIT_MS: Final = 10
_SETTINGS: Final = (
    # The core decides when to transmit: the TNC sends as soon as its own carrier sense permits.
    (Command.TXDELAY, KEY_UP_MS // _UNIT_MS),
    (Command.PERSISTENCE, 255),
    (Command.SLOTTIME, 0),
    (Command.TXTAIL, 1),
    (Command.FULLDUPLEX, 0),
)
_SPARE_MS: Final = 250
"""Extra time for the serial line and the TNC."""
_BITS_PER_BYTE_ON_LINE: Final = 10
_RETRY_MS: Final = (500, 1_000, 2_000, 5_000, 10_000)
_WRITE_S_MAX: Final = 2.0
_READ_BYTES: Final = 4096
_ROUND_MS_MAX: Final = 500
_CLOSE_S: Final = 0.8


class _Transmit(Struct, frozen=True):
    over: int
    bursts: tuple[bytes, ...]
    phrase: str | None


class _Sending(Struct, frozen=True):
    """The over that the TNC is sending, as far as we know.

    Attributes:
        started_ms: when it was handed over.
        ends_ms: when it must be done.
    """

    over: int
    started_ms: int
    ends_ms: int


class KissTnc:
    """``RadioPort`` over a KISS TNC.

    Attributes:
        dropped: invalid KISS frames on the line since start.
    """

    def __init__(self, port: str, baud: int, *, node: NodeId, offer: Offer, put: Emit) -> None:
        """Not connected before :meth:`start`.

        Args:
            port: a device, or ``socket://host:port``.
            baud: of the serial line.
            node: ours; its callsign is in our bursts.
            offer: the loop's queue, for frames heard.
            put: the same, for the node's own events.
        """
        self.dropped = 0
        self._port = port
        self._baud = baud
        self._node = node
        self._reports = Reports(offer, put)
        self._health = RadioHealth(put)
        self._orders: queue.SimpleQueue[_Transmit] = queue.SimpleQueue()
        self._wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._worker = threading.Thread(target=self._run, name="kiss-tnc", daemon=True)
        self._is_closing = False
        # Below: the worker's alone.
        self._line: serial.SerialBase | None = None
        self._reader = KissReader()
        self._retries = 0
        self._connect_due_ms = 0
        self._sending: _Sending | None = None
        self._busy_until_ms: int | None = None
        self._is_silence_told = False

    def start(self) -> None:
        """Connect, and stay connected."""
        self._worker.start()

    def transmit(self, over: int, bursts: tuple[bytes, ...], mode: str, phrase: str | None) -> None:
        """Send the bursts in the TNC's own mode, without speech; returns at once."""
        del mode
        self._orders.put(_Transmit(over, bursts, phrase))
        self._wake_up()

    def prepare(self, phrase: str) -> None:
        """Does nothing: a TNC cannot speak."""

    def stop_over(self, over: int) -> None:
        """Does nothing: a TNC sends everything that it has been given."""
        logger.info("over %d cannot be stopped: the TNC sends what it has", over)

    def retry_speech(self) -> None:
        """Does nothing: a TNC cannot speak."""

    def close(self) -> None:
        """Release the line, within a second. Idempotent."""
        self._is_closing = True
        self._wake_up()
        if self._worker.is_alive():
            self._worker.join(_CLOSE_S)

    def _wake_up(self) -> None:
        with contextlib.suppress(BlockingIOError):
            os.eventfd_write(self._wake, 1)

    # The worker.

    def _run(self) -> None:
        try:
            while not self._is_closing:
                try:
                    self._round()
                except OSError as e:
                    self._lose(words(e))
                except Exception:
                    # A bug here must not leave the radio deaf for ever.
                    logger.exception("the radio's thread stumbled")
                    self._lose("internal error")
        finally:
            self._fail_over("the radio is closed")
            with contextlib.suppress(queue.Empty):
                while True:
                    self._reports.put(OverFailed(self._orders.get_nowait().over, "the radio is closed"))
            self._hang_up()

    def _round(self) -> None:
        now_ms = monotonic_ms()
        if self._line is None and now_ms >= self._connect_due_ms:
            self._connect()
        self._wait(now_ms)
        self._read()
        with contextlib.suppress(queue.Empty):
            while not self._is_closing:
                self._transmit(self._orders.get_nowait())
        self._look_at_clock(monotonic_ms())

    def _wait(self, now_ms: int) -> None:
        poll = select.poll()
        poll.register(self._wake, select.POLLIN)
        dues = [self._busy_until_ms, self._sending.ends_ms if self._sending else None]
        if self._line is None:
            dues.append(self._connect_due_ms)
        else:
            poll.register(self._line.fileno(), select.POLLIN)
        wait_ms = min([_ROUND_MS_MAX, *(due_ms - now_ms for due_ms in dues if due_ms is not None)])
        poll.poll(max(1, wait_ms))
        with contextlib.suppress(BlockingIOError):
            os.eventfd_read(self._wake)

    def _connect(self) -> None:
        self._reader = KissReader()
        try:
            self._line = serial.serial_for_url(self._port, baudrate=self._baud, timeout=0, write_timeout=_WRITE_S_MAX)
        except ValueError as e:
            raise OSError(str(e)) from e
        for command, value in _SETTINGS:
            self._line.write(encode_kiss(command, bytes((value,))))
        self._retries = 0
        self._health.tell("tnc", None)
        logger.info("TNC connected", extra={"port": self._port})

    def _read(self) -> None:
        if self._line is None:
            return
        dropped = self._reader.dropped
        for frame in self._reader.feed(self._line.read(_READ_BYTES)):
            self._take(frame)
        if malformed := self._reader.dropped - dropped:
            self.dropped += malformed
            self._reports.rejected("kiss")

    def _take(self, frame: KissFrame) -> None:
        if (frame.port, frame.command) != (0, Command.DATA):
            self._reports.rejected("kiss command")
            return
        if self._busy_until_ms is None:
            self._reports.put(ChannelChanged(is_busy=True))
        self._busy_until_ms = monotonic_ms() + BUSY_AFTER_FRAME_MS
        try:
            self._reports.heard(decode_ui(frame.payload))
        except Ax25DecodeError as e:
            self._reports.rejected(str(e))

    def _transmit(self, order: _Transmit) -> None:
        if order.phrase and not self._is_silence_told:
            self._is_silence_told = True
            logger.warning("a TNC cannot speak: alerts go out as data alone")
        try:
            data, length_ms = self._prepare(order)
        except (OSError, ValueError) as e:
            self._reports.put(OverFailed(order.over, words(e)))
            return
        assert self._line is not None
        now_ms = monotonic_ms()
        self._sending = _Sending(order.over, now_ms, now_ms + length_ms)
        self._line.write(data)  # an error here fails the over, through _lose
        self._reports.put(OverStarted(order.over))

    def _prepare(self, order: _Transmit) -> tuple[bytes, int]:
        if self._line is None:
            raise OSError("the TNC is not connected")
        if self._sending is not None:
            raise OSError("another over is on the air")
        if not 0 < len(order.bursts) <= BURSTS_PER_OVER_MAX:
            raise ValueError(f"{len(order.bursts)} bursts are no over")
        data = b"".join(encode_kiss(Command.DATA, encode_ui(burst, self._node)) for burst in order.bursts)
        air_ms = sum(burst_ms(Mode.IL2P_1200, len(burst)) for burst in order.bursts)
        line_ms = len(data) * _BITS_PER_BYTE_ON_LINE * 1000 // self._baud
        return data, KEY_UP_MS + air_ms + line_ms + _SPARE_MS

    def _look_at_clock(self, now_ms: int) -> None:
        if self._busy_until_ms is not None and now_ms >= self._busy_until_ms:
            self._busy_until_ms = None
            self._reports.put(ChannelChanged(is_busy=False))
        if self._sending is not None and now_ms >= self._sending.ends_ms:
            sending, self._sending = self._sending, None
            self._reports.put(OverEnded(sending.over, now_ms - sending.started_ms))

    def _lose(self, detail: str) -> None:
        self._fail_over(detail)
        self._hang_up()
        self._connect_due_ms = monotonic_ms() + _RETRY_MS[min(self._retries, len(_RETRY_MS) - 1)]
        self._retries += 1
        self._health.tell("tnc", detail)

    def _fail_over(self, detail: str) -> None:
        sending, self._sending = self._sending, None
        if sending is not None:
            self._reports.put(OverFailed(sending.over, detail, monotonic_ms() - sending.started_ms))

    def _hang_up(self) -> None:
        line, self._line = self._line, None
        if line is not None:
            # pyserial leaves a socket open if its peer goes first.
            connection = vars(line).get("_socket")
            with contextlib.suppress(OSError):
                line.close()
            if connection is not None:
                connection.close()
