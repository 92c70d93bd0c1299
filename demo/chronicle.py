"""Events in the town: its programs' facts, and the demo's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from msgspec import Struct, field

from demo.notice import Notice

CENTRAL: Final = "00000001"
"""Central's id; facts of the broker and of the demo itself have none."""
_ENVELOPE: Final = frozenset({"at_ms", "fact", "node", "alert", "premises"})


class Fact(Struct, frozen=True):
    """One line.

    Attributes:
        at_ms: since the chronicle began.
        fact: ``pressed``, ``stored`` … as in docs/facts.md.
        node: the reporter: a node's id, central's, or ``""``.
        alert: text id, or ``""``.
        detail: the rest.
    """

    at_ms: float
    fact: str
    node: str
    alert: str
    detail: Mapping[str, Any] = field(default_factory=dict)


Listener = Callable[[Fact], None]


class Chronicle:
    """Every fact since the start, as read; listeners are told at once.

    Attributes:
        began_ms: on the machine's monotonic clock.
        notice: told after each fact.
    """

    def __init__(self, began_ms: float, notice: Notice) -> None:
        self.notice = notice
        self.began_ms = began_ms
        self._facts: list[Fact] = []
        self._listeners: list[Listener] = []

    def __iter__(self) -> Iterator[Fact]:
        return iter(self._facts)

    def __len__(self) -> int:
        return len(self._facts)

    def listen(self, listener: Listener) -> None:
        """Tell ``listener`` every fact from now on."""
        self._listeners.append(listener)

    def take(self, node: str, line: Mapping[str, Any]) -> None:
        """Take one line of a program's fact log; lines that are not facts are ignored."""
        at_ms, fact = line.get("at_ms"), line.get("fact")
        if isinstance(at_ms, int | float) and isinstance(fact, str):
            detail = {key: value for key, value in line.items() if key not in _ENVELOPE}
            alert = line.get("alert")
            self._add(
                Fact(round(at_ms - self.began_ms, 3), fact, node, alert if isinstance(alert, str) else "", detail)
            )

    def say(self, now_ms: float, fact: str, node: str = "", **detail: object) -> None:
        """Add a fact of the demo's own: ``killed``, ``restarted`` … ``now_ms`` is on the machine's monotonic clock."""
        self._add(Fact(round(now_ms - self.began_ms, 3), fact, node, "", detail))

    def find(self, fact: str, *, node: str = "", alert: str = "", since: int = 0) -> Fact | None:
        """The first such fact, or ``None``; ``since`` counts facts, as ``len()`` does."""
        return next(iter(self.all(fact, node=node, alert=alert, since=since)), None)

    def all(self, fact: str, *, node: str = "", alert: str = "", since: int = 0) -> list[Fact]:
        """Every such fact, oldest first. Empty ``node`` or ``alert``: any."""
        return [
            known
            for known in self._facts[since:]
            if known.fact == fact and node in ("", known.node) and alert in ("", known.alert)
        ]

    def _add(self, fact: Fact) -> None:
        self._facts.append(fact)
        for listener in self._listeners:
            listener(fact)
        self.notice.tell()
