"""What the page was told last, and so what differs now."""

from __future__ import annotations

from datetime import datetime

from central.core.cards import card_of
from central.core.figures import Figures
from central.core.incidents import Incidents
from central.core.nodes import NodeRecord, Nodes
from central.core.rejections import Rejections
from central.core.timing import Timing
from central.core.view import Board, Change, NodeLine, Person
from wire.directory import Directory
from wire.ids import NodeId, node_text


class Page:
    """Makes the board once and gapless changes ever after."""

    def __init__(self, timing: Timing, figures: Figures) -> None:
        self._timing = timing
        self._figures = figures
        self.sequence = 0
        self.boot_id = ""
        self.is_broker_linked = False
        self.is_disk_ok = True
        self.on_watch: dict[Person, None] = {}
        self._told: tuple[bool, bool, tuple[Person, ...]] = (False, True, ())
        self._told_nodes: set[NodeId] = set()

    def board(
        self, incidents: Incidents, nodes: Nodes, rejections: Rejections, directory: Directory, now_at: datetime
    ) -> Board:
        """All of it; everything counts as told."""
        oldest_at = now_at - self._timing.closed_shown
        shown = (i for i in incidents.all() if i.closed_at is None or i.closed_at >= oldest_at)
        board = Board(
            sequence=self.sequence,
            at=now_at,
            boot_id=self.boot_id,
            is_broker_linked=self.is_broker_linked,
            is_disk_ok=self.is_disk_ok,
            on_watch=tuple(self.on_watch),
            cards=tuple(card_of(incident, directory, self._timing) for incident in shown),
            nodes=tuple(self._line(nodes, record, directory, now_at) for record in nodes.all()),
            rejected=rejections.lines(),
        )
        incidents.changed.clear()
        nodes.changed.clear()
        rejections.is_changed = False
        self._told = (self.is_broker_linked, self.is_disk_ok, board.on_watch)
        self._told_nodes = {record.node for record in nodes.all()}
        return board

    def change(
        self,
        incidents: Incidents,
        nodes: Nodes,
        rejections: Rejections | None,
        directory: Directory,
        now_at: datetime,
    ) -> Change | None:
        """What differs from what was told; ``rejections`` only now and then, a flood would be most of the feed."""
        told = (self.is_broker_linked, self.is_disk_ok, tuple(self.on_watch))
        has_rejections = rejections is not None and rejections.is_changed
        if not (incidents.changed or nodes.changed or has_rejections or told != self._told):
            return None
        cards = tuple(card_of(incident, directory, self._timing) for incident in incidents.changed.values())
        incidents.changed.clear()
        lines = []
        gone = []
        for node in tuple(nodes.changed):
            record = nodes.find(node)
            if record is not None:
                lines.append(self._line(nodes, record, directory, now_at))
                self._told_nodes.add(node)
            elif node in self._told_nodes:
                gone.append(node_text(node))
                self._told_nodes.discard(node)
        nodes.changed.clear()
        rejected = None
        if rejections is not None and has_rejections:
            rejections.is_changed = False
            rejected = rejections.lines()
        was_linked, was_disk_ok, was_on_watch = self._told
        self._told = told
        self.sequence += 1
        return Change(
            sequence=self.sequence,
            at=now_at,
            cards=cards,
            nodes=tuple(lines),
            gone_nodes=tuple(gone),
            on_watch=told[2] if told[2] != was_on_watch else None,
            is_broker_linked=told[0] if told[0] != was_linked else None,
            is_disk_ok=told[1] if told[1] != was_disk_ok else None,
            rejected=rejected,
        )

    def _line(self, nodes: Nodes, record: NodeRecord, directory: Directory, now_at: datetime) -> NodeLine:
        return nodes.line(record, directory, now_at, self._figures.of(record.node, now_at))
