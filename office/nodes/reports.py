"""What nodes say, told and kept: what they hold, when they last asked, whom they have shown or reported."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from typing import Final

from office.nodes.rules.asking import Asker
from office.nodes.rules.reported import split_by_right
from office.nodes.store import Station, Store, StoreError
from runtime.logs import FactLog
from wire.directory import Directory
from wire.gallery_contact import GalleryQuestion, Held
from wire.gallery_reports import BreachReport, ReportsTaken
from wire.gallery_views import View, ViewHead
from wire.ids import NodeId, node_text

logger = logging.getLogger(__name__)

NEVER_S: Final = float("inf")
CONTACTS_KEPT_EVERY_S: Final = 15.0
DAY_S: Final = 86_400
REPORTS_DAYS: Final = 30
"""An office that was put back from a backup takes in again what it had taken since."""


class Reports:
    """For any thread.

    Args:
        store: where it is kept.
        facts: what is new is told here.
        views_days: so long it is kept whom a node has shown.
        now_s: Unix time.
    """

    def __init__(self, store: Store, facts: FactLog, views_days: int, now_s: Callable[[], float] = time.time) -> None:
        self._store = store
        self._facts = facts
        self._views_days = views_days
        self._now_s = now_s
        self._lock = threading.Lock()
        self._asked_at: dict[NodeId, float] = {}
        self._unkept: dict[NodeId, int] = {}
        self._told: set[tuple[str, NodeId]] = set()
        self._ahead: set[tuple[NodeId, int]] = set()
        self._kept_at = 0.0
        self._alarm: str | None = None
        self._taken = 0
        self._forgot_at: float | None = None

    def note_asked(self, node: NodeId) -> float:
        """A node asks. Returns how many seconds ago it did so before."""
        now = time.monotonic()
        with self._lock:
            before = self._asked_at.get(node)
            self._asked_at[node] = now
            self._unkept[node] = int(self._now_s())
        return NEVER_S if before is None else now - before

    def note_question(self, node: NodeId, question: GalleryQuestion) -> None:
        """Keep what it holds, and see whether its view log is the one that we know. Never raises."""
        now_s = int(self._now_s())
        try:
            if question.views is not None and self._store.is_forked(node, question.views, now_s):
                self._tell("fork", node, question.views.n)
            for receipt in self._store.note_holds(node, question.holds, now_s, question.views):
                self._facts.write(
                    "gallery held",
                    node=node_text(node),
                    scheme=receipt.scheme,
                    number=receipt.number,
                    is_complete=receipt.is_complete,
                )
        except StoreError as e:
            # Whom the office revokes is gone from shops although its disk is full.
            logger.error("what node %08x holds is not kept: %s", node, e)  # noqa: TRY400 - the sentence says it all

    def note_ahead(self, node: NodeId, held: Held, newest: int) -> None:
        """It holds a gallery that this office has forgotten, and takes no lower one. Told once in a run."""
        with self._lock:
            is_new = (node, held.scheme) not in self._ahead
            self._ahead.add((node, held.scheme))
        if is_new:
            logger.error(
                "NODE AHEAD OF A RESTORED OFFICE: node %08x holds gallery %d of scheme %d; the newest here is %d."
                " It takes no lower one, so nobody can be taken off it before its lease ends. If other nodes say so"
                " too: 'watchlink office audit restored --number %d'.",
                node,
                held.number,
                held.scheme,
                newest,
                held.number,
            )
            self._facts.write(
                "gallery ahead", node=node_text(node), scheme=held.scheme, number=held.number, newest=newest
            )

    def settle(self, broken_cards: Mapping[int, int]) -> bool:
        """Let the logs of broken cards begin anew, each for the alarm that was settled. Never raises.

        Returns whether the store took it; if not, it is to be tried again.

        Args:
            broken_cards: Unix time of that alarm, by the node's number.
        """
        is_done = True
        for node, since_s in broken_cards.items():
            try:
                if self._store.begin_chain(NodeId(node), since_s, int(self._now_s())):
                    self._facts.write("view log begins anew", node=node_text(NodeId(node)))
                    with self._lock:
                        # The next one is another, and is told.
                        self._told.discard(("fork", NodeId(node)))
            except StoreError as e:
                is_done = False
                logger.error("the log of node %08x cannot begin anew now: %s", node, e)  # noqa: TRY400 - says it all
        return is_done

    def keep_views(self, node: NodeId, views: tuple[View, ...]) -> ViewHead | None:
        """Keep what goes on from what was sent before. Returns where the chain has come to; ``None`` = it is forked.

        Raises:
            StoreError: nothing is kept.
        """
        found = self._store.add_views(node, views, int(self._now_s()))
        if found.fault:
            self._tell(found.fault, node, found.at)
        return None if found.fault == "fork" else found.head

    def note_directory(self, directory: Directory) -> None:
        """Which nodes there are, for the office's pages. Never raises."""
        stations = [
            Station(
                node,
                sender.office_premises,
                sender.premises,
                sender.place,
                tuple(sorted(sender.schemes)),
                has_key=bool(sender.sealing_key),
                is_struck=sender.is_revoked,
            )
            for node, sender in directory.senders.items()
            if not sender.is_central and not sender.is_gateway
        ]
        try:
            self._store.note_stations(stations)
        except StoreError as e:
            logger.error("which nodes there are is not kept: %s", e)  # noqa: TRY400

    def keep_reports(self, asker: Asker, reports: tuple[BreachReport, ...]) -> ReportsTaken:
        """Keep those that the asker may make.

        Raises:
            StoreError: nothing is kept.
        """
        own, refused = split_by_right(asker, reports)
        taken = self._store.add_reports(asker.node, asker.premises, own, int(self._now_s()))
        found = ReportsTaken(committed=taken.committed, refused=(*taken.refused, *refused))
        node = node_text(asker.node)
        if found.refused:
            logger.error("node %s reports what is not its own: %d refused", node, len(found.refused))
        self._facts.write("reports kept", node=node, committed=len(found.committed), refused=len(found.refused))
        return found

    def note_taken(self, taken: int) -> None:
        """The office has the reports up to this number."""
        self._taken = taken

    def tidy(self, alarm: str = "") -> None:
        """Now and then, as the program runs: keep when nodes asked, and forget old views. Never raises.

        Args:
            alarm: what somebody must look after; empty = all is well. Kept at once when it changes.
        """
        now = time.monotonic()
        if alarm == self._alarm and now - self._kept_at < CONTACTS_KEPT_EVERY_S:
            return
        self._alarm = alarm
        self._kept_at = now
        self.flush()
        if self._forgot_at is not None and now - self._forgot_at < DAY_S / 24:
            return
        self._forgot_at = now
        try:
            self._store.forget_views(int(self._now_s()) - self._views_days * DAY_S)
            self._store.forget_reports(self._taken, int(self._now_s()) - REPORTS_DAYS * DAY_S)
        except StoreError as e:
            logger.error("old views and reports are not forgotten: %s", e)  # noqa: TRY400

    def flush(self) -> None:
        """Keep when nodes have asked, and that the port runs."""
        with self._lock:
            contacts, self._unkept = self._unkept, {}
        try:
            self._store.note_contacts(contacts)
            self._store.note_alive(int(self._now_s()), self._alarm or "")
        except StoreError as e:
            logger.error("when nodes have asked is not kept: %s", e)  # noqa: TRY400

    def _tell(self, kind: str, node: NodeId, n: int) -> None:
        with self._lock:
            is_new = (kind, node) not in self._told
            self._told.add((kind, node))
        if not is_new:
            return
        if kind == "fork":
            logger.error(
                "TWO UNITS FOR ONE IDENTITY: the view log of node %08x has said otherwise before, from record %d."
                " Its card is copied, or was broken. A co-ordinator asks the shop, and says on the page of galleries"
                " that it was broken; if nobody knows, revoke the node.",
                node,
                n,
            )
        else:
            logger.error("the view log of node %08x has a gap: records from %d on are missing", node, n)
        self._facts.write(f"view log {kind}", node=node_text(node), n=n)
