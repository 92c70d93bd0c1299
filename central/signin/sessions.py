"""The sessions that are open now, and their record on disk.

All are in memory, so that a request never waits for the disk. A new one is on disk before its browser hears of it; an
end counts at once, and is written again until the disk takes it. Lives on the web's loop.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import secrets
from collections import OrderedDict
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Final, Protocol

from msgspec import Struct
from msgspec.structs import replace

from central.signin.errors import RecordError
from central.signin.session import HELD_FOR, SESSIONS_EACH_MAX, SHIFT, End, Session, Way, is_long_over

logger = logging.getLogger(__name__)

ENDS_REMEMBERED_MAX: Final = 1_024
"""Of sessions that are over: what their browsers are told."""


class Once(Struct, frozen=True):
    """Something that opens the door once only.

    Attributes:
        id: unique among tickets and printed codes.
        until: when it may be forgotten; ``None`` = never.
    """

    id: str
    until: datetime | None


class Admission(Struct, frozen=True, kw_only=True):
    """Somebody who may come in; the fields are those of :class:`central.signin.session.Session`."""

    account: int
    name: str
    schemes: tuple[int, ...]
    generation: int
    way: Way
    office_session: str = ""
    second_factor_at: datetime | None = None
    once: Once | None = None


class Ended(Struct, frozen=True):
    """The end of a session, for the record."""

    digest: str
    at: datetime
    why: End


class Recorded(Struct, frozen=True):
    """A session in the record.

    Attributes:
        session: as it began.
        ended_at: ``None`` = it is open.
        why: how it ended.
    """

    session: Session
    ended_at: datetime | None = None
    why: End | None = None


class SessionStore(Protocol):
    """The disk. Its methods are called on any thread."""

    def begin(self, session: Session, once: Once | None, now_at: datetime) -> None:
        """Write a session and use up ``once``, both or neither.

        Raises:
            UsedError: it is used up already.
            RecordError: the disk refuses.
        """
        ...

    def change(self, renewed: tuple[Session, ...], ended: tuple[Ended, ...]) -> None:
        """Some last longer or are in more schemes, others are over; all or none. Raises ``RecordError``."""
        ...

    def live(self) -> tuple[Session, ...]:
        """Sessions without an end. Raises ``RecordError``."""
        ...

    def recent(self, since: datetime, schemes: frozenset[int], accounts: frozenset[int]) -> tuple[Recorded, ...]:
        """Sessions in these schemes that began since then, the newest first.

        Args:
            since: aware UTC.
            schemes: any one of them suffices.
            accounts: people of these schemes now: theirs are those whose schemes are not known.

        Raises:
            RecordError: the disk refuses.
        """
        ...


class Sessions:
    """Open sessions by the digest of their cookie."""

    def __init__(self, store: SessionStore, now_at: datetime) -> None:
        """Read the open sessions. One whose time ran out long ago, while central was down, is over.

        One that ran out just now is for whoever knows of attacks to judge.

        Raises:
            RecordError: the disk refuses.
        """
        self._store = store
        self._lock = asyncio.Lock()
        self._renewed: dict[str, Session] = {}
        self._ended: dict[str, Ended] = {}
        self._why: OrderedDict[str, End] = OrderedDict()
        self._listeners: list[Callable[[Session, End], None]] = []
        self._open: dict[str, Session] = {}
        for session in store.live():
            self._open[session.digest] = session
            if is_long_over(session, now_at):
                self.end(session, "shift-over", now_at)

    def __iter__(self) -> Iterator[Session]:
        """All, at this moment."""
        return iter(tuple(self._open.values()))

    def on_end(self, tell: Callable[[Session, End], None]) -> None:
        """Call ``tell`` whenever a session ends."""
        self._listeners.append(tell)

    def find(self, cookie: str | None) -> Session | None:
        """The open session of a cookie's value."""
        return None if not cookie else self._open.get(digest_of(cookie))

    def why_ended(self, cookie: str | None) -> End | None:
        """Why the session of a cookie's value is over; ``None`` = not known."""
        return None if not cookie else self._why.get(digest_of(cookie))

    def of_account(self, account: int) -> tuple[Session, ...]:
        """Those of one person, the oldest first."""
        return tuple(sorted((s for s in self._open.values() if s.account == account), key=lambda s: s.began_at))

    async def begin(self, admission: Admission, address: str, now_at: datetime) -> str:
        """Open a session; returns its cookie's value once it is on disk.

        Raises:
            UsedError: the ticket or code was used before.
            RecordError: the disk refuses.
        """
        cookie = secrets.token_urlsafe(32)
        session = Session(
            digest=digest_of(cookie),
            account=admission.account,
            name=admission.name,
            schemes=admission.schemes,
            generation=admission.generation,
            way=admission.way,
            office_session=admission.office_session,
            second_factor_at=admission.second_factor_at,
            address=address,
            began_at=now_at,
            expires_at=now_at + SHIFT,
        )
        async with self._lock:
            await asyncio.to_thread(self._store.begin, session, admission.once, now_at)
        self._open[session.digest] = session
        for oldest in self.of_account(session.account)[:-SESSIONS_EACH_MAX]:
            self.end(oldest, "too-many", now_at)
        return cookie

    def end(self, session: Session, why: End, now_at: datetime) -> None:
        """End a session now; :meth:`write` tells the disk."""
        if self._open.pop(session.digest, None) is None:
            return
        self._ended[session.digest] = Ended(session.digest, now_at, why)
        self._why[session.digest] = why
        if len(self._why) > ENDS_REMEMBERED_MAX:
            self._why.popitem(last=False)
        for tell in self._listeners:
            tell(session, why)

    def due(self, now_at: datetime) -> tuple[Session, ...]:
        """Those whose time is up."""
        return tuple(session for session in self._open.values() if session.expires_at <= now_at)

    def hold(self, session: Session, now_at: datetime) -> None:
        """Let a session go on a little: its person has an attack on their screen. One that is over stays over."""
        if session.digest in self._open:
            self._renew(replace(session, expires_at=now_at + HELD_FOR))

    def widen(self, session: Session, schemes: tuple[int, ...]) -> None:
        """Its person has a role in these schemes now; :meth:`write` tells the disk of any that are new."""
        mine = tuple(sorted({*session.schemes, *schemes}))
        if mine != session.schemes:
            self._renew(replace(session, schemes=mine))

    def _renew(self, session: Session) -> None:
        self._open[session.digest] = self._renewed[session.digest] = session

    async def write(self) -> bool:
        """Write what the disk does not know yet; what it refuses waits for the next time: false."""
        async with self._lock:
            return await asyncio.to_thread(self.write_now)

    def write_now(self) -> bool:
        """As :meth:`write`, on the caller's thread: for the end of the program."""
        renewed, ended = tuple(self._renewed.values()), tuple(self._ended.values())
        if not renewed and not ended:
            return True
        try:
            self._store.change(renewed, ended)
        except RecordError as e:
            changed = {one.digest for one in renewed} | {one.digest for one in ended}
            logger.warning("changes of %d sessions are not on disk yet: %s", len(changed), e)
            return False
        for one in renewed:
            if self._renewed.get(one.digest) is one:
                del self._renewed[one.digest]
        for over in ended:
            # It may be gone: another write was under way.
            self._ended.pop(over.digest, None)
        return True


def digest_of(cookie: str) -> str:
    """What is kept of a cookie's value."""
    return hashlib.sha256(f"watchlink/1/session\n{cookie}".encode(errors="surrogatepass")).hexdigest()
