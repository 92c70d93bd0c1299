"""Ends the duty of people who have no session left: shops must not be told that somebody is there who cannot answer.

Who presses Sign out has ended it, for the page says so beforehand; at every other end it is Watchlink itself. Whoever
has lost their account or role is the core's to take off duty: it has the same list of people.
"""

from __future__ import annotations

import asyncio
import logging

from central.core.board_port import BoardPort
from central.core.rights import Rights
from central.core.view import Action, EndDuty, Person, TakeOffDuty
from central.signin.gate import Gate
from central.signin.session import End, Session
from central.web.sign_in_words import RECORDED_ENDS

logger = logging.getLogger(__name__)


class OffDuty:
    """Follows the ends of sessions. Lives on the web's loop."""

    def __init__(self, gate: Gate, board: BoardPort) -> None:
        self._gate = gate
        self._board = board
        self._under_way: set[asyncio.Task[None]] = set()
        gate.sessions.on_end(self._take_end)

    def duties(self, account: int) -> list[Person]:
        """Of this person, as they are on duty now."""
        rights = self._gate.rights(account)
        return [one.person for one in self._board.board(rights.scope).on_duty if one.person.account == account]

    async def settle(self) -> None:
        """Wait until the ends of duty that are under way are on disk, or refused."""
        if self._under_way:
            await asyncio.wait(self._under_way)

    def _take_end(self, session: Session, why: End) -> None:
        if self._gate.sessions.of_account(session.account):
            return
        action: Action = EndDuty() if why == "signed-out" else TakeOffDuty(f"signed out: {RECORDED_ENDS[why]}")
        for person in self.duties(session.account):
            task = asyncio.get_running_loop().create_task(self._end(action, person, self._gate.rights(session.account)))
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)

    async def _end(self, action: Action, person: Person, rights: Rights) -> None:
        try:
            await self._board.act(action, person, rights)
        except Exception:  # If it fails, their duty ends by silence.
            logger.exception("the duty of somebody who is signed out was not ended")
