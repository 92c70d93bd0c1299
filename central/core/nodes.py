"""Liveness: what central can say of each node, from its last sign of life and its own words.

A node that central has not heard since central's own start is ``never-seen`` (with the disk's coarse
``last_seen_at``, if any) and becomes ``silent`` when its time is up, unless nobody ever heard it at all.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Literal

from central.core.cards import shown_name, slugs_of
from central.core.journal import KeptNode
from central.core.timing import Timing
from central.core.view import NodeLine
from wire.directory import Directory, Sender
from wire.ids import NodeId, node_text
from wire.limits import NAME_CHARS_MAX, TEXT_CHARS_MAX
from wire.messages import Health, Sync
from wire.text import display_text

NodeState = Literal["never-seen", "ok", "fault", "silent", "stopped", "revoked"]
_BOOTS_MAX: Final = 64


@dataclass(slots=True)
class NodeRecord:
    """One premises' node.

    Attributes:
        alive_at: last sign of life, moved along when the clock is set; ``None`` = none since central's start.
        heard_since: from when silence is counted if there is no sign of life at all; ``None`` = never heard of.
        ages: counters that waited at the node, and since when, from its last sync.
    """

    sender: Sender
    node: NodeId
    alive_at: datetime | None = None
    heard_since: datetime | None = None
    last_seen_at: datetime | None = None
    since: datetime | None = None
    shown: NodeState = "never-seen"
    is_lost: bool = False
    is_stopped: bool = False
    boot_id: str = ""
    boots: deque[tuple[str, datetime]] = field(default_factory=lambda: deque(maxlen=_BOOTS_MAX))
    faults: tuple[str, ...] = ()
    outbox_depth: int = 0
    version: str = ""
    rejected: int = 0
    directory_serial: int | None = None
    directory_sent_at: datetime | None = None
    sync_sent_at: datetime | None = None
    ages: dict[int, datetime] = field(default_factory=dict)
    is_worth_keeping: bool = False

    def state(self, now_at: datetime, silent_after: timedelta) -> NodeState:
        """As it is now."""
        if self.sender.is_revoked:
            return "revoked"
        if self.is_stopped:
            return "stopped"
        if self.is_lost:
            return "silent"
        if self.alive_at is None:
            is_due = self.heard_since is not None and now_at - self.heard_since > silent_after
            return "silent" if is_due else "never-seen"
        if now_at - self.alive_at > silent_after:
            return "silent"
        return "fault" if self.faults else "ok"


class Nodes:
    """All of them. ``changed`` gathers those whose line differs; the machine empties it."""

    def __init__(self, timing: Timing) -> None:
        self._timing = timing
        self._records: dict[NodeId, NodeRecord] = {}
        self.changed: set[NodeId] = set()

    def set_directory(self, directory: Directory) -> None:
        """Take the newest list of nodes; what is known of those that stay is kept."""
        before = self._records
        self._records = {}
        for node, sender in directory.senders.items():
            if sender.is_central:
                continue
            record = before.get(node) or NodeRecord(sender, node)
            record.sender = sender
            self._records[node] = record
            self.changed.add(node)
        self.changed.update(before.keys() - self._records.keys())

    def recall(self, kept: tuple[KeptNode, ...], now_at: datetime) -> None:
        """Take what the disk remembers."""
        for node in kept:
            record = self._records.get(node.node)
            if record:
                record.last_seen_at, record.boot_id, record.heard_since = node.last_seen_at, node.boot_id, now_at

    def find(self, node: NodeId) -> NodeRecord | None:
        """The record of a node in the directory."""
        return self._records.get(node)

    def all(self) -> tuple[NodeRecord, ...]:
        """Every node of the directory."""
        return tuple(self._records.values())

    def take_sign_of_life(self, record: NodeRecord, now_at: datetime) -> None:
        """Something came that only this node can have sent."""
        record.alive_at = record.last_seen_at = now_at
        record.is_worth_keeping = True
        if record.is_lost or record.is_stopped or record.shown not in ("ok", "fault"):
            record.is_lost = record.is_stopped = False
            self._settle(record, now_at)

    def take_health(self, record: NodeRecord, health: Health, now_at: datetime) -> None:
        """A heartbeat, a goodbye, or the last will of this boot (an earlier boot's is ignored)."""
        boot_id = display_text(health.boot_id, NAME_CHARS_MAX)
        if health.state == "lost":
            if record.boot_id in ("", boot_id) and not record.is_stopped:
                record.is_lost = True
                self._settle(record, now_at)
            return
        faults = tuple(display_text(f"{fault.part}: {fault.detail}", TEXT_CHARS_MAX) for fault in health.faults)
        version, rejected = display_text(health.version, NAME_CHARS_MAX), sum(health.rejected.values())
        before = (record.faults, record.outbox_depth, record.version, record.rejected, record.boot_id)
        self._take_boot(record, boot_id, now_at)
        record.faults, record.outbox_depth, record.version, record.rejected = (
            faults,
            health.outbox_depth,
            version,
            rejected,
        )
        record.directory_serial = health.directory_serial
        record.alive_at = record.last_seen_at = now_at
        record.is_worth_keeping = True
        record.is_lost, record.is_stopped = False, health.state == "stopping"
        if before != (faults, health.outbox_depth, version, rejected, boot_id):
            self.changed.add(record.node)
        self._settle(record, now_at)

    def take_sync(self, record: NodeRecord, sync: Sync, now_at: datetime) -> None:
        """A node's own account of what waits there."""
        self._take_boot(record, display_text(sync.boot_id, NAME_CHARS_MAX), now_at)
        record.directory_serial = sync.directory_serial
        # A count of milliseconds may be anything up to 2**53; a century is as late as it gets.
        age_ms_max = 100 * 365 * 86_400_000
        record.ages = {
            frame.counter: now_at - timedelta(milliseconds=min(frame.age_ms, age_ms_max)) for frame in sync.pending
        }
        self.take_sign_of_life(record, now_at)

    def shift(self, by: timedelta) -> None:
        """The clock was set by this much; nobody fell silent through it."""
        for record in self._records.values():
            if record.alive_at is not None:
                record.alive_at += by
            if record.heard_since is not None:
                record.heard_since += by
            if record.directory_sent_at is not None:
                record.directory_sent_at += by
            if record.sync_sent_at is not None:
                record.sync_sent_at += by

    def watch(self, now_at: datetime) -> None:
        """Find those that fell silent."""
        after = self._timing.silent_after
        for record in self._records.values():
            if record.shown != record.state(now_at, after):
                self._settle(record, now_at)

    def take_kept(self) -> tuple[KeptNode, ...]:
        """Those that showed life since they were last written to disk."""
        kept = []
        for record in self._records.values():
            if record.is_worth_keeping and record.last_seen_at is not None:
                record.is_worth_keeping = False
                kept.append(KeptNode(record.node, record.last_seen_at, record.boot_id))
        return tuple(kept)

    def line(self, record: NodeRecord, directory: Directory, now_at: datetime) -> NodeLine:
        """As the page shows it."""
        self._settle(record, now_at)
        recent = sum(at > now_at - self._timing.restarts_within for _, at in record.boots)
        return NodeLine(
            node=node_text(record.node),
            premises=shown_name(record.sender.premises),
            place=shown_name(record.sender.place),
            schemes=slugs_of(tuple(sorted(record.sender.schemes)), directory),
            state=record.shown,
            since=record.since,
            last_seen_at=record.last_seen_at,
            faults=record.faults,
            outbox_depth=record.outbox_depth,
            version=record.version,
            restarts=max(0, recent - 1),
            rejected=record.rejected,
        )

    def _take_boot(self, record: NodeRecord, boot_id: str, now_at: datetime) -> None:
        if boot_id != record.boot_id or not record.boots:
            record.boot_id = boot_id
            record.boots.append((boot_id, now_at))
            record.ages.clear()
            self.changed.add(record.node)

    def _settle(self, record: NodeRecord, now_at: datetime) -> None:
        state = record.state(now_at, self._timing.silent_after)
        if state != record.shown:
            record.shown, record.since = state, now_at
            self.changed.add(record.node)
