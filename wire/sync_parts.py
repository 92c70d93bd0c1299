"""A sync answer on the wire: one message if it fits, else parts with one nonce, assembled before they are read.

Only a node that asked with a nonce knows parts. Any other gets one message, cut at its end to what fits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

import msgspec

from wire.limits import MESSAGE_BYTES_MAX
from wire.messages import INCIDENTS_MAX, IncidentState, SyncAnswer, encode_message

_INCIDENTS_BYTES_MAX: Final = MESSAGE_BYTES_MAX - 16_000
"""Incidents in one part, leaving room for the rest of the answer."""


def split_sync_answer(
    answer: SyncAnswer, encoded: Callable[[IncidentState], bytes] = encode_message
) -> tuple[bytes, ...]:
    """The payloads that carry it. The first has ``missing``; each has some of the incidents, in order.

    Args:
        answer: what to send.
        encoded: one state as checked JSON; thousands of answers share the same states.
    """
    if not answer.nonce or not answer.incidents:
        return (encode_message(answer),)
    groups = list(_groups(map(encoded, answer.incidents)))
    payloads = []
    for number, group in enumerate(groups, start=1):
        missing = answer.missing if number == 1 else ()
        rest = msgspec.structs.replace(answer, incidents=(), missing=missing, part=number, parts=len(groups))
        payloads.append(encode_message(rest)[:-1] + b',"incidents":[' + b",".join(group) + b"]}")
    return tuple(payloads)


class SyncAnswerParts:
    """Assembles one answer at a time; a part of another starts over."""

    def __init__(self) -> None:
        self._key: tuple[str, str, int, int] | None = None
        self._held: dict[int, tuple[SyncAnswer, bool]] = {}

    def take(self, answer: SyncAnswer, *, is_signed: bool) -> tuple[SyncAnswer, bool] | None:
        """The whole answer and whether all of it is signed by central; ``None`` while parts are missing."""
        if answer.parts == 1:
            return answer, is_signed
        if answer.parts > INCIDENTS_MAX:
            return None  # each part has at least one incident, so no honest answer has more parts
        key = (answer.boot_id, answer.nonce, answer.sequence, answer.parts)
        if key != self._key:
            self._key, self._held = key, {}
        if is_signed or answer.part not in self._held:  # an unsigned part never replaces a signed one
            self._held[answer.part] = (answer, is_signed)
        if len(self._held) < answer.parts:
            return None
        parts = [self._held[number] for number in range(1, answer.parts + 1)]
        self._key, self._held = None, {}
        whole = msgspec.structs.replace(
            parts[0][0],
            incidents=tuple(state for part, _ in parts for state in part.incidents),
            missing=tuple(counter for part, _ in parts for counter in part.missing),
            part=1,
            parts=1,
        )
        return whole, all(signed for _, signed in parts)


def _groups(states: Iterable[bytes]) -> Iterable[tuple[bytes, ...]]:
    """States grouped so that each group fits a part; at least one state each."""
    group: list[bytes] = []
    size = 0
    for state in states:
        state_bytes = len(state) + 1
        if group and size + state_bytes > _INCIDENTS_BYTES_MAX:
            yield tuple(group)
            group, size = [], 0
        group.append(state)
        size += state_bytes
    if group:
        yield tuple(group)
