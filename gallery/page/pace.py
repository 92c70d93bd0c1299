"""How much one address may ask for. Pure."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from runtime.slowing import network_of

PER_S: Final = 20.0
BURST: Final = 150.0
"""A page with its pictures, opened a few times in a row."""
ADDRESSES_MAX: Final = 256


class Pace:
    """A bucket for each address, from which each request takes one. Of too many addresses the oldest is forgotten."""

    def __init__(self) -> None:
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def is_too_fast(self, address: str, now_s: float) -> bool:
        """Count a request; returns whether it is one too many."""
        network = network_of(address)
        left, at_s = self._buckets.pop(network, (BURST, now_s))
        left = min(BURST, left + (now_s - at_s) * PER_S)
        is_too_fast = left < 1
        self._buckets[network] = (left if is_too_fast else left - 1, now_s)
        if len(self._buckets) > ADDRESSES_MAX:
            self._buckets.popitem(last=False)
        return is_too_fast
