"""The composition root: the only place that picks the database, the broker's link and the web server."""

from __future__ import annotations

import logging
import secrets
import threading
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Final

from central.certificates import LISTS_FILE, certificate_files, certificate_trouble, end_of, lists_trouble
from central.clock import CentralClock, machine_boot
from central.config import Configuration
from central.core import effects as do
from central.core import events as ev
from central.core.machine import CentralCore
from central.core.rights import rights_of
from central.counters import OwnCounters
from central.directory_file import DirectoryFile, DirectoryWatcher, Newest, open_kept
from central.live import LiveBoard
from central.lookout import Lookout
from central.loop import IntakeLoop
from central.net.announcer import Announcer
from central.net.broker import BrokerLinks
from central.net.inbox import Inbox
from central.net.notifier import NotifierLink, Report
from central.phones import Phones, PhonesError
from central.proofs import FLEETS_PROOF, proof_trouble
from central.quarantine import Quarantine
from central.settings_file import SettingsWatcher
from central.signin.errors import RecordError
from central.signin.gate import Gate
from central.store.database import Database
from central.store.errors import StoreError
from central.store.phones import PhoneTable
from central.store.recalling import recall, recall_open
from central.store.sessions import SessionTable
from central.telling import Telling
from central.web.app import create_app
from central.web.guard import Site
from runtime.backup_record import read_record
from runtime.backup_rules import trouble as backup_trouble
from runtime.logs import FactLog
from runtime.service import Service
from runtime.snapshot_fetcher import Credentials, SnapshotFetcher
from runtime.snapshot_folder import SnapshotFolder
from runtime.stop_request import StopRequest
from runtime.tls import server_context
from runtime.web_server import WebServer, listen, url_of
from wire.fleet_files import PROOF
from wire.notices import Notice
from wire.signing import PublicKey
from wire.snapshots import People, Premises, Rota, SnapshotName, Town

logger = logging.getLogger(__name__)

STOP_WITHIN_S: Final = 1.0
REFERENCES_DOMAIN: Final = b"watchlink/1/references\0"
"""What is signed by it is never shown to anybody: it hides which incident a notice names."""
NOTICE: Final = "Everything you do here is recorded with your name."
ALONE: Final = "Only this computer can open this page."


class Central:
    """The whole program: construct, :meth:`start`, :meth:`wait`, :meth:`stop`."""

    _failed = False
    _telling: Telling | None = None
    """Without a notifier nobody is told by phone."""

    def __init__(self, configuration: Configuration, facts: FactLog, service: Service) -> None:
        """Open the database and the page's socket; nothing runs yet.

        Raises:
            StoreError: the database cannot be opened.
            OSError: the page's port is taken.
            ConfigError: a TLS file cannot be used.
        """
        self._facts = facts
        self._service = service
        self._has_ended = threading.Event()
        try:
            self._listener = listen(configuration.web_host, configuration.web_port, has_tls=bool(configuration.web_tls))
        except OSError as e:
            address = f"{configuration.web_host} port {configuration.web_port}"
            raise OSError(f"the page cannot listen on {address}: {e.strerror}") from e
        files = configuration.web_tls
        tls = server_context(files.certificate_file, files.key_file) if files else None
        self._has_tls = tls is not None
        self._inbox: Inbox[ev.Event] = Inbox()
        self._link = BrokerLinks(configuration.mqtt, configuration.alerts_mqtt, self._inbox)
        self._database = Database(configuration.database)
        self._database.open()
        clock = CentralClock()
        now_at = clock.now()
        newest = open_kept(self._database.kept_directory(), configuration.authority)
        file = DirectoryFile(
            configuration.directory_file,
            configuration.authority,
            newest.directory,
            clock.readings,
            configuration.delegated_directory_file,
        )
        first = file.look()
        if isinstance(first, ev.DirectoryChanged):
            newest = Newest(first.directory, first.data)
            self._keep(newest, now_at)
        elif first is not None:
            self._inbox.put(first)
        core = CentralCore()
        earlier = self._begin_time(clock, now_at)
        recalled = recall(self._database, now_at)
        started = ev.Started(secrets.token_hex(8), newest.directory, newest.data, recalled, earlier)
        orders = core.handle(started, now_at)
        board = next(order.board for order in orders if isinstance(order, do.ShowBoard))
        self._live = LiveBoard(board, self._inbox.put)
        counters = OwnCounters(self._database.reserve_counters, clock.now)
        self._loop = IntakeLoop(
            core,
            store=self._database,
            inbox=self._inbox,
            announcer=Announcer(
                self._link.publish,
                configuration.signing_key,
                counters.next,
                lambda: int(clock.now().timestamp()),
            ),
            screen=self._live,
            facts=facts,
            service=service,
            raise_counter=counters.raise_above,
            set_aside=Quarantine(configuration.quarantine_dir).keep,
            recall_open=partial(recall_open, self._database),
            clock=clock.now,
            wall_ahead=clock.wall_ahead,
            tell=self._tell,
        )
        self._loop.begin(orders)
        self._office_keys = newest.directory.office_keys
        self._watcher = DirectoryWatcher(file, self._take_directory)
        self._sessions = SessionTable(self._database)
        self._phone_table = PhoneTable(self._database)
        town = Town(configuration.authority)
        try:
            self._gate = Gate(town, self._sessions, clock.now, office_url=configuration.office_url)
        except RecordError as e:
            raise StoreError(str(e)) from e
        self._snapshots = self._watch_office(configuration, town) if configuration.office_url else ()
        self._others: tuple[SnapshotFetcher | Lookout | SettingsWatcher | NotifierLink, ...] = (
            SettingsWatcher(configuration.settings_file, configuration.authority, self._inbox.put),
            *self._fetch(configuration),
            *self._watch_backups(configuration, clock),
            self._watch_certificates(configuration, clock),
        )
        app = create_app(
            self._live,
            self._gate,
            inter_font_dir=configuration.inter_font_dir,
            notice=NOTICE if configuration.web_tls else f"{ALONE} {NOTICE}",
            phones=self._reach_phones(configuration, clock),
            site=Site(configuration.web_names, bool(configuration.web_tls), self._listener.getsockname()[1]),
        )
        self._web = WebServer(app, self._listener, tls=tls, end_streams=app.state.feed.close)
        self._thread = threading.Thread(target=self._run, name="intake", daemon=True)

    @property
    def url(self) -> str:
        """Of the page: ``http://127.0.0.1:8080/``."""
        return url_of(self._listener, has_tls=self._has_tls)

    def start(self) -> None:
        """Start every part and report readiness, with or without a broker."""
        for folder in self._snapshots:
            # Once before anybody asks: whoever is signed in is so from the first moment.
            folder.look()
            folder.start()
        for other in self._others:
            other.start()
        self._live.attach(self._web.start_thread())
        self._thread.start()
        self._watcher.start()
        self._link.start()
        self._facts.write("listening", url=self.url)
        self._service.ready()

    def wait(self, should_stop: StopRequest) -> None:
        """Wait until ``should_stop`` is set or an essential part has failed."""
        while not should_stop.wait(0.2):
            self._link.look()
            if self._has_ended.is_set():
                return
            if self._live.is_broken:
                # The journal is on disk: a restart shows the true state within seconds.
                self._failed = True
                return
            if self._web.join_thread(0):
                logger.error("the page's server has ended")
                self._failed = True
                return

    def stop(self) -> bool:
        """Commit and answer what has arrived, then end: in two seconds unless a thread hangs. False = a part failed."""
        self._service.stopping()
        self._watcher.stop()
        for one in (*self._others, *self._snapshots):
            one.stop()
        self._web.stop()
        self._loop.stop()
        self._thread.join(STOP_WITHIN_S)
        self._link.stop()
        self._web.join_thread(STOP_WITHIN_S)
        if not self._thread.is_alive():
            self._database.close()
        self._sessions.close()
        self._phone_table.close()
        return not self._failed

    def _watch_office(
        self, configuration: Configuration, town: Town
    ) -> tuple[SnapshotFolder[People], SnapshotFolder[Premises], SnapshotFolder[Rota]]:
        def keys() -> tuple[PublicKey, ...]:
            return self._office_keys

        folder, kept = configuration.snapshots_dir, configuration.kept_snapshots_dir
        people = SnapshotFolder(
            folder,
            kept,
            People,
            town,
            keys=keys,
            on_new=self._take_people,
            on_fault=partial(self._gate.take_fault, "people"),
        )
        premises = SnapshotFolder(
            folder,
            kept,
            Premises,
            town,
            keys=keys,
            on_new=lambda new: self._inbox.put(ev.PremisesChanged(new.premises)),
            on_fault=partial(self._gate.take_fault, "premises"),
        )
        rota = SnapshotFolder(
            folder,
            kept,
            Rota,
            town,
            keys=keys,
            on_new=self._take_rota,
            on_fault=partial(self._gate.take_fault, "rota"),
            is_optional=True,
        )
        self._gate.trust_list_while(lambda: people.is_trusted)
        return people, premises, rota

    def _reach_phones(self, configuration: Configuration, clock: CentralClock) -> Phones | None:
        if configuration.notifier_socket is None:
            return None

        def look() -> None:
            telling.look()

        def take_fault(fault: str) -> None:
            self._gate.take_own_fault("notifier", fault)
            look()

        def report(notice: Notice, said: Report) -> None:
            telling.take_report(notice, said)

        link = NotifierLink(configuration.notifier_socket, report, take_fault)
        try:
            secret = configuration.signing_key.sign(REFERENCES_DOMAIN, b"")
            phones = Phones(
                self._phone_table, clock.now, link.order, lambda: link.known.key, secret=secret, changed=look
            )
        except PhonesError as e:
            raise StoreError(str(e)) from e
        telling = self._telling = Telling(
            phones,
            order=link.order,
            call_off=link.call_off,
            ways=lambda: link.ways,
            is_sure=lambda: link.is_sure,
            put=self._inbox.put,
        )
        self._others = (*self._others, link)
        return phones

    def _tell(self, order: do.Ask | do.CallOff | do.Tell) -> None:
        if self._telling is not None:
            self._telling.carry_out(order)

    def _watch_backups(self, configuration: Configuration, clock: CentralClock) -> tuple[Lookout, ...]:
        if not configuration.backup.recipients:
            return ()

        def look() -> str:
            return backup_trouble(read_record(configuration.backup_record_file), clock.now(), "Central’s")

        return (Lookout("backups", look, self._gate.take_own_fault),)

    def _watch_certificates(self, configuration: Configuration, clock: CentralClock) -> Lookout:
        files = certificate_files(configuration.mqtt, configuration.alerts_mqtt, configuration.web_tls)

        delegated = configuration.delegated_directory_file
        proofs = [FLEETS_PROOF, *([delegated.with_name(PROOF)] if delegated is not None else [])]

        def look() -> str:
            ends = {**{who: end_of(file) for who, file in files.items()}, "broker": self._link.broker_ends_at}
            now_at = clock.now()
            said = certificate_trouble(ends, now_at), lists_trouble(LISTS_FILE, now_at), proof_trouble(proofs)
            return " ".join(filter(None, said))

        return Lookout("certificates", look, self._gate.take_own_fault)

    def _fetch(self, configuration: Configuration) -> tuple[SnapshotFetcher, ...]:
        if not configuration.fetch_url:
            return ()
        mqtt = configuration.mqtt
        credentials = Credentials(Path(mqtt.ca_file), Path(mqtt.certificate_file), Path(mqtt.key_file))
        folder, url = configuration.snapshots_dir, configuration.fetch_url
        names: tuple[SnapshotName, ...] = ("people", "premises", "rota")
        return tuple(
            SnapshotFetcher(
                url,
                name,
                folder,
                credentials,
                on_fault=partial(self._gate.take_fault, f"fetching {name}"),
                is_optional=name == "rota",
            )
            for name in names
        )

    def _take_directory(self, found: ev.DirectoryChanged | ev.DirectoryRefused) -> None:
        if isinstance(found, ev.DirectoryChanged):
            self._office_keys = found.directory.office_keys
        self._inbox.put(found)

    def _take_people(self, people: People) -> None:
        self._gate.take_people(people)
        if self._telling is not None:
            self._telling.take_people(people)
        rights = tuple((person.account, rights_of(person.roles)) for person in people.people)
        names = tuple((person.account, person.name) for person in people.people)
        self._inbox.put(ev.PeopleChanged(rights, names))

    def _take_rota(self, rota: Rota) -> None:
        self._gate.take_rota(rota)
        self._inbox.put(ev.RotaChanged(rota))

    def _keep(self, newest: Newest, now_at: datetime) -> None:
        try:
            self._database.keep_directory(newest.directory.serial, newest.data, now_at)
        except StoreError as e:
            # It is in its file too, and the page will soon say that the disk refuses.
            logger.warning("the directory was not kept: %s", e)

    def _begin_time(self, clock: CentralClock, now_at: datetime) -> tuple[timedelta, ...]:
        try:
            return self._database.begin_time(machine_boot(), clock.offset, now_at)
        except StoreError as e:
            # A full disk: the page shows open alerts and says so. Presses with an earlier run's time may seem late.
            logger.warning("the times of earlier runs are not known: %s", e)
            self._inbox.put(ev.StoreFailed(str(e)))
            return ()

    def _run(self) -> None:
        try:
            self._loop.run()
        except BaseException:
            # A half-applied step is worse than a restart: the journal is on disk, and nodes send again.
            self._failed = True
            logger.exception("the intake has failed")
            raise
        finally:
            self._has_ended.set()
