"""What members have seen of one another's incidents, and the invariant about it.

| id | what must hold |
|---|---|
| I21 (N5) | when everything works again, every open incident has been on every member's panel as urgent as it is |
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Final

from central.core.incidents import Incidents
from node.core.screens import Face, Screen
from sim.broken import BrokenInvariantError
from sim.truth import Truth
from sim.watched import WatchedNode
from wire.directory import Directory
from wire.errors import DecodeError
from wire.frames import Alert
from wire.ids import FrameId, NodeId
from wire.kinds import MEMBERS_WARNED, PRIORITY, Priority, most_urgent

if TYPE_CHECKING:
    from central.core.incident import Incident
    from central.core.journal import JournalEntry

_FEW: Final = 8
"""The most open incidents that certainly all reach the panel in the time given to settle."""


class PanelInvariants:
    """Records the most urgent face of each incident at each premises."""

    def __init__(self, truth: Mapping[FrameId, Truth]) -> None:
        self._truth = truth
        self._shown: dict[tuple[NodeId, FrameId], Priority | None] = {}

    def on_panel(self, node: WatchedNode, screen: Screen) -> None:
        """A node's panel now shows this."""
        if screen.face is not Face.NEIGHBOUR:
            return
        try:
            alert = FrameId.parse(screen.concerns)
        except DecodeError:
            return
        truth = self._truth.get(alert)
        if truth is not None and isinstance(truth.signed.frame, Alert):
            at = (node.id, truth.signed.frame.incident_id)
            self._shown[at] = most_urgent(self._shown.get(at), screen.priority)

    def judge_warned(
        self,
        journal: Iterable[JournalEntry],
        directory: Directory,
        nodes: Iterable[WatchedNode],
        memberships: Mapping[NodeId, frozenset[int]],
        unjudged: frozenset[NodeId],
    ) -> None:
        """Everything works again and time has passed.

        Args:
            journal: central's.
            directory: central's.
            nodes: all of them.
            memberships: the schemes of each.
            unjudged: revoked or flooding, or with a silent attack of their own, which keeps the panel as it is (N4).
        """
        incidents = Incidents()
        for entry in journal:
            incidents.apply(entry, directory)
        is_open = [i for i in incidents.all() if i.is_open and i.kind in MEMBERS_WARNED and i.id.node not in unjudged]
        if len(is_open) > _FEW:
            return
        for node in nodes:
            for incident in is_open if node.id not in unjudged else ():
                if node.id != incident.id.node and memberships[node.id] & set(incident.schemes):
                    self._judge(node, incident)

    def _judge(self, node: WatchedNode, incident: Incident) -> None:
        shown = self._shown.get((node.id, incident.id))
        if shown is None or shown > PRIORITY[incident.kind]:
            was = "not at all" if shown is None else f"as {shown.name} at the most"
            raise BrokenInvariantError(
                f"I21: {incident.id.text} is an open {incident.kind.slug}, and was shown {was} at {node.name}"
            )
