"""The composition root of the machine port: town, galleries, store, server."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import ssl
import time
from collections.abc import Callable
from typing import Final

from starlette.applications import Starlette
from starlette.routing import Route

from office.gallery.line_keys import TextKeys
from office.nodes.answering import Answering
from office.nodes.asking import Asking
from office.nodes.config import Configuration
from office.nodes.galleries import Galleries
from office.nodes.handlers.contact import Contact
from office.nodes.handlers.directory import Directories
from office.nodes.handlers.files import Files
from office.nodes.handlers.page_certificates import PageCertificates
from office.nodes.handlers.reports import BreachReports
from office.nodes.handlers.views import Views
from office.nodes.outcomes import NodeOutcomes
from office.nodes.page_issuer import PageIssuer
from office.nodes.reports import NEVER_S, Reports
from office.nodes.staff import Staff
from office.nodes.store import FILE_NAME, Store
from office.nodes.waiting import Waiting
from office.nodes.who_is_who import who_is_who
from runtime.config import ConfigError
from runtime.key_file import read_key
from runtime.logs import FactLog
from runtime.service import Service
from runtime.stop_request import StopRequest
from runtime.tls import server_context
from runtime.web_server import WebServer, listen, url_of
from wire.gallery_paths import (
    CONTACT_PATH,
    DIRECTORY_PATH,
    LINES_PATH,
    PAGE_CERTIFICATE_PATH,
    PHOTOGRAPH_PATH,
    REPORTS_PATH,
    ROWS_PATH,
    VIEWS_PATH,
)
from wire.snapshots import Town

logger = logging.getLogger(__name__)

LOOK_S: Final = 0.25
SETTLE_AGAIN_S: Final = 5.0
"""After the disk was full."""
"""Between two looks at the files: who is struck is cut off within that."""
CONNECTIONS_MAX: Final = 800
"""Five hundred that wait, and those that fetch something meanwhile."""


class MachinePort:
    """The whole program: construct, :meth:`run`.

    Raises:
        ConfigError: a file cannot be used.
        StoreError: the store cannot be used.
        OSError: the port is taken, or the disk refuses.
    """

    def __init__(self, configuration: Configuration, facts: FactLog, service: Service) -> None:
        self._facts = facts
        self._service = service
        file, at = configuration.file, configuration.at
        town = Town(configuration.authority)
        self._who = who_is_who(configuration)
        gallery_key = read_key(at(file.keys.gallery_key_file), "gallery key")
        text_keys = TextKeys(gallery_key, town)
        photographs_key = read_key(at(file.keys.photographs_key_file), "photographs' key")
        self.galleries = Galleries(at(file.snapshots), town, lambda: self._who.directory.office_keys, text_keys)
        self.staff = Staff(at(file.snapshots), gallery_key)
        # What cannot be used is told before anything is opened.
        issuer = _page_issuer(configuration)
        tls = server_context(
            at(file.web.certificate_file), at(file.web.key_file), clients_ca_file=at(file.town.issuers_file)
        )
        without_resumption(tls)
        at(file.state_dir).mkdir(mode=0o750, exist_ok=True)
        self._outcomes = NodeOutcomes(at(file.snapshots))
        self._store = Store(at(file.state_dir) / FILE_NAME, town)
        self._reports = Reports(self._store, facts, file.views_days)
        self.waiting = Waiting()
        self._asking = Asking(self._who)
        answering = Answering(
            town,
            self.galleries,
            text_keys,
            photographs_key,
            self._store,
            staff=self.staff,
            outcomes=self._outcomes,
        )
        contact = Contact(self._asking, answering, self.waiting, self._reports)
        pages = PageCertificates(self._asking, issuer, facts)
        files = Files(self._asking, self.galleries, answering)
        app = Starlette(
            routes=[
                Route(CONTACT_PATH, contact.answer, methods=["POST"]),
                Route(VIEWS_PATH, Views(self._asking, self._reports).answer, methods=["POST"]),
                Route(DIRECTORY_PATH, Directories(self._asking, self._who).newest),
                Route(PAGE_CERTIFICATE_PATH, pages.answer, methods=["POST"]),
                Route(REPORTS_PATH, BreachReports(self._asking, self._reports).answer, methods=["POST"]),
                Route(LINES_PATH, files.lines),
                Route(ROWS_PATH, files.rows),
                Route(PHOTOGRAPH_PATH, files.photograph),
            ]
        )
        listener = listen(file.web.host, file.web.port, has_tls=True)
        self._web = WebServer(app, listener, tls=tls, end_streams=self.waiting.close, connections=CONNECTIONS_MAX)
        self._settle_at = NEVER_S
        self._told: str | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self.url = url_of(listener, has_tls=True)
        facts.write("listening", url=self.url)

    def run(self, should_stop: StopRequest) -> None:
        """Serve until ``should_stop`` is set.

        Raises:
            RuntimeError: the server has ended by itself.
        """
        self.galleries.look()
        self._look_at_outcomes()
        self._reports.note_directory(self._who.directory)
        self._loop = self._web.start_thread()
        self._service.ready()
        while not should_stop.wait(LOOK_S):
            self.look()
            alarm = self._who.alarm or self.galleries.alarm(int(time.time()))
            self._reports.tidy(alarm)
            self._tell(alarm)
            self._service.watchdog()
            if self._web.join_thread(0):
                raise RuntimeError("the server has ended")
        self._service.stopping()
        self._web.stop()
        self._web.join_thread()
        self._reports.flush()
        self._store.close()

    @property
    def directory_serial(self) -> int:
        """Of the directory by which nodes are answered now."""
        return self._who.directory.serial

    def look(self) -> None:
        """See what is new of the town, of the galleries, of staff and of outcomes, and tell whoever waits."""
        is_other_town = self._who.look()
        is_new = self.galleries.look()
        if self.staff.look():
            is_new, self._settle_at = True, time.monotonic()
        if time.monotonic() >= self._settle_at:
            is_done = self._reports.settle(self.staff.broken_cards)
            self._settle_at = NEVER_S if is_done else time.monotonic() + SETTLE_AGAIN_S
        is_new = self._look_at_outcomes() or is_new
        # At each look: a certificate's or a list's time may be over. Before anybody is woken, so that who waits and is
        # nobody any more is cut off and told nothing.
        self._on_loop(self._asking.close_refused)
        if is_new or is_other_town:
            self._on_loop(self.waiting.wake)
        if is_other_town:
            self._reports.note_directory(self._who.directory)

    def _look_at_outcomes(self) -> bool:
        is_new = self._outcomes.look()
        if is_new:
            self._reports.note_taken(self._outcomes.taken)
        return is_new

    def _tell(self, alarm: str) -> None:
        if alarm != self._told:
            self._told = alarm
            if alarm:
                logger.error("%s", alarm)
            self._service.status(alarm or "answering")
            self._facts.write("answering nodes", alarm=alarm)

    def _on_loop(self, call: Callable[[], None]) -> None:
        if self._loop is not None:
            # At the end the loop may be closed already.
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(call)


def _page_issuer(configuration: Configuration) -> PageIssuer | None:
    table, at = configuration.file.pages, configuration.at
    files = (table.certificate_file, table.key_file, table.root_file)
    if not any(files):
        return None
    if not all(files):
        raise ConfigError(
            f"{configuration.path}: keys pages.certificate_file, pages.key_file and pages.root_file: give all or none"
        )
    return PageIssuer(*map(at, files))


def without_resumption(context: ssl.SSLContext) -> None:
    """Give out no session tickets: whoever is revoked would come in again without showing a certificate."""
    context.num_tickets = 0
    context.options |= ssl.OP_NO_TICKET
