"""The composition root of the publisher: database, key, folder, server."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from office.breaches.desk import BreachDesk
from office.config import Configuration
from office.founding import make_secret
from office.publisher import changes
from office.publisher.galleries import GalleryPublishing
from office.publisher.publishing import Publishing
from office.publisher.shelf import STATE_FILE, PublishedHead, Shelf
from office.publisher.staff import StaffPublishing
from office.readiness import check_database
from runtime.config import ConfigError
from runtime.key_file import read_key
from runtime.logs import FactLog
from runtime.service import Service
from runtime.stop_request import StopRequest
from wire.signing import SigningKey
from wire.snapshots import SnapshotName

if TYPE_CHECKING:
    from office.publisher.serving import Counter
    from runtime.web_server import WebServer

logger = logging.getLogger(__name__)

LOOK_S: Final = 0.25
"""Between two looks at the database. With a reader's own interval, a change is in use within a second or so."""


class Publisher:
    """The whole program: construct, :meth:`run`.

    Raises:
        ConfigError: a key, certificate or folder cannot be used.
        NotReadyError: the database does not answer, is older than this program, or does not protect its audit.
        OSError: the port is taken.
    """

    def __init__(self, configuration: Configuration, facts: FactLog, service: Service) -> None:
        self._facts = facts
        self._service = service
        check_database(configuration)
        folder = configuration.snapshots_folder
        try:
            folder.mkdir(mode=0o750, exist_ok=True)
        except OSError as e:
            raise ConfigError(f"{folder}: the folder of snapshots cannot be made: {e.strerror}") from e
        key = SigningKey(read_key(configuration.snapshot_key_file, "snapshot key"))
        ticket_key = read_key(configuration.ticket_public_file, "public half of the ticket key")
        shelf = Shelf(folder, configuration.town, key.public)
        self._counter: Counter | None = None
        self._web = self._server(configuration, shelf)
        self._publishing = Publishing(
            shelf,
            PublishedHead(configuration.snapshot_key_file.with_name(STATE_FILE), shelf),
            configuration.town,
            key=key,
            ticket_key=ticket_key,
            on_published=self._tell,
            galleries=GalleryPublishing(
                shelf,
                configuration.town,
                key,
                configuration.photographs_folder,
                gallery_key=gallery_key(configuration),
                on_published=self._tell_gallery,
                lease_s=configuration.publisher.gallery_lease_days * 86_400,
                on_step=service.watchdog,
            ),
            staff=StaffPublishing(folder, gallery_key(configuration)),
        )
        self._desk = BreachDesk(configuration.nodes_file, folder, changes.mark, self._tell_taken)

    def run(self, should_stop: StopRequest) -> bool:
        """Publish until ``should_stop`` is set. Returns whether the audit is in order."""
        if self._web is not None and self._counter is not None:
            self._counter.attach(self._web.start_thread())
        said = None
        self._publishing.look()
        self._service.ready()
        while not should_stop.wait(LOOK_S):
            self._desk.look()
            self._publishing.look()
            self._service.watchdog()
            status = self._publishing.alarm or self._publishing.fault or "publishing"
            if status != said:
                self._service.status(status)
                self._facts.write("publishing", alarm=self._publishing.alarm, fault=self._publishing.fault)
                said = status
            if self._web is not None and self._web.join_thread(0):
                raise RuntimeError("the server of snapshots has ended")
        self._service.stopping()
        if self._web is not None:
            self._web.stop()
            self._web.join_thread()
        return not self._publishing.alarm

    def _tell(self, name: SnapshotName, number: int) -> None:
        if self._counter is not None:
            self._counter.note(name, number)
        self._facts.write("snapshot_published", name=name, number=number)

    def _tell_gallery(self, name: str, number: int) -> None:
        self._facts.write("gallery_published", name=name, number=number)

    def _tell_taken(self, reports: int) -> None:
        self._publishing.look_again()
        self._facts.write("reports_taken", reports=reports)

    def _server(self, configuration: Configuration, shelf: Shelf) -> WebServer | None:
        table = configuration.publisher
        files = (table.certificate_file, table.key_file, table.clients_ca_file)
        if not any(files):
            return None
        if not all(files):
            raise ConfigError(
                f"{configuration.file}: keys publisher.certificate_file, publisher.key_file and"
                " publisher.clients_ca_file: give all three or none"
            )
        # Five megabytes, which a publisher that writes files alone does without.
        from office.publisher.serving import Counter, context_for_central  # noqa: PLC0415
        from runtime.web_server import WebServer, listen, url_of  # noqa: PLC0415

        self._counter = Counter(shelf)
        tls = context_for_central(*map(configuration.path, files))
        listener = listen(table.host, table.port, has_tls=True)
        self._facts.write("listening", url=url_of(listener, has_tls=True))
        return WebServer(self._counter.app, listener, tls=tls, end_streams=self._counter.close)


def gallery_key(configuration: Configuration) -> bytes:
    """Made at the first start, or if it is lost: then every line is sealed anew, and nobody loses anything."""
    make_secret(configuration.gallery_key_file)
    return read_key(configuration.gallery_key_file, "key keys.gallery_key_file")
