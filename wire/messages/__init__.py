"""Everything that is not a frame: JSON, for people and other tools, checked and limited on arrival.

Times are RFC 3339 with a zone, and UTC once read. Unknown fields are ignored, so that a newer peer may send
more. Texts are cleaned by :func:`wire.text.display_text` before they are shown, not here: the message is kept as
it came.

A list that is too long is cut at its end when a message is *built*, so that a long night never produces a message
that its receiver would refuse whole. A receiver refuses a message over a limit.
"""

from __future__ import annotations

from wire.messages.coding import bytes_max, decode_message, encode_message
from wire.messages.fields import (
    INCIDENTS_MAX,
    MEMBERS_MAX,
    PARTS_MAX,
    PENDING_MAX,
    RECEIPTED_MAX,
    Count,
    Message,
    Moment,
    Name,
    NodeText,
    SchemeNumber,
    Slug,
    settle_moments,
)
from wire.messages.health import FaultReport, Health, MachineReport, RadioReport, SettingsReport, UpdateReport
from wire.messages.incident import Answer, Asked, IncidentState, MemberAnswer
from wire.messages.status import CentralStatus
from wire.messages.sync import PendingFrame, ReceiptedFrame, Sync, SyncAnswer

__all__ = [
    "INCIDENTS_MAX",
    "MEMBERS_MAX",
    "PARTS_MAX",
    "PENDING_MAX",
    "RECEIPTED_MAX",
    "Answer",
    "Asked",
    "CentralStatus",
    "Count",
    "FaultReport",
    "Health",
    "IncidentState",
    "MachineReport",
    "MemberAnswer",
    "Message",
    "Moment",
    "Name",
    "NodeText",
    "PendingFrame",
    "RadioReport",
    "ReceiptedFrame",
    "SchemeNumber",
    "SettingsReport",
    "Slug",
    "Sync",
    "SyncAnswer",
    "UpdateReport",
    "bytes_max",
    "decode_message",
    "encode_message",
    "settle_moments",
]
