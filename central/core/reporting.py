"""What the fact log is told of a committed frame (docs/facts.md lists the facts)."""

from __future__ import annotations

from central.core.effects import ReportFact
from central.core.journal import FrameEntry
from wire.directory import Directory
from wire.frames import Alert, Cancel, PathTest, Response
from wire.ids import node_text


def facts_of(entry: FrameEntry, directory: Directory) -> list[ReportFact]:
    """One line; two for a late alert."""
    frame = entry.signed.frame
    sender = directory.senders.get(frame.sender)
    node, premises = node_text(frame.sender), sender.premises if sender else ""
    detail: tuple[tuple[str, str], ...] = ()
    if entry.relay is not None:
        detail = (("relay", node_text(entry.relay)),)
    detail = (("path", entry.path.value), *detail)
    match frame:
        case Alert():
            about = (("node", node), ("premises", premises), ("kind", frame.kind.slug))
            detail = (*about, ("incident", frame.incident_id.text), *detail)
            facts = [ReportFact("committed", frame.id, detail)]
            return [*facts, ReportFact("late", frame.id, detail)] if entry.is_late else facts
        case Cancel():
            detail = (("node", node), ("premises", premises), ("reason", frame.reason.slug), *detail)
            return [ReportFact("cancelled", frame.incident_id, detail)]
        case Response():
            detail = (("response", frame.response.slug), ("from_node", node), ("from_premises", premises), *detail)
            return [ReportFact("response", frame.target, detail)]
        case PathTest():
            return [ReportFact("path_test", frame.id, (("node", node), ("premises", premises), *detail))]
        case _:
            return []
