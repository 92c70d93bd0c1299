"""The composition root: card, core, network and page of one unit's gallery."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Final

from msgspec import Struct

from gallery.arrivals import Arrivals
from gallery.battery_clock import BatteryClock
from gallery.config import Configuration
from gallery.core.readable import Why
from gallery.core.words import WORDS
from gallery.listeners import Listeners
from gallery.listing import Names
from gallery.net.changes import Own
from gallery.net.connection import Office, Spare
from gallery.net.contact import Contact, Sources
from gallery.net.fetching import Fetching
from gallery.net.node_socket import NodeSocket
from gallery.net.own_addresses import own_addresses
from gallery.net.page_certificate import CERTIFICATE_FILE, KEY_FILE, ROOT_FILE, PageCertificates
from gallery.net.town_directory import TownDirectory
from gallery.node_alerts import NodeAlerts
from gallery.page.drawing import off_words
from gallery.page.fitting import Reached, fingerprint_of, root_of
from gallery.page.ports import Snapshot
from gallery.page.serving import PageServer
from gallery.page.site import PageSettings, Site
from gallery.panel.fitting import Fitting
from gallery.panel_visits import PanelVisits
from gallery.pictures.marking import Pictures
from gallery.running import Running
from gallery.store.entries import Entries
from gallery.store.gallery_store import GalleryStore
from gallery.store.pins import PinVerifier
from gallery.surroundings import IDLE_MAX_MS, Card, Surroundings
from runtime.boot_id import machine_boot_id
from runtime.config import ConfigError
from runtime.key_pair import KeyPair
from runtime.logs import FactLog
from runtime.monotonic import boottime_ms
from runtime.service import Service
from runtime.sqlite_file import StoreRefusedError
from runtime.web_connections import Listener
from runtime.web_server import url_of
from wire.gallery_status import status_line
from wire.gallery_views import no_views
from wire.ids import node_text
from wire.page_certificate import page_name

logger = logging.getLogger(__name__)

CARD: Final = "card"
DIRECTORY: Final = "directory.json"
PAGE: Final = "page"
INTER: Final = Path("/usr/share/fonts/opentype/inter")
STATUS_FAILED: Final = 1
COUNTED_EVERY_MS: Final = 2_000
SILENT_S: Final = 600
"""The office answers twice a minute. After this long it does not any more; several tries were in vain."""
_IPV4: Final = 4
_WITHOUT_CONTACT: Final = frozenset({Why.CLOCK_BEHIND, Why.CLOCK_UNKNOWN, Why.NO_CONTACT})


class Machine(Struct, frozen=True):
    """What the program reads of the machine that it runs on.

    Attributes:
        boot_id: which boot it is.
        now_ms: monotonic, sleep included.
    """

    boot_id: Callable[[], str] = machine_boot_id
    now_ms: Callable[[], int] = boottime_ms


class GalleryApp:
    """The whole program: construct, :meth:`run` once.

    Args:
        configuration: as read.
        facts: take what it tells.
        service: systemd.
        machine: that it runs on; ``None`` = this one.
        handed: sockets that systemd has opened for it, by name.

    Raises:
        ConfigError: a file cannot be used.
        OSError: the disk refuses.
    """

    def __init__(
        self,
        configuration: Configuration,
        facts: FactLog,
        service: Service,
        machine: Machine | None = None,
        handed: Mapping[str, Sequence[Listener]] = MappingProxyType({}),
    ) -> None:
        file, at = configuration.file, configuration.at
        identity, node = file.identity, configuration.node
        machine = machine or Machine()
        self._now_ms = machine.now_ms
        self._service = service
        self._node = node_text(node)
        self._facts = facts
        self._told = ""
        self._counted_ms = 0
        configuration.state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._directory = TownDirectory(
            configuration.authority,
            node,
            at(identity.directory_file) if identity.directory_file else None,
            configuration.state_dir / DIRECTORY,
            now_ms=machine.now_ms,
            times_s=self._times_s,
        )
        self._store = GalleryStore(configuration.state_dir / CARD, configuration.sealing_key)
        entries = Entries(self._store, configuration.town, node, configuration.sealing_key)
        arrivals = Arrivals()
        self.running = Running(
            Card(self._store, arrivals, entries, no_views(configuration.town, node)),
            Surroundings(
                PinVerifier(configuration.sealing_key),
                facts,
                {"node": self._node},
                machine.boot_id(),
                battery_s=BatteryClock(at(file.clock.battery_file)).read_s,
                names=self._names,
                now_ms=machine.now_ms,
                on_turn=self._turned,
                wait_max_ms=IDLE_MAX_MS if service.watchdog_interval_ms is None else service.watchdog_interval_ms // 2,
            ),
        )
        pair = KeyPair(at(identity.certificate_file), at(identity.key_file))
        office = Office(file.office.host, file.office.port, at(identity.ca_file), pair)
        sources = Sources(
            self._store.lines,
            self._store.views_after,
            lambda: self._directory.known.office_keys,
            machine.now_ms,
            self._directory.refresh,
        )
        self._office = office
        own = self._own = Own(configuration.town, node, configuration.sealing_key)
        spare = Spare(office)
        self._contact = Contact(office, own, sources, arrivals, self.running.put, spare=spare)
        self._fetching = Fetching(office, self._store.photographs, self.running.put, machine.now_ms, spare=spare)
        self._node_socket = NodeSocket(at(file.node.socket), self.running.put) if file.node.socket else None
        alerts = None if self._node_socket is None else NodeAlerts(self._node_socket)
        pictures = Pictures()
        self._visits = None
        if self._node_socket is not None:
            self._visits = PanelVisits(self.running, pictures, self._node_socket.say, self._fitting)
            self._node_socket.lend(self._visits)
        self._listeners = Listeners(file.page, handed)
        folder = configuration.state_dir / PAGE
        self._pair = KeyPair(folder / CERTIFICATE_FILE, folder / KEY_FILE)
        self._root_file = folder / ROOT_FILE
        inter = INTER if INTER.is_dir() else None
        self._site = Site(
            self.running,
            PageSettings(
                frozenset((*file.page.names, page_name(node))),
                inter,
                partial(root_of, self._root_file),
                Reached(self._listeners.https_port, own_addresses, page_name(node)),
            ),
            alerts=alerts,
            node_state=None if alerts is None else alerts.state,
            pictures=pictures,
        )

    def run(self) -> int:
        """Until :meth:`stop`. Returns the exit status."""
        self._contact.start()
        self._fetching.start()
        try:
            self.running.start(self._contact, self._fetching)
            with self._served():
                self._facts.write("gallery_started", node=self._node)
                self._service.ready()
                self.running.run()
        except StoreRefusedError as e:
            # Nothing of it is begun: the view log would begin anew, which looks like a copied card.
            said = f"This unit's card cannot be read ({e}). It is tried again by itself; if it stays so, replace it."
            logger.error("%s", said)  # noqa: TRY400 - the sentence says it all
            self._service.status(said)
            return STATUS_FAILED
        finally:
            self._service.stopping()
            self._listeners.close()
            self.running.close()
            self._store.close()
        return 0

    @contextlib.contextmanager
    def _served(self) -> Iterator[None]:
        """The page can be opened, and the node is asked."""
        page = PageServer(self._site, self._listeners.plain)
        if self._node_socket is not None and self._visits is not None:
            self._visits.start()
            self._node_socket.start()
        page.start()
        self._facts.write("listening", node=self._node, url=url_of(self._listeners.plain[0]))
        certificates = PageCertificates(
            self._office,
            self._own.node,
            self._pair.certificate_file.parent,
            now_s=lambda: next(iter(self._times_s()), None),
            on_new=partial(self._serve_by_tls, page),
        )
        if self._listeners.https_port is not None:
            if self._pair.certificate_file.exists():
                self._serve_by_tls(page)
            certificates.start()
        try:
            yield
        finally:
            if self._listeners.https_port is not None:
                certificates.stop()
            page.stop()
            if self._node_socket is not None and self._visits is not None:
                self._node_socket.stop()
                self._visits.stop()
            # Whoever waits for an answer there gets none any more.
            self.running.close()
            page.join()

    def _serve_by_tls(self, page: PageServer) -> None:
        """There is a certificate for it, or another one."""
        try:
            page.serve_pair(self._pair, self._listeners.tls)
        except (ConfigError, OSError) as e:
            logger.error("tablets cannot open the page: %s", e)  # noqa: TRY400 - the sentence says it all
            return
        self._facts.write("page_by_tls", node=self._node, port=self._listeners.https_port)

    def stop(self) -> None:
        """End soon. Safe in a signal handler, and before :meth:`run`."""
        self.running.stop()

    def _names(self) -> Names:
        known = self._directory.known
        return Names(", ".join(filter(None, (known.premises, known.place))), known.schemes)

    def _fitting(self) -> Fitting:
        """As ``/fit`` has it; for the panel, which shows IPv4 addresses alone."""
        root = root_of(self._root_file)
        address = next((str(one) for one in own_addresses() if one.version == _IPV4), "")
        return Fitting("" if root is None else fingerprint_of(root), address, self._listeners.fit_port)

    def _times_s(self) -> tuple[int, ...]:
        clock = self.running.state.clock
        return (clock.floor_s(self._now_ms()),) if clock.is_proven else ()

    def _turned(self) -> None:
        self._service.watchdog()
        now_ms = boottime_ms()
        if self.running.is_opening and now_ms < self._counted_ms + COUNTED_EVERY_MS:
            return  # Ten thousand would be counted anew for each few that are opened.
        self._counted_ms = now_ms
        said = status_of(self.running.snapshot())
        if said != self._told:
            self._told = said
            self._service.status(said)


def status_of(snapshot: Snapshot) -> str:
    """One line for ``systemctl status``: numbers alone, and whether the office answers."""
    was_heard = snapshot.heard_at_s != 0
    is_heard = was_heard and snapshot.now_s - snapshot.heard_at_s < SILENT_S
    galleries = []
    for one in snapshot.schemes:
        is_heard &= one.off not in _WITHOUT_CONTACT
        words = WORDS[one.off].what if one.off else f"{len(one.people)} shown, {one.coming} on their way"
        galleries.append(f"{one.name}: {words}")
    if not galleries:
        off = off_words(snapshot)
        galleries = [] if off is None else [off.what]
    return status_line("; ".join(galleries), was_heard=was_heard, is_heard=is_heard)
