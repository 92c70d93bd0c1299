"""Slows guessing by the address it comes from. A name is never locked: else anyone could lock everybody out."""

from __future__ import annotations

import ipaddress
from collections import OrderedDict
from typing import Final

FREE_FAILURES: Final = 5
FIRST_WAIT_S: Final = 5.0
LONGEST_WAIT_S: Final = 300.0
FORGOTTEN_AFTER_S: Final = 900.0
ADDRESSES_MAX: Final = 4_096


class Slowing:
    """After :data:`FREE_FAILURES`, each failure doubles the wait. Of too many addresses the oldest is dropped."""

    def __init__(self) -> None:
        self._failures: OrderedDict[str, tuple[int, float]] = OrderedDict()

    def wait_s(self, address: str, now_s: float) -> float:
        """How long this address must wait; 0 = it need not."""
        count, last_s = self._failures.get(network_of(address), (0, now_s))
        if now_s - last_s > FORGOTTEN_AFTER_S or count < FREE_FAILURES:
            return 0.0
        doubled = FIRST_WAIT_S * 2.0 ** min(count - FREE_FAILURES, 16)
        return max(0.0, last_s + min(LONGEST_WAIT_S, doubled) - now_s)

    def note_failure(self, address: str, now_s: float) -> None:
        """A wrong guess came from there."""
        network = network_of(address)
        count, last_s = self._failures.pop(network, (0, now_s))
        self._failures[network] = (1 if now_s - last_s > FORGOTTEN_AFTER_S else count + 1, now_s)
        if len(self._failures) > ADDRESSES_MAX:
            self._failures.popitem(last=False)

    def forget(self, address: str) -> None:
        """A right one came from there."""
        self._failures.pop(network_of(address), None)


def network_of(address: str) -> str:
    """What counts as one address: of version 6 its network, since whoever has one address of it has them all."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv4Address):
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.ip_network((parsed, 64), strict=False))
