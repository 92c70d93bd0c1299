"""Arriving frames: through the one gate, :func:`wire.admission.admit`, then to the rules they concern."""

from __future__ import annotations

import hashlib

from node.core.events import FrameReceived
from node.core.link import answers, receipts
from node.core.neighbours import alerts as neighbours
from node.core.neighbours import inbox
from node.core.panel import gallery_lines
from node.core.radio import hearing
from node.core.turn import Turn
from wire.admission import Admitted, admit
from wire.answers import (
    Acknowledgement,
    AutomaticAcknowledgement,
    DigestReceipt,
    DigestReceiptBatch,
    Receipt,
    ReceiptBatch,
    Refusal,
)
from wire.errors import DecodeError
from wire.frames import Alert, Cancel, Response
from wire.kinds import Path


def frame_came(turn: Turn, event: FrameReceived) -> None:
    """Admit bytes that claim to be a frame; bad ones are counted and dropped."""
    ours = turn.settings.node
    if event.topic is not None and event.topic.node == ours:
        return  # Our own, returned by the broker.
    admitted = hearing.admitted(turn, event.data) if event.path is Path.RADIO else _admitted(turn, event)
    if admitted is None or admitted.frame.sender == ours:
        return
    frame = admitted.frame
    if admitted.sender.is_central:
        turn.state.central.highest_counter = max(turn.state.central.highest_counter, frame.counter)
        gallery_lines.heard(turn, frame.at_s)
    is_overheard = event.path is Path.RADIO  # Everyone hears a frame meant for one.
    match frame:
        case Receipt() | DigestReceipt() | Refusal() if not (is_overheard and frame.target.node != ours):
            receipts.came(turn, frame, event.path, admitted.sender, frame)
        case ReceiptBatch() | DigestReceiptBatch():
            for entry in frame.targets:
                if entry.target.node == ours:
                    receipts.came(turn, entry, event.path, admitted.sender, frame)
        case Acknowledgement() | AutomaticAcknowledgement() if not (is_overheard and frame.target.node != ours):
            answers.acknowledged(turn, frame, event.path)
        case Alert() | Cancel() | Response():
            _member_frame(turn, event, admitted, frame)
        case _:
            pass  # Someone else's, or of a kind that our health does not ask for.


def _admitted(turn: Turn, event: FrameReceived) -> Admitted | None:
    try:
        return admit(event.data, turn.state.directory, event.topic)
    except DecodeError as error:
        turn.reject(error.reason)
        return None


def _member_frame(turn: Turn, event: FrameReceived, admitted: Admitted, frame: Alert | Cancel | Response) -> None:
    schemes = set(frame.schemes)
    if event.topic is not None:
        scheme = turn.state.directory.scheme_by_slug(event.topic.scheme)
        schemes = {scheme.number} if scheme is not None else set()
    if schemes.isdisjoint(turn.settings.scheme_numbers):
        turn.reject("not our scheme")
        return
    if event.path is Path.RADIO and neighbours.is_stale(turn, frame):
        turn.reject("old on the air")
        return
    digest = hashlib.sha256(admitted.signed.data).digest()
    if not inbox.is_new(turn, frame.id, digest):
        return
    match frame:
        case Alert():
            neighbours.alert_came(turn, admitted, frame, digest)
        case Cancel():
            neighbours.cancel_came(turn, frame)
        case Response() if frame.target.node == turn.settings.node:
            answers.responded(turn, frame, admitted.sender)
        case Response():
            pass  # About someone else's alert: central's state covers it.
