"""Whose waiting message is handled next: bounded in number and bytes, shared fairly between senders.

Two queues for each sender: messages that alerts depend on (frames, relayed frames, and the syncs that tell their age)
and the rest. All senders' alerts go before anyone's rest, and senders take turns, so a flood only delays its own
sender. A topic's owner is known without decoding: the broker lets nobody else publish there.
"""

from __future__ import annotations

from collections import Counter, OrderedDict, deque
from enum import Enum, auto
from typing import Final, Generic, TypeVar

from msgspec import Struct

M = TypeVar("M")

MESSAGES_MAX: Final = 12_000
"""Over twice what a storm of 5,000 brings at once. Memory that a flood has filled is not given back by Python."""
BYTES_MAX: Final = 16 * 1024 * 1024
SHARE: Final = 3
"""One sender may hold a third of the room left at the time: a quarter of all if alone; and however many flood, a sender
with nothing waiting finds room. A dynamic threshold (Choudhury and Hahne, 1998), as in packet switches."""
ALERTS_AT_ONCE: Final = 8
"""Of one sender per take, so that another's alert waits for a few of a flood and not for hundreds."""
REPORTS_WAITING_MAX: Final = 16
"""Of one sender's rest: a heartbeat is replaced by the next."""
REPORTS_AT_ONCE: Final = 32
"""Of everyone's rest, before alerts are looked for again."""
SENDERS_MAX: Final = 20_000
"""Budgets remembered; beyond that all start again."""


class _Kind(Enum):
    """What a message is, by its topic."""

    ALERT = auto()
    SYNC = auto()
    REPORT = auto()


_BUDGETS: Final = {_Kind.SYNC: (128, 2.0), _Kind.REPORT: (32, 4.0)}
"""Of one sender: at once, and per second. A node syncs once a minute, in parts after a restart of central, and reports
every ten seconds. Alerts have no budget: every one is committed."""


class _Bucket(Struct):
    """How many more messages a sender may send now."""

    left: float
    at_s: float


class FairQueue(Generic[M]):
    """The waiting messages. Not part of the machine's state: the rules have not seen them yet."""

    def __init__(self, messages_max: int = MESSAGES_MAX, bytes_max: int = BYTES_MAX) -> None:
        # In the order of their turns; only senders with something waiting.
        self._alerting: OrderedDict[str, deque[tuple[M, int]]] = OrderedDict()
        self._reporting: OrderedDict[str, deque[tuple[M, int]]] = OrderedDict()
        self._buckets: dict[tuple[str, _Kind], _Bucket] = {}
        self._messages_left = messages_max
        self._bytes_left = bytes_max
        self._bytes_of: dict[str, int] = {}

    @property
    def is_empty(self) -> bool:
        """Whether nothing waits."""
        return not (self._alerting or self._reporting)

    def put(self, message: M, *, topic: str, size: int, now_s: float) -> bool:
        """Whether there was room for it.

        If not, its sender gets no receipt and sends again, or the next heartbeat replaces it.

        Args:
            message: not looked at.
            topic: on which it arrived.
            size: in bytes, the topic included.
            now_s: monotonic seconds.
        """
        owner, kind = _owner(topic)
        if not self._has_room(owner, kind, size, now_s):
            return False
        turns = self._reporting if kind is _Kind.REPORT else self._alerting
        turns.setdefault(owner, deque()).append((message, size))
        self._messages_left -= 1
        self._bytes_left -= size
        self._bytes_of[owner] = self._bytes_of.get(owner, 0) + size
        return True

    def take(self, count_max: int) -> list[M]:
        """Those whose turn it is, alerts first."""
        messages: list[M] = []
        taken: Counter[str] = Counter()
        # A sender that has had its share of this take is first in line only if nobody else is in it.
        while self._alerting and len(messages) < count_max:
            owner = next(iter(self._alerting))
            if taken[owner] == ALERTS_AT_ONCE:
                break
            taken[owner] += 1
            messages.append(self._next(self._alerting))
        reports = min(REPORTS_AT_ONCE, count_max - len(messages))
        while self._reporting and reports > 0:
            messages.append(self._next(self._reporting))
            reports -= 1
        return messages

    def _next(self, turns: OrderedDict[str, deque[tuple[M, int]]]) -> M:
        owner, waiting = turns.popitem(last=False)
        message, size = waiting.popleft()
        if waiting:
            turns[owner] = waiting  # behind everyone else
        self._messages_left += 1
        self._bytes_left += size
        left = self._bytes_of[owner] - size
        if left:
            self._bytes_of[owner] = left
        else:
            del self._bytes_of[owner]
        return message

    def _has_room(self, owner: str, kind: _Kind, size: int, now_s: float) -> bool:
        if self._messages_left <= 0 or self._bytes_left < size:
            return False
        held_bytes = self._bytes_of.get(owner, 0)
        if held_bytes and (held_bytes + size) * SHARE > self._bytes_left:
            return False
        turns = self._reporting if kind is _Kind.REPORT else self._alerting
        held = len(turns.get(owner, ()))
        if held * SHARE >= self._messages_left or (kind is _Kind.REPORT and held >= REPORTS_WAITING_MAX):
            return False
        return kind is _Kind.ALERT or self._is_within_budget(owner, kind, now_s)

    def _is_within_budget(self, owner: str, kind: _Kind, now_s: float) -> bool:
        burst, per_s = _BUDGETS[kind]
        if len(self._buckets) >= SENDERS_MAX:
            self._buckets.clear()
        bucket = self._buckets.setdefault((owner, kind), _Bucket(burst, now_s))
        bucket.left = min(burst, bucket.left + (now_s - bucket.at_s) * per_s)
        bucket.at_s = now_s
        if bucket.left < 1:
            return False
        bucket.left -= 1
        return True


def _owner(topic: str) -> tuple[str, _Kind]:
    """A topic's owner, and what travels on it. A topic that is not ours belongs to nobody, as a report."""
    match topic.split("/", 6):
        case [_, _, "scheme", _, "frame", node]:
            return node, _Kind.ALERT
        case [_, _, "node", node, "up", "heard"]:
            return node, _Kind.ALERT
        case [_, _, "node", node, "up", "sync"]:
            return node, _Kind.SYNC
        case [_, _, "node", node, *_]:
            return node, _Kind.REPORT
    return "", _Kind.REPORT
