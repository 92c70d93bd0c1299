"""Which notice goes out when: one message a minute to each address, the most urgent first, and never silence.

Pure: no clock, no socket. ``now_ms`` is monotonic.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator
from typing import Final

from msgspec import Struct

from notifier.outcome import Outcome, Sent
from wire.notices import Accepted, Delivered, Failed, Grouped, Notice, NotifierLine, Reason

MINUTE_MS: Final = 60_000
GATHER_MS: Final = 100
"""What is ordered in one breath goes out in one message."""
WAITING_MAX: Final = 2_000
KNOWN_MAX: Final = 4_096

Address = tuple[str, str, bool]
"""Way, number or endpoint, and whether it is a test: a test must arrive as itself, and is in nobody's way."""
_OCCASIONS: Final = {"alert": 0, "drill": 1, "shift": 2, "premises-alert": 3, "premises-fault": 4, "test": 5}
"""No drill ever hides an alert, and nothing that nobody is asked about hides either."""


class Message(Struct, frozen=True):
    """One message to one address.

    Attributes:
        lead: the most urgent notice: its occasion and reference are what is told.
        requests: of all notices that it tells of.
        references: of all of them: two schemes may ask about one alert.
        until_ms: when the lead stops being worth sending.
    """

    lead: Notice
    requests: tuple[str, ...]
    references: frozenset[str]
    until_ms: int


class _Waiting(Struct):
    notice: Notice
    came_ms: int
    until_ms: int
    is_told: bool = False


class _Phone(Struct):
    waiting: list[_Waiting]
    begun: list[tuple[int, tuple[int, int], tuple[str, ...]]]
    """Messages of the last minute: when, how urgent, of which requests."""


class Desk:
    """Holds the notices that wait, and what became of the last ones.

    Args:
        ways: those that are configured.
    """

    def __init__(self, ways: Iterable[str]) -> None:
        self._ways = frozenset(ways)
        self._phones: dict[Address, _Phone] = {}
        self._known: OrderedDict[str, NotifierLine] = OrderedDict()
        self._called_off: OrderedDict[str, None] = OrderedDict()
        self._waiting = 0

    def take(self, notice: Notice, now_ms: int) -> Iterator[NotifierLine]:
        """Take a notice. One that is known is only answered."""
        known = self._known.get(notice.request)
        if known is not None:
            yield known
            return
        if notice.way not in self._ways:
            yield self._say(Failed(request=notice.request, reason=Reason.NOT_CONFIGURED, words=_NO_GATEWAY[notice.way]))
            return
        phone = self._phones.setdefault(_address(notice), _Phone([], []))
        phone.waiting.append(_Waiting(notice, now_ms, now_ms + notice.valid_s * 1_000))
        self._waiting += 1
        self._called_off.pop(notice.reference, None)
        yield self._say(Accepted(request=notice.request))
        if self._waiting > WAITING_MAX:
            yield self._shed()

    def call_off(self, reference: str) -> Iterator[NotifierLine]:
        """Begin nothing more with this reference."""
        self._called_off[reference] = None
        while len(self._called_off) > KNOWN_MAX:
            self._called_off.popitem(last=False)
        for phone in self._phones.values():
            for one in [one for one in phone.waiting if one.notice.reference == reference]:
                yield self._drop(phone, one, Reason.CALLED_OFF)

    def is_wanted(self, message: Message) -> bool:
        """Whether it is worth trying again."""
        return not message.references.issubset(self._called_off)

    def due(self, now_ms: int) -> Iterator[NotifierLine | Message]:
        """What goes out now, the most urgent first, and what to say of those that wait."""
        messages: list[Message] = []
        for address, phone in [*self._phones.items()]:
            for one in [one for one in phone.waiting if one.until_ms <= now_ms]:
                yield self._drop(phone, one, Reason.EXPIRED)
            _forget_old(phone, now_ms)
            if not phone.waiting and not phone.begun:
                del self._phones[address]
            elif phone.waiting and now_ms >= _opens_ms(phone):
                message = self._message(phone, now_ms)
                messages.append(message)
                for request in message.requests:
                    if request != message.lead.request:
                        yield self._say(Grouped(request=request, wait_s=0))
            else:
                for one in phone.waiting:
                    if not one.is_told and now_ms >= one.came_ms + GATHER_MS:
                        one.is_told = True
                        wait_s = -(-(_opens_ms(phone) - now_ms) // 1_000)
                        yield self._say(Grouped(request=one.notice.request, wait_s=max(0, wait_s)))
        yield from sorted(messages, key=lambda message: _urgency(message.lead))

    def next_ms(self) -> int | None:
        """When :meth:`due` has something to do, at the earliest; ``None`` = nothing waits."""
        moments = [
            moment
            for phone in self._phones.values()
            if phone.waiting
            for moment in (
                _opens_ms(phone),
                *(one.until_ms for one in phone.waiting),
                *(one.came_ms + GATHER_MS for one in phone.waiting if not one.is_told),
            )
        ]
        return min(moments, default=None)

    def settle(self, message: Message, outcome: Outcome) -> Iterator[NotifierLine]:
        """It was sent or not. An address that was not told is free for the next message at once."""
        phone = self._phones.get(_address(message.lead))
        if phone is not None and not isinstance(outcome, Sent):
            phone.begun = [begun for begun in phone.begun if begun[2] != message.requests]
        for request in message.requests:
            if isinstance(outcome, Sent):
                yield self._say(Delivered(request=request))
            else:
                yield self._say(Failed(request=request, reason=outcome.reason, words=outcome.words))

    def _message(self, phone: _Phone, now_ms: int) -> Message:
        order = sorted(phone.waiting, key=lambda one: (_urgency(one.notice), one.came_ms))
        phone.waiting.clear()
        self._waiting -= len(order)
        requests = tuple(one.notice.request for one in order)
        phone.begun.append((now_ms, _urgency(order[0].notice), requests))
        references = frozenset(one.notice.reference for one in order)
        return Message(order[0].notice, requests, references, order[0].until_ms)

    def _shed(self) -> NotifierLine:
        phone, one = max(
            ((phone, one) for phone in self._phones.values() for one in phone.waiting),
            key=lambda pair: (_urgency(pair[1].notice), pair[1].came_ms),
        )
        return self._drop(phone, one, Reason.FULL)

    def _drop(self, phone: _Phone, one: _Waiting, reason: Reason) -> NotifierLine:
        phone.waiting.remove(one)
        self._waiting -= 1
        return self._say(Failed(request=one.notice.request, reason=reason, words=_WORDS[reason]))

    def _say(self, line: Accepted | Grouped | Delivered | Failed) -> NotifierLine:
        self._known[line.request] = line
        self._known.move_to_end(line.request)
        while len(self._known) > KNOWN_MAX:
            self._known.popitem(last=False)
        return line


_NO_GATEWAY: Final = {
    "push": "Web Push is not configured.",
    "sms": "No gateway for text messages is configured.",
    "email": "No server for e-mail is configured.",
}
_WORDS: Final = {
    Reason.CALLED_OFF: "It was answered before it went out.",
    Reason.EXPIRED: "Its time had passed before it could be sent.",
    Reason.FULL: "Too many notices wait.",
}


def _address(notice: Notice) -> Address:
    where = notice.subscription.endpoint if notice.subscription is not None else notice.to or ""
    return notice.way, where, notice.occasion == "test"


def _urgency(notice: Notice) -> tuple[int, int]:
    return _OCCASIONS[notice.occasion], notice.priority


def _forget_old(phone: _Phone, now_ms: int) -> None:
    phone.begun = [begun for begun in phone.begun if now_ms < begun[0] + MINUTE_MS]


def _opens_ms(phone: _Phone) -> int:
    """When the next message may go: at once if it is more urgent than all of the last minute."""
    urgency = min(_urgency(one.notice) for one in phone.waiting)
    gathered_ms = min(one.came_ms for one in phone.waiting) + GATHER_MS
    return max(gathered_ms, *(begun[0] + MINUTE_MS for begun in phone.begun if begun[1] <= urgency), 0)
