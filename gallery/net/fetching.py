"""Fetches photographs, one after the other, in a thread of its own that only reports."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Final, Protocol

from gallery.core.contact import FEW_PHOTOGRAPHS
from gallery.core.events import Event, PhotographsFailed, PhotographsStored
from gallery.net.connection import Office, OfficeConnection, Spare
from gallery.net.errors import EndedError, OfficeError
from gallery.net.pauses import pause_s
from wire.gallery_lines import PHOTOGRAPH_BYTES_MAX
from wire.gallery_paths import photograph_path

logger = logging.getLogger(__name__)

TRIES_MAX: Final = 5
"""In vain, one after the other. Then it is the core's turn, which orders them again once the office has answered."""
REPORTED_AT_ONCE: Final = 1_000
REPORTED_WITHIN_MS: Final = 1_000
"""Each report makes a sync of the disk, and a look at every line: with ten thousand people that is half a second."""


class PhotographsPort(Protocol):
    """What the thread needs from the store; :class:`gallery.store.photographs.Photographs` is one."""

    def keep(self, digest: str, data: bytes) -> None:
        """Store a file; raises if it is not what its digest says, or the disk refuses."""

    def settle(self) -> None:
        """Make durable what was kept."""


class Fetching:
    """The thread that fetches.

    Args:
        office: whom to ask.
        photographs: where they are kept.
        put: takes events; from this thread.
        now_ms: monotonic.
        pause: seconds before the next try, after so many failures and as long as the office asks for.
        spare: shared with the thread that asks, which needs it again as soon as all is fetched.
    """

    def __init__(
        self,
        office: Office,
        photographs: PhotographsPort,
        put: Callable[[Event], None],
        now_ms: Callable[[], int],
        *,
        pause: Callable[[int, int], float] = pause_s,
        spare: Spare | None = None,
    ) -> None:
        self._lock = threading.RLock()
        self._changed = threading.Condition(self._lock)
        self._connection = OfficeConnection(office, self._lock, spare)
        self._photographs = photographs
        self._put = put
        self._now_ms = now_ms
        self._pause = pause
        self._waiting: deque[str] = deque()
        self._fetched = ""
        self._is_dropped = False
        self._keeping = threading.Lock()
        """Held while a file is written, and while it is said that none of some is any more."""
        self._stored: list[str] = []
        self._stored_ms = 0
        self._is_stopping = False
        self._thread = threading.Thread(target=self._run, name="gallery files", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def fetch(self, digests: Iterable[str]) -> None:
        """Fetch these, those first that stand first, before what was ordered earlier: they are newer."""
        with self._lock:
            self._waiting.extendleft(reversed(tuple(digests)))
            self._changed.notify_all()

    def drop(self, digests: Iterable[str]) -> None:
        """Fetch none of these. Once it returns, none of them is written any more, or reported as stored."""
        dropped = frozenset(digests)
        with self._lock:
            self._waiting = deque(one for one in self._waiting if one not in dropped)
            self._is_dropped |= self._fetched in dropped
        with self._keeping:
            self._stored = [one for one in self._stored if one not in dropped]

    def stop(self, timeout_s: float = 5.0) -> bool:
        """Fetch nothing more; returns whether the thread has ended in time."""
        with self._lock:
            self._is_stopping = True
            self._connection.end()
            self._changed.notify_all()
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        failures = 0
        while (digest := self._next()) is not None:
            try:
                self._fetch(digest)
            except EndedError:
                break
            except OfficeError as e:
                if e.status == HTTPStatus.NOT_FOUND:
                    # The ban was lifted or changed meanwhile; the next answer says so.
                    self._fail((digest,), str(e))
                    continue
                failures += 1
                self._again(digest, failures, e)
                failures %= TRIES_MAX
                continue
            except Exception as e:  # noqa: BLE001 - a full disk, or a file that is another
                logger.warning("a photograph is not kept: %s", e)
                self._fail((digest,), f"{type(e).__name__}: {e}")
            failures = 0
        self._connection.hang_up()

    def _next(self) -> str | None:
        """The next one, as soon as there is one; ``None`` = it is over."""
        with self._lock:
            is_idle = not self._waiting
        if is_idle:
            self._connection.lend()
        if is_idle or len(self._stored) >= REPORTED_AT_ONCE or self._is_report_due():
            self._report()
        with self._lock:
            self._changed.wait_for(lambda: self._waiting or self._is_stopping)
            if self._is_stopping:
                return None
            self._fetched, self._is_dropped = self._waiting.popleft(), False
            return self._fetched

    def _is_report_due(self) -> bool:
        return bool(self._stored) and self._now_ms() - self._stored_ms >= REPORTED_WITHIN_MS

    def _report(self) -> None:
        with self._keeping:
            stored, self._stored = frozenset(self._stored), []
        if not stored:
            return
        self._photographs.settle()
        self._put(PhotographsStored(stored))

    def _fetch(self, digest: str) -> None:
        with self._lock:
            then = photograph_path(self._waiting[0]) if self._waiting else ""
            # The question is not kept waiting for more. Asked by another connection, it would not tell the office that
            # the keys have come that it sent by this one.
            is_few = len(self._waiting) < FEW_PHOTOGRAPHS
        data = self._connection.get(
            photograph_path(digest),
            PHOTOGRAPH_BYTES_MAX,
            lambda: not self._is_stopping,
            may_borrow=is_few,
            then=then,
        )
        with self._keeping:
            if self._is_dropped:
                return
            self._photographs.keep(digest, data)
            if not self._stored:
                self._stored_ms = self._now_ms()
            self._stored.append(digest)

    def _again(self, digest: str, failures: int, error: OfficeError) -> None:
        """Later, or never: then everything that waits has failed."""
        self._report()
        if failures < TRIES_MAX:
            with self._lock:
                if not self._is_dropped:
                    self._waiting.appendleft(digest)
                self._changed.wait_for(lambda: self._is_stopping, self._pause(failures, error.retry_s))
            return
        with self._lock:
            failed = (digest, *self._waiting)
            self._waiting.clear()
        self._fail(failed, str(error))

    def _fail(self, digests: tuple[str, ...], reason: str) -> None:
        self._put(PhotographsFailed(frozenset(digests), reason))
