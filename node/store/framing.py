"""What is stored, as a frame: a draft, numbered; and what kind of press a row is."""

from __future__ import annotations

import sqlite3

from node.core.effects import AlertDraft, CancelDraft, Draft, PathTestDraft, ResponseDraft
from wire.errors import DecodeError
from wire.frames import Alert, Cancel, Frame, PathTest, Response, decode
from wire.ids import NodeId
from wire.kinds import AlertKind


def framed(content: Draft, node: NodeId, counter: int, at_s: int) -> Frame:
    """The frame that says it."""
    match content:
        case AlertDraft():
            incident = counter if content.incident is None else content.incident
            return Alert(
                node, counter, at_s, content.kind, incident, content.schemes, silent=content.silent, drill=content.drill
            )
        case CancelDraft():
            return Cancel(node, counter, at_s, content.incident, content.reason, content.schemes)
        case ResponseDraft():
            return Response(node, counter, at_s, content.target, content.response, content.schemes)
        case PathTestDraft():
            return PathTest(node, counter, at_s, content.path)


def is_unreceipted_test(db: sqlite3.Connection, counter: int) -> bool:
    """Whether that row is a test that staff pressed (N12), and has no receipt yet."""
    row = db.execute("SELECT data FROM outbox WHERE counter = ? AND is_receipted = 0", (counter,)).fetchone()
    try:
        frame = decode(row[0]).frame if row else None
    except DecodeError:
        return False
    return isinstance(frame, Alert) and frame.kind is AlertKind.TEST
