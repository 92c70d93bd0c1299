"""What to say of a node that is ended: which command helps now, and under which number. Pure."""

from __future__ import annotations

from provisioning.records import FleetRecord, NodeRecord


def ended(record: FleetRecord, node: NodeRecord, command: str) -> str:
    """The sentences for whoever asked for that command.

    Args:
        record: the fleet's.
        node: revoked, or replaced.
        command: of ``watchlink fleet``, as for the unit that took its place.
    """
    who = f"{node.node} ({node.premises})"
    if node.replacement is None:
        return f"{who} is revoked: add the premises again, with '{adding(node)}'."
    new = node.replacement.node
    by = f"{who} was replaced already, by {new}"
    if any(claim.node == new for claim in record.claims):
        return f"{by}, which waits for its unit. Another label: 'watchlink fleet claim {new}'."
    if any(one.node == new for one in record.nodes):
        return f"{by}. If you mean that one: 'watchlink fleet {command} {new}'."
    return f"{by}, whose claim was taken back: add the premises again, with '{adding(node)}'."


def adding(node: NodeRecord) -> str:
    """The command that adds such a premises or gateway."""
    return "watchlink fleet add --gateway" if node.kind == "gateway" else "watchlink fleet add"
