"""Has people told on their phones: what the core orders becomes notices, and what became of them its events.

It says whom the notifier can reach now, and how. Every method may be called on any thread, and none waits.
"""

from __future__ import annotations

import hashlib
import logging
import threading
from collections.abc import Callable, Iterator
from typing import Final

from msgspec import Struct

from central.core import effects as do
from central.core import events as ev
from central.core.escalation import ENDED_MAX
from central.phones import Phones
from wire.notices import VALID_S_MAX, Delivered, Failed, Notice, NotifierLine, Occasion, Reason, Subscription
from wire.snapshots import People, Way, WayEntry

logger = logging.getLogger(__name__)

VALID_S_MIN: Final = 90
"""A phone gets one message a minute; what waits for its end must still be worth sending. An answer calls it off."""
TOLD_AT_ONCE_MAX: Final = 200
"""Of what nobody is asked about: what is beyond it is not sent, so that it never fills the notifier's queue."""
LEAST_URGENT: Final = 5
_REQUEST_CHARS: Final = 32


class _Pending(Struct, frozen=True):
    """Messages to one person by one way: delivered if one of them is, failed if all have."""

    order: do.Ask
    account: int
    way: Way
    left: frozenset[str]


class Telling:
    """Between the core, people's phones and the notifier.

    Args:
        phones: where pushes go.
        order: has the notifier tell somebody.
        call_off: has it begin nothing more with a reference.
        ways: those that it has now.
        is_sure: whether it has said so.
        put: takes events for the core.
    """

    def __init__(
        self,
        phones: Phones,
        *,
        order: Callable[[Notice], None],
        call_off: Callable[[str], None],
        ways: Callable[[], tuple[str, ...]],
        is_sure: Callable[[], bool],
        put: Callable[[ev.Event], None],
    ) -> None:
        self._phones = phones
        self._order = order
        self._call_off = call_off
        self._ways = ways
        self._is_sure = is_sure
        self._put = put
        self._lock = threading.Lock()
        self._addresses: dict[int, tuple[WayEntry, ...]] = {}
        self._accounts: tuple[int, ...] = ()
        self._told = ev.WaysChanged(())
        self._pending: dict[str, _Pending] = {}
        # Requests of what nobody is asked about, without a result.
        self._untold: set[str] = set()

    def take_people(self, people: People) -> None:
        """Their telephone numbers and addresses are those of the newest list; the others' phones are forgotten."""
        self._phones.take_people(people)
        self._addresses = {person.account: person.ways for person in people.people}
        self._accounts = tuple(person.account for person in people.people)
        self.look()

    def look(self) -> None:
        """Tell the core whom the notifier can reach now, if that has changed."""
        known, is_sure = self._ways(), self._is_sure()
        with self._lock:
            found = tuple((account, ways) for account in self._accounts if (ways := self._ways_of(account, known)))
            changed = ev.WaysChanged(found, is_sure)
            if changed == self._told:
                return
            self._told = changed
            self._put(changed)

    def carry_out(self, order: do.Ask | do.CallOff | do.Tell) -> None:
        """As the core orders."""
        match order:
            case do.Ask():
                self.ask(order)
            case do.CallOff():
                self.call_off(order)
            case do.Tell():
                self.tell(order)

    def ask(self, order: do.Ask) -> None:
        """As the core orders."""
        for account, ways in order.people:
            for way in ways:
                notices = tuple(self._notices(order, account, way))
                if not notices:
                    self._end(_Pending(order, account, way, frozenset()), "There is nothing to reach them by any more.")
                    continue
                pending = _Pending(order, account, way, frozenset(notice.request for notice in notices))
                with self._lock:
                    self._pending.update((request, pending) for request in pending.left)
                    while len(self._pending) > ENDED_MAX:
                        del self._pending[next(iter(self._pending))]
                for notice in notices:
                    self._order(notice)

    def tell(self, order: do.Tell) -> None:
        """As the core orders; nothing is heard of it again."""
        for account, ways in order.people:
            for way in ways:
                # Of numbers and addresses the first is enough: nobody is waited for.
                for where in self._addresses_of(account, way)[: None if way == "push" else 1]:
                    notice = Notice(
                        request=_request(f"{order.occasion} {order.about} {account} {way} {where}"),
                        account=account,
                        way=way,
                        to=where if isinstance(where, str) else None,
                        subscription=None if isinstance(where, str) else where,
                        priority=LEAST_URGENT,
                        occasion=order.occasion,
                        reference=order.occasion,
                        valid_s=min(VALID_S_MAX, max(VALID_S_MIN, order.valid_s)),
                    )
                    with self._lock:
                        is_too_much = len(self._untold) >= TOLD_AT_ONCE_MAX
                        if not is_too_much:
                            self._untold.add(notice.request)
                    if is_too_much:
                        logger.warning("too much to tell at once: somebody is not told (%s)", order.occasion)
                    else:
                        self._order(notice)

    def call_off(self, order: do.CallOff) -> None:
        """It was answered."""
        self._call_off(self._phones.reference(order.incident.text))

    def take_report(self, notice: Notice, report: NotifierLine) -> None:
        """What became of a notice."""
        self._phones.take_report(notice, report)
        if not isinstance(report, Delivered | Failed):
            return
        words = report.words or report.reason if isinstance(report, Failed) else ""
        with self._lock:
            self._untold.discard(report.request)
            pending = self._pending.pop(report.request, None)
            if pending is None:
                return
            others = pending.left - {report.request}
            if isinstance(report, Delivered):
                for request in others:
                    self._pending.pop(request, None)
            elif others:
                left = _Pending(pending.order, pending.account, pending.way, others)
                self._pending.update((request, left) for request in others)
                return
        if not isinstance(report, Failed) or report.reason != Reason.CALLED_OFF:  # It could have gone out.
            self._end(pending, words)

    def _ways_of(self, account: int, known: tuple[str, ...]) -> tuple[Way, ...]:
        found: list[Way] = ["push"] if any(phone.proven_at for phone in self._phones.of(account)) else []
        found += [one.way for one in self._addresses.get(account, ())]
        return tuple(way for way in dict.fromkeys(found) if way in known)

    def _notices(self, order: do.Ask, account: int, way: Way) -> Iterator[Notice]:
        occasion: Occasion = "drill" if order.is_drill else "alert"
        for address in self._addresses_of(account, way):
            yield Notice(
                request=_request(f"{order.incident.text} {order.entry} {account} {way} {address}"),
                account=account,
                way=way,
                to=address if isinstance(address, str) else None,
                subscription=None if isinstance(address, str) else address,
                priority=order.priority,
                occasion=occasion,
                reference=self._phones.reference(order.incident.text),
                valid_s=max(VALID_S_MIN, order.valid_s),
            )

    def _addresses_of(self, account: int, way: Way) -> tuple[Subscription | str, ...]:
        if way == "push":
            return tuple(phone.subscription for phone in self._phones.of(account) if phone.proven_at)
        return tuple(one.to for one in self._addresses.get(account, ()) if one.way == way)

    def _end(self, pending: _Pending, words: str) -> None:
        order = pending.order
        self._put(
            ev.NoticeEnded(
                order.incident,
                order.scheme,
                order.entry,
                pending.account,
                pending.way,
                is_delivered=not words,
                words=words,
            )
        )


def _request(named: str) -> str:
    """The same after a restart: the notifier sends nothing twice that it knows."""
    return hashlib.sha256(named.encode()).hexdigest()[:_REQUEST_CHARS]
