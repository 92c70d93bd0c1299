"""A sync answer on the wire: one message where it fits, else parts with one nonce, put together before they are read.

Only a node that asked with a nonce knows of parts. Any other gets one message, cut from its end to what fits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

import msgspec

from wire.limits import MESSAGE_BYTES_MAX
from wire.messages import INCIDENTS_MAX, IncidentState, SyncAnswer, encode_message

_INCIDENTS_BYTES_MAX: Final = MESSAGE_BYTES_MAX - 16_000
"""In one part, beside the rest of the answer."""


def split_sync_answer(
    answer: SyncAnswer, encoded: Callable[[IncidentState], bytes] = encode_message
) -> tuple[bytes, ...]:
    """The payloads that carry it. The first bears what is missing; each bears some of the incidents, in their order.

    Args:
        answer: to be said.
        encoded: one state as JSON, read back: thousands of answers bear the same states.
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
    """Puts one answer together at a time; a part of another begins that one."""

    def __init__(self) -> None:
        self._key: tuple[str, str, int, int] | None = None
        self._held: dict[int, tuple[SyncAnswer, bool]] = {}

    def take(self, answer: SyncAnswer, *, is_signed: bool) -> tuple[SyncAnswer, bool] | None:
        """The whole answer and whether all of it is signed by central; ``None`` while parts are missing."""
        if answer.parts == 1:
            return answer, is_signed
        if answer.parts > INCIDENTS_MAX:
            return None  # each part has one incident at least, so nobody honest says so
        key = (answer.boot_id, answer.nonce, answer.sequence, answer.parts)
        if key != self._key:
            self._key, self._held = key, {}
        if is_signed or answer.part not in self._held:  # what anyone may say takes no signed part's place
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
    """As many in each as fit; one at least."""
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
