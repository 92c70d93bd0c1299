"""The composition root: one loop, in which nothing waits for anybody else's endpoint."""

from __future__ import annotations

import asyncio
import logging
import ssl
from typing import Final

from notifier.central_socket import CentralSocket, own_user
from notifier.config import Configuration
from notifier.desk import Desk, Message
from notifier.outcome import NotSent, Outcome, Sent
from notifier.push import PushSender
from notifier.texts import SENTENCES, sentence
from runtime.logs import FactLog
from runtime.monotonic import monotonic_ms
from runtime.service import Service
from wire.notices import VERSION, CentralLine, Delivered, Failed, Hello, Notice, NotifierLine, Reason
from wire.snapshots import Way

logger = logging.getLogger(__name__)

PAUSES_S: Final = (1.0, 2.0, 4.0)
"""Before each further attempt. The other side may ask for longer; then it is waited if the notice is still worth it."""
AGAIN: Final = frozenset({Reason.TOO_MANY, Reason.UNREACHED})
"""What may be over in a moment. What did not answer may have gone out."""
WAKE_S: Final = 5.0


class NotifierApp:
    """The whole program: :meth:`run` until :meth:`stop`.

    Raises:
        OSError: the authorities' file cannot be read.
    """

    def __init__(self, configuration: Configuration, facts: FactLog, service: Service) -> None:
        self._facts = facts
        self._service = service
        self._page = configuration.file.central.page
        tls = ssl.create_default_context()
        if configuration.ca_file is not None:
            tls.load_verify_locations(configuration.ca_file)
        self._push = PushSender(configuration.key, tls, configuration.allowed)
        self._gateways = configuration.gateways
        ways: tuple[Way, ...] = ("push", *configuration.gateways)
        self._desk = Desk(ways)
        hello = Hello(version=VERSION, ways=ways, key=configuration.key.public, occasions=(*SENTENCES,))
        user = own_user() if configuration.user is None else configuration.user
        self._socket = CentralSocket(configuration.socket, user, hello, self._take)
        self._news = asyncio.Event()
        self._sending: set[asyncio.Task[None]] = set()
        self._stopping = False

    def stop(self) -> None:
        """Ask :meth:`run` to end. On the loop's thread, or in a signal handler of its loop."""
        self._stopping = True
        self._news.set()

    async def run(self) -> None:
        """Serve.

        Raises:
            OSError: the socket cannot be made.
        """
        await self._socket.listen()
        self._facts.write("listening")
        self._service.ready()
        interval_ms = self._service.watchdog_interval_ms
        wake_s = WAKE_S if interval_ms is None else min(WAKE_S, interval_ms / 2_000)
        try:
            while not self._stopping:
                self._service.watchdog()
                self._news.clear()
                self._send_due()
                next_ms = self._desk.next_ms()
                pause_s = wake_s if next_ms is None else min(wake_s, max(0.0, (next_ms - monotonic_ms()) / 1_000))
                try:
                    async with asyncio.timeout(pause_s):
                        await self._news.wait()
                except TimeoutError:
                    pass
        finally:
            self._service.stopping()
            self._socket.close()
            for task in self._sending:
                task.cancel()

    def _take(self, line: CentralLine) -> None:
        if isinstance(line, Notice):
            for said in self._desk.take(line, monotonic_ms()):
                self._say(said)
        else:
            for said in self._desk.call_off(line.reference):
                self._say(said)
        self._news.set()

    def _send_due(self) -> None:
        for one in self._desk.due(monotonic_ms()):
            if isinstance(one, Message):
                task = asyncio.create_task(self._send(one))
                self._sending.add(task)
                task.add_done_callback(self._sending.discard)
            else:
                self._say(one)

    async def _send(self, message: Message) -> None:
        try:
            outcome = await self._tried(message)
        except Exception:
            logger.exception("a notice could not be sent")
            outcome = NotSent(Reason.OWN_FAULT, "The notifier has a fault. Its log says which.")
        for said in self._desk.settle(message, outcome):
            self._say(said)
        self._news.set()

    async def _tried(self, message: Message) -> Outcome:
        outcome = await self._attempt(message)
        for pause_s in PAUSES_S:
            if isinstance(outcome, Sent) or outcome.reason not in AGAIN or not self._desk.is_wanted(message):
                break
            wait_s = max(pause_s, outcome.again_s or 0.0)
            if monotonic_ms() + wait_s * 1_000 >= message.until_ms:
                break
            await asyncio.sleep(wait_s)
            if not self._desk.is_wanted(message):
                break
            outcome = await self._attempt(message)
        if not isinstance(outcome, Sent) and not self._desk.is_wanted(message):
            return NotSent(Reason.CALLED_OFF, "It was answered before it went out.")
        return outcome

    async def _attempt(self, message: Message) -> Outcome:
        lead = message.lead

        def left_s() -> float:
            return (message.until_ms - monotonic_ms()) / 1_000 if self._desk.is_wanted(message) else 0.0

        if lead.way == "push":
            return await self._push.send(lead, left_s)
        return await self._gateways[lead.way].send(lead.to or "", sentence(lead, self._page), left_s)

    def _say(self, line: NotifierLine) -> None:
        # A fact names no address and nobody: how many went which way is for whoever watches the program.
        if isinstance(line, Delivered):
            self._facts.write("delivered", request=line.request)
        elif isinstance(line, Failed):
            self._facts.write("failed", request=line.request, reason=line.reason)
        self._socket.say(line)
