"""Which browser holds which button: a pin is low only while someone holds it."""

from __future__ import annotations

from demo.board import BoardLink


class Holds:
    """Buttons held down from browsers. A browser that leaves releases everything."""

    def __init__(self) -> None:
        self._here: set[str] = set()
        self._held: dict[tuple[BoardLink, str], set[str]] = {}

    def enter(self, client: str) -> None:
        """``client`` is here, until it leaves."""
        self._here.add(client)

    def hold(self, board: BoardLink, button: str, client: str) -> bool:
        """``client`` presses the button; false = it is not here, so nobody would notice that it leaves."""
        if client not in self._here:
            return False
        holders = self._held.setdefault((board, button), set())
        if not holders:
            board.drive(button, is_low=True)
        holders.add(client)
        return True

    def let_go(self, board: BoardLink, button: str, client: str) -> None:
        """``client`` releases it; the pin goes high when nobody else holds it."""
        holders = self._held.get((board, button), set())
        if client in holders:
            holders.discard(client)
            if not holders:
                del self._held[board, button]
                board.drive(button, is_low=False)

    def leave(self, client: str) -> None:
        """``client`` is gone."""
        self._here.discard(client)
        for board, button in tuple(self._held):
            self.let_go(board, button, client)
