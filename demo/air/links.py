"""The links between stations: who hears whom, and how well."""

from __future__ import annotations

from typing import Final

CNR_DB: Final = 25.0
"""Default carrier-to-noise ratio of a link: a radio in the same street."""
CNR_DB_RANGE: Final = (-10.0, 60.0)


class Links:
    """Links between pairs of stations, the same both ways.

    Attributes:
        cnr_db: of links that are not set.
    """

    def __init__(self, cnr_db: float = CNR_DB) -> None:
        self.cnr_db = cnr_db
        self._set: dict[frozenset[str], float] = {}
        self._blocked: set[frozenset[str]] = set()

    @property
    def blocked(self) -> tuple[tuple[str, ...], ...]:
        """Pairs that cannot hear each other."""
        return tuple(sorted(tuple(sorted(pair)) for pair in self._blocked))

    def block(self, a: str, b: str, *, is_blocked: bool) -> None:
        """Block or unblock a link."""
        (self._blocked.add if is_blocked else self._blocked.discard)(frozenset((a, b)))

    def set_cnr(self, cnr_db: float | None, a: str = "", b: str = "") -> None:
        """Set all links (no name), one station's, or one link; ``None`` resets.

        Raises:
            ValueError: out of range.
        """
        if cnr_db is not None and not CNR_DB_RANGE[0] <= cnr_db <= CNR_DB_RANGE[1]:
            raise ValueError(f"a carrier-to-noise ratio is {CNR_DB_RANGE[0]:.0f} … {CNR_DB_RANGE[1]:.0f} dB")
        if not (a or b):
            self.cnr_db = CNR_DB if cnr_db is None else cnr_db
            return
        stations = frozenset((a, b)) - {""}
        if cnr_db is None:
            self._set.pop(stations, None)
        else:
            self._set[stations] = cnr_db

    def cnr_between(self, a: str, b: str) -> float | None:
        """How well the two hear each other; ``None`` = not at all."""
        pair = frozenset((a, b))
        if pair in self._blocked:
            return None
        if pair in self._set:
            return self._set[pair]
        return min(self._set.get(frozenset((station,)), self.cnr_db) for station in pair)
