"""Text messages and e-mail, by a gateway that the engineer has configured as an address of Apprise.

Apprise waits, so each way has its own few threads: a text gateway that hangs holds up no e-mail and no push. Apprise
answers yes or no; why not is in what it logs, which is kept here and goes to no log, for it may name the person. What
a connection ended with is told at level DEBUG. Of a text gateway it may hold a password: it is judged, and never shown.
"""

from __future__ import annotations

import asyncio
import logging
import re
import threading
from collections.abc import Callable
from functools import partial
from typing import Final
from urllib.parse import quote

import apprise

from notifier.outcome import Outcome, Sent, not_sent
from notifier.threads import Threads
from wire.notices import Reason

ATTEMPT_S: Final = 20.0
PLACE_S: Final = 10.0
"""How long one waits for a thread: with the attempt within the thirty seconds that central is promised."""
CONNECT_S: Final = 5
READ_S: Final = 12
AT_ONCE_MAX: Final = 8
TO: Final = "{to}"
"""Stands in the gateway's address for that of the person."""
TITLE: Final = "Watchlink"
_STATUS: Final = re.compile(r"error\s*=\s*(\d{3})")
_REPLY: Final = re.compile(r"""\((\d{3}), b(['"])(.*?)\2[,)]""")
"""A mail server's, as Python's smtplib shows it (RFC 5321, section 4.2)."""
_ENDED: Final = "Socket Exception: "
"""How Apprise says what a connection ended with."""
_UNANSWERED: Final = re.compile("Read timed out|Connection aborted")
"""It ended after the request, as the library of HTTP says: the message may have gone out."""
_NO_MONEY: Final = re.compile(r"credit|balance|funds|payment required", re.IGNORECASE)
_PRIVATE: Final = re.compile(r"\+?\d{5,}|\S+@\S+|\S+://\S+")
_REASONS: Final = {3: Reason.REDIRECTED, 4: Reason.REFUSED, 5: Reason.TOO_MANY}
_PAYMENT_REQUIRED: Final = 402
_TOO_MANY_REQUESTS: Final = 429


class _Heard(logging.Handler):
    """Keeps what a thread logs while it tries."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self._of_thread = threading.local()

    def begin(self) -> None:
        self._of_thread.lines = []

    def lines(self) -> list[str]:
        found: list[str] = self._of_thread.lines
        return found

    def emit(self, record: logging.LogRecord) -> None:
        lines = getattr(self._of_thread, "lines", None)
        if lines is None or len(lines) >= _LINES_MAX:
            return
        if record.levelno >= logging.WARNING or str(record.msg).startswith(_ENDED):
            lines.append(record.getMessage())


_LINES_MAX: Final = 16
_heard: Final = _Heard()
# All that it logs may name people: it goes here, and no further.
_log: Final = logging.getLogger("apprise")
_log.handlers = [_heard]
_log.setLevel(logging.DEBUG)
_log.propagate = False


class Gateway:
    """One way, at one gateway.

    Args:
        name: what it is, for the operator: "text gateway".
        url: Apprise's address, with ``{to}``.
    """

    def __init__(self, name: str, url: str) -> None:
        self._name = name
        self._url = url
        self._threads = Threads(name.replace(" ", "-"), AT_ONCE_MAX)
        self._asset = apprise.AppriseAsset(
            app_id=TITLE, http_redirects=False, async_mode=False, storage_mode=apprise.PersistentStoreMode.MEMORY
        )

    def fault(self) -> str:
        """Why its address cannot be used; empty = it can."""
        if TO not in self._url:
            return f"the address has no {TO} where the person's goes"
        if self._made("+447700900123" if self._name == SMS else "a@example.net") is None:
            return "not an address of a gateway that Apprise knows"
        return ""

    async def send(self, to: str, sentence: str, left_s: Callable[[], float]) -> Outcome:
        """One attempt. Never raises but for cancellation.

        Args:
            to: the person's number or address.
            sentence: what to tell.
            left_s: for how long it is still worth sending; 0 or less = no longer.
        """
        busy = f"The {self._name} is kept busy by others."
        try:
            async with asyncio.timeout(PLACE_S):
                await self._threads.place()
        except TimeoutError:
            return not_sent(Reason.TOO_MANY, busy)
        if left_s() <= 0:
            self._threads.leave()
            return not_sent(Reason.EXPIRED, busy)
        try:
            async with asyncio.timeout(ATTEMPT_S):
                return await self._threads.run(partial(self._notify, to, sentence))
        except TimeoutError:
            return not_sent(Reason.NO_ANSWER, f"The {self._name} did not answer in time.")

    def _notify(self, to: str, sentence: str) -> Outcome:
        service = self._made(to)
        if service is None:
            return not_sent(Reason.BAD_ADDRESS, f"The {self._name} cannot be given this address.")
        _heard.begin()
        title = "" if self._name == SMS else TITLE
        if service.notify(body=sentence, title=title, body_format=apprise.NotifyFormat.TEXT):
            return Sent()
        return self._judged(_heard.lines())

    def _made(self, to: str) -> apprise.NotifyBase | None:
        service = apprise.Apprise.instantiate(
            self._url.replace(TO, quote(to, safe="")), asset=self._asset, suppress_exceptions=True
        )
        if service is not None:
            service.socket_connect_timeout = CONNECT_S
            service.socket_read_timeout = READ_S
        return service

    def _judged(self, lines: list[str]) -> Outcome:  # noqa: PLR0911 - each end has its words
        said = " ".join(line for line in lines if not line.startswith(_ENDED))
        ended = " ".join(line.removeprefix(_ENDED) for line in lines if line.startswith(_ENDED))
        words = _PRIVATE.sub("…", said)
        if reply := _REPLY.search(ended):
            # 4xx may be over in a moment, 5xx is for good (RFC 5321, section 4.2.1).
            reason = Reason.TOO_MANY if reply[1].startswith("4") else Reason.REFUSED
            return not_sent(reason, f"The {self._name} says no: {reply[1]} {_PRIVATE.sub('…', reply[3])}")
        found = _STATUS.search(said)
        status = int(found[1]) if found else 0
        if status == _PAYMENT_REQUIRED or _NO_MONEY.search(said):
            return not_sent(Reason.NO_CREDIT, f"The {self._name} is out of credit.")
        if status == _TOO_MANY_REQUESTS:
            return not_sent(Reason.TOO_MANY, f"The {self._name} is sent too much.")
        if status:
            return not_sent(_REASONS.get(status // 100, Reason.REFUSED), f"The {self._name} says no: {words}")
        if "onnection error" in said and not _UNANSWERED.search(ended):
            why = _PRIVATE.sub("…", ended) if self._name == EMAIL else words
            return not_sent(Reason.UNREACHED, f"The {self._name} cannot be reached: {why}")
        if ended:
            return not_sent(Reason.NO_ANSWER, f"The {self._name} did not answer in time.")
        return not_sent(Reason.REFUSED, f"The {self._name} did not take it: {words or 'it gave no reason'}")


SMS: Final = "text gateway"
EMAIL: Final = "mail server"
