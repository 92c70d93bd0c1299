"""The radio by a sound device, a PTT line and Dire Wolf as the codec: one worker thread does everything in order.

The device's thread only queues received blocks and news for it; all calls return at once. Half-duplex: while we are
keyed, and for a moment after, input is neither decoded nor counted as a carrier. Nothing is keyed before all samples of
the over are ready and the sound device is running; on any error the radio is unkeyed first and the error reported
afterwards.
"""

from __future__ import annotations

import contextlib
import logging
import os
import queue
import select
import threading
import time
from collections import deque
from typing import Final

from msgspec import Struct

from node.core.air import BURSTS_PER_OVER_MAX, OVER_MS_MAX, Mode
from node.core.events import ChannelChanged, Emit, Offer, OverEnded, OverFailed, OverStarted
from node.net.radio.carrier import CarrierSense
from node.net.radio.codec import Codec
from node.net.radio.errors import EncodeStopped
from node.net.radio.health import KEY, RadioHealth, words
from node.net.radio.over import KEYED_SPARE_MS, assemble, milliseconds
from node.net.radio.ports import BLOCK_MS, AudioPort, PhraseBook, PttPort
from node.net.radio.reports import Reports
from runtime.monotonic import monotonic_ms
from wire.ids import NodeId
from wire.limits import DETAIL_CHARS_MAX
from wire.text import display_text

logger = logging.getLogger(__name__)

_BLOCKS_WAITING_MAX: Final = 150
"""Three seconds: longer than encoding takes when the codec has to be replaced."""
_DEAF_AFTER_OVER_MS: Final = 100
"""A receiver needs a moment to come back, and the squelch to close."""
_SILENT_MS_MAX: Final = 3_000
"""A device that delivers no block for this long is lost, even if it does not say so."""
_RETRY_MS: Final = (500, 1_000, 2_000, 5_000, 10_000)
_UNKEY_TRIES: Final = 3
_UNKEY_AGAIN_MS: Final = (500, 1_000, 2_000, 5_000, 10_000)
"""Pauses between tries: each may start two guards, and this thread hears nothing meanwhile."""
_KEY_CHECK_FIRST_MS: Final = 3_000
"""Its guard has started by then, or never will."""
_KEY_CHECK_EVERY_MS: Final = 3_600_000
_STEP_MS_MAX: Final = 500
_CLOSE_S: Final = 0.8


class _Transmit(Struct, frozen=True):
    over: int
    bursts: tuple[bytes, ...]
    mode: str
    phrase: str | None


class _Stop(Struct, frozen=True):
    over: int


class _Played(Struct, frozen=True):
    """The device is done with an over's samples."""

    over: int
    problem: str


class _AudioLost(Struct, frozen=True):
    life: int
    detail: str


class _Keyed(Struct):
    """The over on the air.

    Attributes:
        keyed_ms: since when.
        due_blocks: by this many blocks from the device it has ended by itself, or will not. This is the device's own
            clock: if it runs slowly it plays slowly, which is no fault.
    """

    over: int
    keyed_ms: int
    due_blocks: int


class SoundModem:
    """``RadioPort`` over a sound device.

    Attributes:
        dropped_blocks: received audio that the worker could not take in time, since start.
    """

    def __init__(
        self,
        audio: AudioPort,
        ptt: PttPort,
        phrases: PhraseBook,
        *,
        node: NodeId,
        squelch_dbfs: float,
        offer: Offer,
        put: Emit,
    ) -> None:
        """Nothing runs before :meth:`start`.

        Args:
            audio: owned by this object from now on.
            ptt: owned by this object from now on.
            phrases: the sentences.
            node: ours; its callsign is in our bursts.
            squelch_dbfs: quieter than this is a clear channel.
            offer: the loop's queue, for frames heard.
            put: the same, for the node's own events.
        """
        self.dropped_blocks = 0
        self._audio = audio
        self._ptt = ptt
        self._phrases = phrases
        self._reports = Reports(offer, put)
        self._health = RadioHealth(put)
        self._codec = Codec(node, self._reports.heard, self._reports.rejected, lambda: self._is_closing)
        self._sense = CarrierSense(squelch_dbfs)
        self._orders: queue.SimpleQueue[_Transmit | _Stop | _Played | _AudioLost] = queue.SimpleQueue()
        self._blocks: deque[bytes] = deque()
        self._delivered_blocks = 0
        self._wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._worker = threading.Thread(target=self._run, name="sound-modem", daemon=True)
        self._is_closing = False
        self._stopped_over: int | None = None
        # Below: the worker's alone.
        self._over: _Keyed | None = None
        self._deaf_until_ms = 0
        self._audio_life = 0
        self._is_audio_running = False
        self._audio_retries = 0
        self._audio_due_ms = 0
        self._last_block_ms = 0
        self._unkey_due_ms: int | None = None
        self._unkey_failures = 0
        self._key_check_due_ms = monotonic_ms() + _KEY_CHECK_FIRST_MS
        self._codec_due_ms = 0

    def start(self) -> None:
        """Begin to listen, and keep listening."""
        self._worker.start()

    def transmit(self, over: int, bursts: tuple[bytes, ...], mode: str, phrase: str | None) -> None:
        """Carry out an over; returns at once."""
        self._post(_Transmit(over, bursts, mode, phrase))

    def prepare(self, phrase: str) -> None:
        """Make a sentence about a person ready; returns at once."""
        self._phrases.prepare(phrase)

    def stop_over(self, over: int) -> None:
        """Unkey and drop the rest; returns at once."""
        self._stopped_over = over
        self._post(_Stop(over))

    def retry_speech(self) -> None:
        """Make missing sentences; returns at once."""
        self._phrases.start()

    def close(self) -> None:
        """Unkey, end everything; within a second. May be called twice."""
        self._is_closing = True
        self._wake_up()
        if self._worker.is_alive():
            self._worker.join(_CLOSE_S)
            if not self._worker.is_alive():
                return
            # It may hang in the sound device and hold it: that ends with the program, as do the modems.
            logger.error("the radio's thread hangs; unkeying without it")
            with contextlib.suppress(OSError):
                self._ptt.close()
            return
        self._let_go()

    @property
    def is_ready(self) -> bool:
        """Whether everything works and every modem is proven."""
        return self._is_audio_running and self._health.is_well and self._codec.is_proven

    @property
    def modem_pids(self) -> dict[Mode, int]:
        """Process ids of the codec's children, for measurements."""
        return self._codec.pids

    # From any thread.

    def _post(self, order: _Transmit | _Stop | _Played | _AudioLost) -> None:
        self._orders.put(order)
        self._wake_up()

    def _wake_up(self) -> None:
        with contextlib.suppress(BlockingIOError):  # it is awake 2⁶⁴ times over
            os.eventfd_write(self._wake, 1)

    def _on_block(self, block: bytes) -> None:
        self._delivered_blocks += 1
        if len(self._blocks) >= _BLOCKS_WAITING_MAX:
            self.dropped_blocks += 1
            return
        self._blocks.append(block)
        self._wake_up()

    # The worker.

    def _run(self) -> None:
        try:
            while not self._is_closing:
                try:
                    self._round()
                except Exception:
                    # A bug here must not leave the key down or the radio deaf for ever.
                    logger.exception("the radio's thread stumbled")
                    self._fail_over("internal error")
                    time.sleep(0.1)
        finally:
            self._fail_over("the radio is closed")
            self._refuse_orders()
            self._let_go()

    def _round(self) -> None:
        now_ms = monotonic_ms()
        if now_ms >= self._codec_due_ms:
            due_ms = self._codec.step(now_ms, is_quiet=self._over is None and not self._sense.is_busy)
            self._codec_due_ms = min(due_ms, now_ms + _STEP_MS_MAX)
            self._health.tell_modems(self._codec.problem, self._codec.problems)
        self._look_after_audio(now_ms)
        self._look_after_key(now_ms)
        poll = select.poll()
        for descriptor in (self._wake, *self._codec.descriptors()):
            poll.register(descriptor, select.POLLIN)
        poll.poll(max(1, self._codec_due_ms - now_ms))
        with contextlib.suppress(BlockingIOError):
            os.eventfd_read(self._wake)
        # Counted before orders are taken: what the device said of the over's end until then is among these.
        delivered_blocks = self._delivered_blocks
        self._take_blocks()
        self._codec.collect()
        self._take_orders()
        if self._over is not None and delivered_blocks >= self._over.due_blocks:
            self._fail_over("the sound device did not finish in time")

    def _take_blocks(self) -> None:
        while self._blocks:
            block = self._blocks.popleft()
            self._last_block_ms = monotonic_ms()
            if self._over is not None or self._last_block_ms < self._deaf_until_ms:
                continue
            self._codec.feed(block)
            if self._sense.hear(block):
                self._reports.put(ChannelChanged(self._sense.is_busy))

    def _take_orders(self) -> None:
        with contextlib.suppress(queue.Empty):
            while not self._is_closing:
                match self._orders.get_nowait():
                    case _Transmit() as order:
                        self._transmit(order)
                    case _Stop(over):
                        self._stop(over)
                    case _Played(over, problem):
                        self._played(over, problem)
                    case _AudioLost(life, detail) if life == self._audio_life:
                        self._lose_audio(detail)

    def _refuse_orders(self) -> None:
        with contextlib.suppress(queue.Empty):
            while True:
                order = self._orders.get_nowait()
                if isinstance(order, _Transmit):
                    self._reports.put(OverFailed(order.over, "the radio is closed"))

    # An over.

    def _transmit(self, order: _Transmit) -> None:
        if self._is_stopped(order.over):
            self._reports.put(OverEnded(order.over, 0))
            return
        try:
            self._begin(order)
        except EncodeStopped:
            ended = OverFailed(order.over, "the radio is closed") if self._is_closing else OverEnded(order.over, 0)
            self._reports.put(ended)
        except (OSError, ValueError) as e:
            logger.warning("over %d: %s", order.over, e)
            self._refuse(order.over, words(e))
        except Exception:
            # The caller waits for an answer, even if a bug prevents it.
            logger.exception("over %d", order.over)
            self._refuse(order.over, "internal error")

    def _refuse(self, over: int, detail: str) -> None:
        """Fail an over; wherever the error was raised, the key does not stay down."""
        if self._over is not None and self._over.over == over:
            self._fail_over(detail)
        else:
            self._reports.put(OverFailed(over, detail))

    def _begin(self, order: _Transmit) -> None:
        """Render, then key, then play.

        Raises:
            OSError: something failed; if already keyed, the over is still the one on the air.
            ValueError: nothing to send, or an unknown mode.
        """
        if self._over is not None:
            raise OSError("another over is on the air")
        if not 0 < len(order.bursts) <= BURSTS_PER_OVER_MAX:
            raise ValueError(f"{len(order.bursts)} bursts are no over")
        if not self._is_audio_running:
            raise OSError("the sound device does not run")
        if self._unkey_due_ms is not None:
            raise OSError("the PTT line did not let go")
        self._codec_due_ms = 0  # it may come back with other children
        bursts = self._codec.encode(Mode(order.mode), order.bursts, lambda: self._is_stopped(order.over))
        samples = assemble(bursts, self._phrases.samples(order.phrase) if order.phrase else None)
        if self._is_stopped(order.over):
            raise EncodeStopped
        length_ms = milliseconds(samples) + KEYED_SPARE_MS
        due_blocks = self._delivered_blocks + length_ms // BLOCK_MS
        self._over = _Keyed(order.over, monotonic_ms(), due_blocks)
        # Any failure from here on unkeys, even if the key reportedly did not move: if in doubt, off.
        self._ptt.key(min(length_ms, OVER_MS_MAX))
        self._audio.play(samples, lambda problem: self._post(_Played(order.over, problem)))
        self._reports.put(OverStarted(order.over))

    def _is_stopped(self, over: int) -> bool:
        return self._is_closing or self._stopped_over == over

    def _stop(self, over: int) -> None:
        if self._over is not None and self._over.over == over:
            airtime_ms = self._unkey()
            with contextlib.suppress(OSError):
                self._audio.flush()
            self._reports.put(OverEnded(over, airtime_ms))

    def _played(self, over: int, problem: str) -> None:
        if self._over is None or self._over.over != over:
            return  # stopped before
        if problem:
            self._fail_over(problem)
            return
        airtime_ms = self._unkey()
        self._reports.put(OverEnded(over, airtime_ms))

    def _fail_over(self, detail: str) -> None:
        """Unkey first; then tell, if there was an over."""
        if self._over is None:
            return
        over = self._over.over
        airtime_ms = self._unkey()
        with contextlib.suppress(OSError):
            self._audio.flush()
        self._reports.put(OverFailed(over, display_text(detail, DETAIL_CHARS_MAX), airtime_ms))

    def _unkey(self) -> int:
        """Release the key, whatever it takes; returns how long it was held."""
        problem = self._let_go_of_key()
        now_ms = monotonic_ms()
        if problem is None:
            self._unkey_due_ms, self._unkey_failures = None, 0
        else:
            self._unkey_due_ms = now_ms + _UNKEY_AGAIN_MS[min(self._unkey_failures, len(_UNKEY_AGAIN_MS) - 1)]
            self._unkey_failures += 1
        self._key_check_due_ms = now_ms + _KEY_CHECK_EVERY_MS
        self._health.tell(KEY, problem)
        over, self._over = self._over, None
        if over is None:
            return 0  # what came in meanwhile is someone's
        self._deaf_until_ms = now_ms + _DEAF_AFTER_OVER_MS
        self._sense.forget()
        return now_ms - over.keyed_ms

    def _let_go_of_key(self) -> str | None:
        problem = None
        for _ in range(_UNKEY_TRIES):
            try:
                self._ptt.unkey()
            except OSError as e:
                problem = words(e)
            except Exception as e:
                # It ends neither the tries nor this thread: nobody else would release the key.
                logger.exception("the transmit key's driver failed")
                problem = words(e)
            else:
                return None
        return problem

    def _look_after_key(self, now_ms: int) -> None:
        if self._over is not None:
            return
        if self._unkey_due_ms is not None and now_ms >= self._unkey_due_ms:
            self._unkey()
        elif now_ms >= self._key_check_due_ms and not self._sense.is_busy:
            # A broken line is reported before anyone needs it.
            self._unkey()

    # The sound device.

    def _look_after_audio(self, now_ms: int) -> None:
        if self._is_audio_running:
            # Blocks are waiting, so the device works: this thread was busy, as when encoding an over.
            if not self._blocks and now_ms - self._last_block_ms > _SILENT_MS_MAX:
                self._lose_audio("the sound device has gone silent")
            return
        if now_ms < self._audio_due_ms:
            return
        self._audio_life += 1
        life = self._audio_life
        try:
            self._audio.start(self._on_block, lambda detail: self._post(_AudioLost(life, detail)))
        except OSError as e:
            self._retry_audio(words(e))
            return
        self._is_audio_running = True
        self._audio_retries = 0
        self._last_block_ms = monotonic_ms()
        self._health.tell("sound", None)

    def _lose_audio(self, detail: str) -> None:
        self._is_audio_running = False
        self._fail_over(detail)
        with contextlib.suppress(OSError):
            self._audio.close()
        self._blocks.clear()
        if self._sense.is_busy:
            self._sense.silence()
            self._reports.put(ChannelChanged(is_busy=False))
        self._retry_audio(detail)

    def _retry_audio(self, detail: str) -> None:
        self._audio_due_ms = monotonic_ms() + _RETRY_MS[min(self._audio_retries, len(_RETRY_MS) - 1)]
        self._audio_retries += 1
        self._health.tell("sound", detail)

    def _let_go(self) -> None:
        for close in (self._ptt.close, self._audio.close):
            with contextlib.suppress(OSError):
                close()
        self._codec.close()
