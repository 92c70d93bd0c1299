"""What the page was last told, and so what has changed."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from msgspec import field
from msgspec.structs import replace

from central.core.asking_lines import ShiftLine
from central.core.cards import bare_card, bare_line, card_of, shown_name
from central.core.duty import Duty
from central.core.figures import Figures
from central.core.groups import Group, Groups, Shown, asked_about
from central.core.incident import EPOCH, Incident
from central.core.incidents import Incidents
from central.core.nodes import NodeRecord, Nodes
from central.core.premises import PremisesBook
from central.core.rejections import Rejections
from central.core.rota import RotaBook
from central.core.set_aside import Spared
from central.core.timing import Timing
from central.core.undo import Record, Table
from central.core.view import OF_CENTRAL, Board, Card, Change, DutyKey, NodeLine, OnDuty, SchemeLine
from wire.directory import Directory
from wire.ids import NodeId, node_text


class Page(Record):
    """Makes the board once, and changes without gaps ever after."""

    _timing: Timing
    _figures: Figures
    _premises: PremisesBook
    _rota: RotaBook
    _duty: Duty
    # What cannot be drawn costs its own card or line, never the page.
    _spared: Spared
    sequence: int = 0
    boot_id: str = ""
    is_broker_linked: bool = False
    is_disk_ok: bool = True
    has_alerts_lane: bool = False
    has_reserve: bool = True
    clock_fault: str = ""
    missing: tuple[ShiftLine, ...] = ()
    on_duty: Table[DutyKey, OnDuty] = field(default_factory=Table)
    """Everyone on duty, by who they are."""
    _told: tuple[tuple[str, Any], ...] = ()
    _told_nodes: Table[NodeId, None] = field(default_factory=Table)
    _groups: Groups = field(default_factory=Table)
    _told_cards: Table[NodeId, tuple[Shown, ...]] = field(default_factory=Table)

    def board(
        self, incidents: Incidents, nodes: Nodes, rejections: Rejections, directory: Directory, now_at: datetime
    ) -> Board:
        """The whole board; everything on it counts as told."""
        oldest_at = now_at - self._timing.closed_shown
        self._groups = Table()
        self._told_cards = Table()
        # A group relies on the order in which its incidents changed; the journal's is that of their opening.
        for incident in sorted(incidents.all(), key=lambda one: (one.closed_at or EPOCH, one.pressed_entry)):
            self._group(incident.id.node).take(incident)
        cards: list[Card] = []
        for node, group in self._groups.items():
            shown = group.shown(oldest_at, incidents.left_open.get(node, 0))
            self._told_cards[node] = shown
            cards += self._cards(shown, incidents, directory)
        board = Board(
            sequence=self.sequence,
            at=now_at,
            boot_id=self.boot_id,
            is_broker_linked=self.is_broker_linked,
            is_disk_ok=self.is_disk_ok,
            has_alerts_lane=self.has_alerts_lane,
            has_reserve=self.has_reserve,
            clock_fault=self.clock_fault,
            on_duty=self.people(now_at),
            cards=tuple(cards),
            nodes=tuple(self._line(nodes, record, directory, now_at) for record in nodes.all()),
            rejected=rejections.lines(),
            schemes=schemes_of(directory),
            next_shifts=self._rota.next_shifts(now_at),
            missing=self.missing,
            went_off=self._duty.went_off(now_at),
            premises=self._premises.all_lines(),
        )
        incidents.changed.clear()
        incidents.gone.clear()
        incidents.back.clear()
        nodes.changed.clear()
        rejections.is_changed = False
        self._told = self._telling(directory, now_at)
        self._told_nodes = Table((record.node, None) for record in nodes.all())
        return board

    def change(
        self,
        incidents: Incidents,
        nodes: Nodes,
        rejections: Rejections | None,
        directory: Directory,
        now_at: datetime,
    ) -> Change | None:
        """What has changed; ``rejections`` only now and then: a flood would be most of the feed."""
        told = self._telling(directory, now_at)
        has_rejections = rejections is not None and rejections.is_changed
        has_premises = self._premises.is_changed
        if not (incidents.changed or nodes.changed or has_rejections or has_premises or told != self._told):
            return None
        cards, gone_cards = self._changed_cards(incidents, directory, now_at)
        lines = []
        gone = []
        for node in tuple(nodes.changed):
            record = nodes.find(node)
            if record is not None:
                lines.append(self._line(nodes, record, directory, now_at))
                self._told_nodes[node] = None
            elif node in self._told_nodes:
                gone.append(node_text(node))
                del self._told_nodes[node]
        nodes.changed.clear()
        rejected = None
        if rejections is not None and has_rejections:
            rejections.is_changed = False
            rejected = rejections.lines()
        with_cards = (node for node, shown in self._told_cards.items() if shown)
        premises, gone_premises = self._premises.take_changed(with_cards) if has_premises else ((), ())
        differs = dict(now for now, before in zip(told, self._told, strict=True) if now != before)
        self._told = told
        self.sequence += 1
        return Change(
            sequence=self.sequence,
            at=now_at,
            cards=cards,
            gone_cards=gone_cards,
            nodes=tuple(lines),
            gone_nodes=tuple(gone),
            rejected=rejected,
            premises=premises,
            gone_premises=gone_premises,
            **differs,
        )

    def _telling(self, directory: Directory, now_at: datetime) -> tuple[tuple[str, Any], ...]:
        of_central = ((name, getattr(self, name)) for name in OF_CENTRAL)
        of_town = ("schemes", schemes_of(directory)), ("next_shifts", self._rota.next_shifts(now_at))
        of_duty = ("on_duty", self.people(now_at)), ("went_off", self._duty.went_off(now_at)), ("missing", self.missing)
        return (*of_central, *of_duty, *of_town)

    def people(self, now_at: datetime) -> tuple[OnDuty, ...]:
        """Everyone on duty, and whether a page of theirs is open."""
        return tuple(
            one if self._duty.has_page(key, now_at, self._timing.page_counts_for) else replace(one, has_page=False)
            for key, one in self.on_duty.items()
        )

    def _changed_cards(
        self, incidents: Incidents, directory: Directory, now_at: datetime
    ) -> tuple[tuple[Card, ...], tuple[str, ...]]:
        """Of premises where something has changed: new and changed cards, and keys of those that are gone."""
        changed = dict(incidents.changed)
        incidents.changed.clear()
        for incident in changed.values():
            self._group(incident.id.node).take(incident)
        dropped, back = tuple(incidents.gone), tuple(incidents.back)
        incidents.gone.clear()
        incidents.back.clear()
        for incident_id in dropped:
            self._group(incident_id.node).drop(incident_id)
        for node in back:
            self._group(node).sort()
        cards: list[Card] = []
        gone: list[str] = []
        for node in dict.fromkeys(incident_id.node for incident_id in (*changed, *dropped)):
            before, left_open = self._told_cards.get(node, ()), incidents.left_open.get(node, 0)
            shown = self._groups[node].shown(now_at - self._timing.closed_shown, left_open)
            self._told_cards[node] = shown
            # A card that stands for many open ones also says who is asked about the others.
            fresh = tuple(one for one in shown if one not in before or one.incident in changed or one.through)
            cards += self._cards(fresh, incidents, directory)
            kept = {one.key for one in shown}
            gone += [one.key.text for one in before if one.key not in kept]
        return tuple(cards), tuple(gone)

    def _cards(self, shown: tuple[Shown, ...], incidents: Incidents, directory: Directory) -> list[Card]:
        # Where a clock was set, one closed long ago may be forgotten: its card is no reason to fail.
        known = [one for one in shown if one.incident in incidents.by_id]
        return [self._card(incidents.by_id[one.incident], incidents, directory, one) for one in known]

    def _card(self, incident: Incident, incidents: Incidents, directory: Directory, shown: Shown) -> Card:
        def draw() -> Card:
            about = (incident,) if not shown.through else asked_about(incidents.of(incident.id.node))
            asking = next((one.asking for one in about if one.asking), None)
            return card_of(incident, directory, self._timing, shown, asking.values() if asking else ())

        drawn = self._spared(draw, incident.id, incident.id.node)
        return drawn or bare_card(incident, shown)

    def _group(self, node: NodeId) -> Group:
        return self._groups.setdefault(node, Group())

    def _line(self, nodes: Nodes, record: NodeRecord, directory: Directory, now_at: datetime) -> NodeLine:
        def draw() -> NodeLine:
            return nodes.line(record, directory, now_at, self._figures.of(record.node, now_at))

        drawn = self._spared(draw, f"line of {node_text(record.node)}", record.node)
        return drawn or bare_line(node_text(record.node), tuple(sorted(record.sender.schemes)))


def schemes_of(directory: Directory) -> tuple[SchemeLine, ...]:
    """The town's schemes as the page has them."""
    return tuple(SchemeLine(one.number, one.slug, shown_name(one.name)) for one in directory.schemes.values())
