"""The seam between the rules and the web."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from central.core.rights import Rights, Scope
from central.core.view import Action, Board, Change, Done, Person, Refused

DeliverChange = Callable[[Change], None]


class BoardPort(Protocol):
    """What the web is given. All methods are called on the web's asyncio loop and never block it."""

    @property
    def is_ok(self) -> bool:
        """Alerts can arrive and be stored: all that a stranger may know."""
        ...

    def board(self, scope: Scope) -> Board:
        """The newest board as seen in ``scope``, at the present time.

        Its ``boot_id`` and ``sequence`` are that scope's own: they tell nothing of what is outside it.
        """
        ...

    def subscribe(self, deliver: DeliverChange, scope: Scope, cut: Callable[[], None]) -> Callable[[], None]:
        """Call ``deliver`` on the web's loop with every change after the newest board of ``scope``.

        It must not block. Call what is returned to end it. Where the changes cannot go on, ``cut`` is called and
        nothing comes any more: whoever looks must have the board again.
        """
        ...

    async def act(self, action: Action, by: Person, rights: Rights) -> Done | Refused:
        """Carry out one action of ``by``, who acts in ``by.role``; returns after the commit.

        What is outside their rights is refused as if it did not exist.
        """
        ...
