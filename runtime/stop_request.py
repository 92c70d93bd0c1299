"""That a program is asked to end, by SIGTERM or SIGINT."""

from __future__ import annotations

import os
import select
import signal
from types import FrameType


class StopRequest:
    """Like :class:`threading.Event`, but a signal handler may set it while the same thread waits for it.

    A handler runs wherever that thread stands, also where an event holds its own lock: ``set`` would wait for that
    lock for ever, and the program would not end. The kernel's counter needs none.
    """

    def __init__(self) -> None:
        self._asked = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)

    def set(self) -> None:
        """Ask."""
        os.eventfd_write(self._asked, 1)

    def wait(self, timeout_s: float) -> bool:
        """Whether the program is asked to end, at the latest after ``timeout_s``."""
        return bool(select.select([self._asked], [], [], timeout_s)[0])


def stop_request() -> StopRequest:
    """One that SIGTERM and SIGINT make, from now on. Only the main thread may call this."""
    request = StopRequest()

    def ask_to_stop(_signal: int, _frame: FrameType | None) -> None:
        request.set()

    signal.signal(signal.SIGTERM, ask_to_stop)
    signal.signal(signal.SIGINT, ask_to_stop)
    return request
