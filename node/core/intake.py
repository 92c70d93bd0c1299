"""Frames that arrive: through the one gate of :func:`wire.admission.admit`, then to whom they concern."""

from __future__ import annotations

import hashlib

from node.core import answers, delivery, neighbours
from node.core.events import FrameReceived
from node.core.turn import Turn
from wire.admission import Admitted, admit
from wire.errors import DecodeError
from wire.frames import Acknowledgement, Alert, Cancel, PathTest, Receipt, Response


def frame_came(turn: Turn, event: FrameReceived) -> None:
    """Bytes that claim to be a frame. Whatever is wrong with them is counted and dropped."""
    ours = turn.settings.node
    if event.topic is not None and event.topic.node == ours:
        return  # Our own, come back from the broker.
    try:
        admitted = admit(event.data, turn.state.directory, event.topic)
    except DecodeError as error:
        turn.reject(error.reason)
        return
    frame = admitted.frame
    if frame.sender == ours:
        return
    match frame:
        case Receipt():
            delivery.receipt(turn, frame, event.path)
        case Acknowledgement():
            answers.acknowledged(turn, frame)
        case PathTest():
            pass  # Another node's proof of its own path.
        case Alert() | Cancel() | Response():
            _member_frame(turn, event, admitted, frame)


def _member_frame(turn: Turn, event: FrameReceived, admitted: Admitted, frame: Alert | Cancel | Response) -> None:
    schemes = set(frame.schemes)
    if event.topic is not None:
        scheme = turn.state.directory.scheme_by_slug(event.topic.scheme)
        schemes = {scheme.number} if scheme is not None else set()
    if schemes.isdisjoint(turn.settings.scheme_numbers):
        turn.reject("not our scheme")
        return
    digest = hashlib.sha256(admitted.signed.data).digest()
    if not neighbours.is_new(turn, frame.id, digest):
        return
    match frame:
        case Alert():
            neighbours.alert_came(turn, admitted, frame, digest)
        case Cancel():
            neighbours.cancel_came(turn, frame)
        case Response() if frame.target.node == turn.settings.node:
            answers.responded(turn, frame, admitted.sender)
        case Response():
            pass  # About somebody else's alert: central's state tells of it.
