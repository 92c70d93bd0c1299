"""Liveness: what central can say of each node, from its last sign of life and its own words.

A node not heard since central's start is ``never-seen`` (with the disk's coarse ``last_seen_at``, if any), and
becomes ``no-contact`` when its time is up, unless it was never heard at all.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from typing import Final

from msgspec import field

from central.core.boots import DUPLICATE, is_duplicate, restarts
from central.core.cards import premises_of, shown_name, slugs_of
from central.core.journal import KeptNode
from central.core.radio_path import RadioPath
from central.core.repeats import Repeats
from central.core.set_aside import Spared
from central.core.timing import Timing
from central.core.undo import Record, Table
from central.core.unit_lines import PathFigures, UnitFacts, facts_after
from central.core.view import NodeLine, RadioLine, Standing
from wire.admission import FrameRefusedError
from wire.directory import Directory, Sender
from wire.ids import NodeId, node_text
from wire.kinds import SIGNERS_SPEAK, Capability
from wire.limits import NAME_CHARS_MAX, TEXT_CHARS_MAX
from wire.messages import Health, Sync
from wire.renewal import is_late
from wire.text import display_text

_BOOTS_MAX: Final = 64
_NO_SCHEMES: Final[frozenset[int]] = frozenset()


class NodeRecord(Record):
    """One premises' node.

    Attributes:
        alive_at: last sign of life, moved along when the clock is set; ``None`` = none since central's start.
        heard_since: since when silence is counted if there is no sign of life at all; ``None`` = never heard.
        clock_gap: how far its own proven clock is ahead of central's, by its last report; ``None`` = it has none.
        ages: counters waiting at the node, and since when, by its last sync; ``ages_run``: the boot id of that sync.
    """

    sender: Sender
    node: NodeId
    alive_at: datetime | None = None
    heard_since: datetime | None = None
    last_seen_at: datetime | None = None
    since: datetime | None = None
    shown: Standing = "never-seen"
    is_lost: bool = False
    is_stopped: bool = False
    boot_id: str = ""
    boots: tuple[tuple[str, datetime], ...] = ()
    faults: tuple[str, ...] = ()
    outbox_depth: int = 0
    version: str = ""
    rejected: int = 0
    directory_serial: int | None = None
    directory_sent_at: datetime | None = None
    sync_sent_at: datetime | None = None
    ages: Table[int, datetime] = field(default_factory=Table)
    ages_run: str = ""
    clock_gap: timedelta | None = None
    is_worth_keeping: bool = False
    radio: RadioPath = field(default_factory=RadioPath)
    weekly_test_at: datetime | None = None
    facts: UnitFacts | None = None
    """As last told, for the fleet page."""
    speaks: frozenset[str] = frozenset()
    """Names of the capabilities that it understands, by its last health if that was signed, or because it signs."""
    repeats: Repeats = field(default_factory=Repeats)
    certificate_fault: tuple[str, ...] = ()
    """Told beside its faults, but none of them: the unit works, and a person has a month to look."""
    is_overdue: tuple[bool, bool] = (False, False)
    """As last told: the radio's path test, the weekly test."""

    @property
    def is_on_network(self) -> bool:
        """Whether a message published to it now should reach it."""
        return self.shown in ("ok", "fault")

    def state(self, now_at: datetime, no_contact_after: timedelta) -> Standing:
        """Its standing at ``now_at``."""
        if self.sender.is_revoked:
            return "revoked"
        if self.is_stopped:
            return "stopped"
        if self.is_lost:
            return "no-contact"
        if self.alive_at is None:
            is_due = self.heard_since is not None and now_at - self.heard_since > no_contact_after
            return "no-contact" if is_due else "never-seen"
        if now_at - self.alive_at > no_contact_after:
            return "no-contact"
        return "fault" if self.faults or is_duplicate(self.boots, now_at) else "ok"


class Nodes(Record):
    """All nodes. ``changed`` gathers those whose line has changed; the page empties it."""

    _timing: Timing
    _records: Table[NodeId, NodeRecord] = field(default_factory=Table)
    gateways: tuple[NodeRecord, ...] = ()
    """Central's own radios, except revoked ones."""
    schemes_out_of_reach: frozenset[int] = frozenset()
    """Schemes with a member that the network does not reach and that has a radio; as of the last tick."""
    changed: Table[NodeId, None] = field(default_factory=Table)

    def set_directory(self, directory: Directory) -> None:
        """Take a newer directory's nodes; what is known of those that stay is kept."""
        before = self._records
        self._records = Table()
        for node, sender in directory.senders.items():
            if sender.is_central:
                continue
            record = before.get(node) or NodeRecord(sender, node)
            record.sender = sender
            if sender.signs:
                record.speaks |= SIGNERS_SPEAK
            self._records[node] = record
            self.changed[node] = None
        self.changed.update([(node, None) for node in before.keys() - self._records.keys()])
        self.gateways = tuple(r for r in self._records.values() if r.sender.is_gateway and not r.sender.is_revoked)

    def recall(self, kept: tuple[KeptNode, ...], now_at: datetime) -> None:
        """Take what the disk remembers; silence is counted from ``now_at``."""
        for node in kept:
            record = self._records.get(node.node)
            if record:
                record.last_seen_at, record.boot_id, record.heard_since = node.last_seen_at, node.boot_id, now_at
                record.speaks |= frozenset(node.speaks)
                record.facts, record.version = node.facts, node.facts.version if node.facts else ""

    def find(self, node: NodeId) -> NodeRecord | None:
        """A node's record; ``None`` = not in the directory."""
        return self._records.get(node)

    def speaker(self, node: NodeId, said: Health | Sync | None, now_at: datetime) -> NodeRecord:
        """The record of a message's sender; ``said``: the message if signed, else ``None``.

        Raises:
            FrameRefusedError: the node is unknown or revoked, or ``said`` was said before or held back.
        """
        record = self._records.get(node)
        if record is None:
            raise FrameRefusedError("unknown sender")
        if record.sender.is_revoked:
            raise FrameRefusedError("revoked sender")
        if isinstance(said, Health) and not record.repeats.is_health_new(said, now_at):
            raise FrameRefusedError("old health")
        if isinstance(said, Sync) and not record.repeats.is_sync_new(said):
            raise FrameRefusedError("old sync")
        return record

    def speaks(self, node: NodeId, capability: Capability) -> bool:
        """Whether it understands ``capability``: it has said so, or it signs."""
        record = self._records.get(node)
        return record is not None and capability in record.speaks

    def all(self) -> tuple[NodeRecord, ...]:
        """Every node of the directory, except central."""
        return tuple(self._records.values())

    def take_sign_of_life(self, record: NodeRecord, now_at: datetime) -> None:
        """Something arrived that only this node can have sent."""
        record.alive_at = record.last_seen_at = now_at
        record.is_worth_keeping = True
        if record.is_lost or record.is_stopped or record.shown not in ("ok", "fault"):
            record.is_lost = record.is_stopped = False
            self._settle(record, now_at)

    def take_health(self, record: NodeRecord, health: Health, now_at: datetime, *, is_signed: bool = False) -> None:
        """Take a heartbeat, a goodbye, or the last will of this boot (an earlier boot's is ignored)."""
        boot_id = display_text(health.boot_id, NAME_CHARS_MAX)
        if health.state == "lost":
            if record.boot_id in ("", boot_id) and not record.is_stopped:
                record.is_lost = True
                self._settle(record, now_at)
            return
        faults = tuple(display_text(f"{fault.part}: {fault.detail}", TEXT_CHARS_MAX) for fault in health.faults)
        version, rejected = display_text(health.version, NAME_CHARS_MAX), sum(health.rejected.values())
        facts = facts_after(record.facts, health, is_signed=is_signed)
        before = (record.faults, record.outbox_depth, record.version, record.rejected, record.boot_id, record.facts)
        is_radio_changed = record.radio.take_report(health.radio, now_at)
        self._take_boot(record, boot_id, now_at)
        record.faults, record.outbox_depth, record.version, record.rejected = (
            faults,
            health.outbox_depth,
            version,
            rejected,
        )
        record.facts = facts
        record.speaks = frozenset(health.speaks) if is_signed else frozenset()
        if record.sender.signs:
            record.speaks |= SIGNERS_SPEAK
        record.directory_serial = health.directory_serial
        record.clock_gap = None if health.at is None else health.at - now_at
        self._take_certificate(record, health.certificate_ends_at, now_at)
        record.alive_at = record.last_seen_at = now_at
        record.is_worth_keeping = True
        record.is_lost, record.is_stopped = False, health.state == "stopping"
        if is_radio_changed or before != (faults, health.outbox_depth, version, rejected, boot_id, facts):
            self.changed[record.node] = None
        self._settle(record, now_at)

    def take_sync(self, record: NodeRecord, sync: Sync, now_at: datetime, *, is_signed: bool = False) -> None:
        """Take a node's own account of what is waiting there."""
        record.ages_run = display_text(sync.boot_id, NAME_CHARS_MAX)
        if not is_signed:
            # One that signs tells its run in its health, whose times only rise: an old sync must not look like a run.
            self._take_boot(record, record.ages_run, now_at)
        record.directory_serial = sync.directory_serial
        # Milliseconds may be anything up to 2**53; a century is as late as it gets.
        age_ms_max = 100 * 365 * 86_400_000
        record.ages = Table(
            (frame.counter, now_at - timedelta(milliseconds=min(frame.age_ms, age_ms_max))) for frame in sync.pending
        )
        # A sync bears no time: a dead unit's, held back, must not keep it alive. One that signs says so in its health.
        if not is_signed:
            self.take_sign_of_life(record, now_at)

    def shift(self, by: timedelta) -> None:
        """Move times along with a clock set by ``by``; nobody loses contact through it."""
        for record in self._records.values():
            record.radio.shift(by)
            record.repeats.shift(by)
            if record.alive_at is not None:
                record.alive_at += by
            if record.heard_since is not None:
                record.heard_since += by
            if record.directory_sent_at is not None:
                record.directory_sent_at += by
            if record.sync_sent_at is not None:
                record.sync_sent_at += by

    def watch(self, now_at: datetime, spared: Spared | None = None) -> None:
        """Find nodes out of contact, nodes whose tests are overdue, and schemes that only the radio may still reach.

        With ``spared``, which takes longer, one that cannot be looked at keeps no other from it.
        """
        out_of_reach: set[int] = set()
        for record in self._records.values():
            if spared is None:
                out_of_reach |= self._watch(record, now_at)
            else:
                look = partial(self._watch, record, now_at)
                out_of_reach |= spared(look, f"watch of {node_text(record.node)}", record.node) or _NO_SCHEMES
        self.schemes_out_of_reach = frozenset(out_of_reach)

    def _watch(self, record: NodeRecord, now_at: datetime) -> frozenset[int]:
        """Returns its schemes if only the radio may still reach it."""
        if record.shown != record.state(now_at, self._timing.no_contact_after):
            self._settle(record, now_at)
        # Most have no radio and never pressed test: thousands of them are skipped each second.
        may_be_due = record.weekly_test_at is not None or record.radio.unproven_since is not None
        if (may_be_due or any(record.is_overdue)) and record.is_overdue != self._overdue(record, now_at):
            self.changed[record.node] = None
        return record.sender.schemes if record.shown == "no-contact" and record.radio.is_there else _NO_SCHEMES

    def take_heard(self, record: NodeRecord, relay: NodeId, now_at: datetime) -> None:
        """A fresh frame of its own came over the air."""
        record.radio.take_heard(relay, now_at)
        self.changed[record.node] = None

    def take_weekly_test(self, record: NodeRecord, pressed_at: datetime) -> None:
        """Its staff pressed *test*, and it arrived."""
        record.weekly_test_at = pressed_at
        self.changed[record.node] = None

    def is_out_of_reach(self, record: NodeRecord) -> bool:
        """Whether the network does not reach it: no contact, or heard over the air after its last sign of life."""
        if not record.is_on_network or record.alive_at is None:
            return True
        return record.radio.heard_at is not None and record.radio.heard_at > record.alive_at

    def take_kept(self) -> tuple[KeptNode, ...]:
        """Those that showed life since the last call, to be written to disk."""
        kept = []
        for record in self._records.values():
            if record.is_worth_keeping and record.last_seen_at is not None:
                record.is_worth_keeping = False
                speaks = tuple(sorted(record.speaks))
                kept.append(KeptNode(record.node, record.last_seen_at, record.boot_id, speaks, record.facts))
        return tuple(kept)

    def line(
        self, record: NodeRecord, directory: Directory, now_at: datetime, figures: tuple[PathFigures, ...] = ()
    ) -> NodeLine:
        """Its line on the page."""
        self._settle(record, now_at)
        record.is_overdue = self._overdue(record, now_at)
        return NodeLine(
            node=node_text(record.node),
            premises=shown_name(record.sender.premises),
            place=shown_name(record.sender.place),
            schemes=slugs_of(tuple(sorted(record.sender.schemes)), directory),
            scheme_numbers=tuple(sorted(record.sender.schemes)),
            state=record.shown,
            since=record.since,
            last_seen_at=record.last_seen_at,
            faults=((DUPLICATE,) if is_duplicate(record.boots, now_at) else ())
            + record.certificate_fault
            + record.faults,
            outbox_depth=record.outbox_depth,
            version=record.version,
            restarts=restarts(record.boots, now_at, self._timing.restarts_within),
            rejected=record.rejected,
            is_gateway=record.sender.is_gateway,
            radio=self._radio_line(record, directory),
            weekly_test_at=record.weekly_test_at,
            is_weekly_test_overdue=record.is_overdue[1],
            figures=figures,
            facts=record.facts,
        )

    def _radio_line(self, record: NodeRecord, directory: Directory) -> RadioLine | None:
        radio = record.radio
        if not radio.is_there:
            return None
        return RadioLine(
            state="unknown" if radio.report is None else radio.report.state,
            tested_at=radio.tested_at,
            is_test_overdue=record.is_overdue[0],
            heard_at=radio.heard_at,
            heard_by=tuple(premises_of(relay, directory) for relay in reversed(radio.heard_by)),
            heard_by_nodes=tuple(node_text(relay) for relay in reversed(radio.heard_by)),
            blocked_since=radio.blocked_since,
            busy_percent=radio.busy_percent,
        )

    def _overdue(self, record: NodeRecord, now_at: datetime) -> tuple[bool, bool]:
        last_at = record.weekly_test_at
        is_overdue = last_at is not None and now_at - last_at > self._timing.weekly_test_overdue
        return (record.radio.is_test_overdue(now_at, self._timing), is_overdue)

    def _take_boot(self, record: NodeRecord, boot_id: str, now_at: datetime) -> None:
        if boot_id != record.boot_id or not record.boots:
            record.boot_id = boot_id
            record.boots = (*record.boots[-_BOOTS_MAX + 1 :], (boot_id, now_at))
            if record.ages_run != boot_id:
                record.ages.clear()
            self.changed[record.node] = None

    def _take_certificate(self, record: NodeRecord, ends_at: datetime | None, now_at: datetime) -> None:
        fault = late_certificate(ends_at, now_at)
        if fault != record.certificate_fault:
            record.certificate_fault = fault
            self.changed[record.node] = None

    def _settle(self, record: NodeRecord, now_at: datetime) -> None:
        state = record.state(now_at, self._timing.no_contact_after)
        if state != record.shown:
            record.shown, record.since = state, now_at
            self.changed[record.node] = None


def late_certificate(ends_at: datetime | None, now_at: datetime) -> tuple[str, ...]:
    """What is told of a node's certificate; nothing if it lasts for another month, or the node does not say."""
    if ends_at is None or not is_late(ends_at, now_at):
        return ()
    verb = "ended" if ends_at <= now_at else "ends"
    return (f"certificate: {verb} on {ends_at:%d %B %Y} and is not renewed; tell the fleet’s engineer",)
