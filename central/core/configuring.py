"""Nodes' settings from the fleet: passed on as the authority has sealed them, to whoever has older ones (ADR 0032).

Central can neither make nor change them. A node says in its signed health which it has judged last; until it names the
newest, it is offered them again.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from msgspec import field

from central.core.effects import ReportFact, SendSettings
from central.core.nodes import NodeRecord
from central.core.timing import Timing
from central.core.undo import Record, Table
from wire.ids import NodeId, node_text
from wire.kinds import Capability
from wire.messages import Health
from wire.node_settings import SignedSettings

FACT: Final = "settings"


class Configuring(Record):
    """The newest settings of each node, when they were last offered, and what the nodes said of theirs."""

    _timing: Timing
    _newest: Table[NodeId, SignedSettings] = field(default_factory=Table)
    _sent_at: Table[NodeId, datetime] = field(default_factory=Table)
    _told: Table[NodeId, tuple[int, str]] = field(default_factory=Table)

    def take(self, settings: tuple[SignedSettings, ...]) -> None:
        """The file has changed. What it no longer has is offered no more."""
        newest = {one.node: one for one in settings}
        for node, one in newest.items():
            before = self._newest.get(node)
            if before is None or before.serial < one.serial:
                self._sent_at.pop(node, None)
        self._newest.clear()
        self._newest.update(newest.items())

    def take_health(self, record: NodeRecord, health: Health, now_at: datetime) -> list[SendSettings | ReportFact]:
        """A node's signed word of its settings: tell what is new in it, and offer newer ones."""
        node, report = record.node, health.settings
        orders: list[SendSettings | ReportFact] = []
        if report is not None and self._told.get(node) != (report.serial, report.state):
            self._told[node] = (report.serial, report.state)
            detail = (("node", node_text(node)), ("serial", str(report.serial)), ("state", report.state))
            orders.append(ReportFact(FACT, None, detail))
        newest = self._newest.get(node)
        is_wanted = newest is not None and newest.serial > (0 if report is None else report.serial)
        if newest is None or not is_wanted or Capability.SETTINGS not in record.speaks:
            return orders
        sent_at = self._sent_at.get(node)
        if sent_at is None or abs(now_at - sent_at) >= self._timing.directory_resend:
            self._sent_at[node] = now_at
            orders.append(SendSettings(node, newest.data))
        return orders
