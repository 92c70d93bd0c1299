"""Bytes from the air: verified within a budget, and deduplicated (N9).

Anyone with a radio can put bytes on the air, as many as the channel carries. So

- a frame whose bytes were verified a moment ago costs a digest, not a signature check;
- signature checks are limited to :data:`CHECKS_MAX` at once and then one per :data:`CHECK_MS`: more than real bursts
  need, since each takes most of a second;
- the memory of frames is limited, and cleared when the directory changes, since a sender may have lost its right.
"""

from __future__ import annotations

import hashlib
from typing import Final

from node.core.radio import answer_queue, channel_access, relays
from node.core.radio.bucket import spend
from node.core.turn import Turn
from wire.admission import Admitted, admit
from wire.errors import DecodeError
from wire.frames import Alert, Cancel, Frame, PathTest, Response, SignedFrame, decode
from wire.ids import FrameId

CHECKS_MAX: Final = 24
CHECK_MS: Final = 250
KNOWN_MAX: Final = 256
HEARD_MAX: Final = 512
RUNGS_MAX: Final = 128
RUNG_LIMITS_MS: Final = (1_350, 3_000)
"""Longest time from carrier to end of frame: for the first rung, for the second."""


def admitted(turn: Turn, data: bytes) -> Admitted | None:
    """The frame, if it may be acted on; else it is counted. Our own, replayed, is neither."""
    try:
        signed = decode(data)
    except DecodeError as error:
        turn.reject(error.reason)
        return None
    if signed.frame.sender == turn.settings.node:
        return None
    found = _known(turn, signed) or _checked(turn, signed)
    if found is None:
        return None
    _note_rung(turn, found.frame)
    turn.state.radio.bursts_heard = turn.state.radio.bursts_heard + 1
    channel_access.decoded(turn, is_member_alert=isinstance(found.frame, Alert | Cancel))
    targets = answer_queue.targets_of(found.frame)
    if targets:
        channel_access.receipted(turn)
        answer_queue.heard(turn, targets)
        relays.answered(turn, targets)
    _tell_once(turn, found.frame)
    relays.heard(turn, found)
    return found


def _known(turn: Turn, signed: SignedFrame) -> Admitted | None:
    radio = turn.state.radio
    if radio.known_serial != turn.state.directory.serial:
        turn.state.radio.known = ()
        turn.state.radio.known_serial = turn.state.directory.serial
        return None
    sender = turn.state.directory.senders.get(signed.frame.sender)
    digest = hashlib.sha256(signed.data).digest()
    return Admitted(signed, sender) if sender is not None and digest in radio.known else None


def _checked(turn: Turn, signed: SignedFrame) -> Admitted | None:
    if signed.frame.sender in turn.state.directory.senders:
        left = spend(turn.state.radio.checks, turn.now_ms, CHECKS_MAX, CHECK_MS)
        if left is None:
            turn.reject("air flood")
            return None
        turn.state.radio.checks = left
    try:
        found = admit(signed.data, turn.state.directory, None)
    except DecodeError as error:
        turn.reject(error.reason)
        return None
    digest = hashlib.sha256(signed.data).digest()
    turn.state.radio.known = (*turn.state.radio.known, digest)[-KNOWN_MAX:]
    return found


def _note_rung(turn: Turn, frame: Frame) -> None:
    """Note which rung the sender needed, by the time since its carrier came up: the answer needs it too."""
    radio = turn.state.radio
    if not radio.is_busy:
        return
    carrier_ms = turn.now_ms - radio.channel.since_ms
    rung = sum(carrier_ms > limit_ms for limit_ms in RUNG_LIMITS_MS)
    others = tuple(entry for entry in radio.rungs if entry[0] != frame.sender)
    turn.state.radio.rungs = (*others, (frame.sender, rung))[-RUNGS_MAX:]


def _tell_once(turn: Turn, frame: Frame) -> None:
    if not isinstance(frame, Alert | Cancel | Response | PathTest):
        return
    heard = turn.state.radio.heard
    frame_id: FrameId = frame.id
    if frame_id not in heard:
        turn.state.radio.heard = (*heard, frame_id)[-HEARD_MAX:]
        turn.fact("heard", frame_id, path="radio")
