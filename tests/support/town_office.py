"""A town's office for tests of central: people, snapshots and tickets with real keys.

Three lines sign somebody in at a page: ``office = TownOffice()``, ``gate = office.gate()`` for
:func:`central.web.app.create_app`, ``cookies = office.cookies(url)``. For a central that runs from a fleet's folder:
``office = StandInOffice.found(fleet)`` before it starts, then ``office.sign_in(url, account)``.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from central.core.rights import rights_of
from central.signin.errors import UsedError
from central.signin.gate import Gate
from central.signin.session import Session
from central.signin.sessions import Admission, Ended, Once, Recorded
from demo.stand_in_office import DOOR_COOKIE, OFFICE_URL, SESSION_COOKIE, StandInOffice
from wire.signing import PublicKey, SigningKey
from wire.snapshots import AuditHead

AUTHORITY = SigningKey(b"authority".ljust(32, b"."))
"""The one of :mod:`tests.support.central_town`."""
PRIYA, PATEL = 1, 2
"""Accounts that every town office lists: Priya Shah of the CCTV control room, PCSO J Patel; both of schemes 1 and 2."""
COOKIE, DOOR = SESSION_COOKIE, DOOR_COOKIE


class KeptSessions:
    """A disk in memory."""

    def __init__(self) -> None:
        self.sessions: dict[str, Session] = {}
        self.ended: dict[str, Ended] = {}
        self.used: set[str] = set()
        self.head: AuditHead | None = None

    def begin(self, session: Session, once: Once | None, now_at: datetime) -> None:
        if once is not None:
            if once.id in self.used:
                raise UsedError
            self.used.add(once.id)
        self.sessions[session.digest] = session

    def change(self, renewed: tuple[Session, ...], ended: tuple[Ended, ...]) -> None:
        self.sessions.update((one.digest, one) for one in renewed)
        self.ended.update((one.digest, one) for one in ended)

    def live(self) -> tuple[Session, ...]:
        return tuple(one for one in self.sessions.values() if one.digest not in self.ended)

    def recent(self, since: datetime, schemes: frozenset[int], accounts: frozenset[int]) -> tuple[Recorded, ...]:
        wanted = [
            one
            for one in self.sessions.values()
            if one.began_at >= since and (schemes & {*one.schemes} or (not one.schemes and one.account in accounts))
        ]
        ends = {one.digest: self.ended.get(one.digest) for one in wanted}
        found = [
            Recorded(one, end.at if end else None, end.why if end else None)
            for one in wanted
            for end in [ends[one.digest]]
        ]
        return tuple(sorted(found, key=lambda one: one.session.began_at, reverse=True))

    def raise_head(self, head: AuditHead) -> AuditHead:
        if self.head is None or head.sequence > self.head.sequence:
            self.head = head
        return self.head


class TownOffice(StandInOffice):
    """An office that lists Priya Shah and J Patel."""

    def __init__(self, authority: PublicKey = AUTHORITY.public, *, now: Callable[[], datetime] | None = None) -> None:
        super().__init__(authority, now=now)
        self.add("Priya Shah", "cctv")
        self.change(PRIYA, username="priya.shah")
        self.add("J Patel", "pcso")
        self.change(PATEL, username="j.patel")

    def gate(self, store: KeptSessions | None = None, *, office_url: str = OFFICE_URL) -> Gate:
        """Central's gate, with these people."""
        gate = Gate(
            self.town,
            store or KeptSessions(),
            self.now,
            office_url=office_url,
            wall_s=lambda: self.now().timestamp(),
        )
        gate.take_people(self.snapshot())
        return gate

    def cookies(self, url: str, account: int = PRIYA) -> dict[str, str]:
        """Sign in over HTTP, as a browser does; returns its cookies."""
        return {COOKIE: self.sign_in(url, account)}


async def open_session(gate: Gate, account: int = PRIYA) -> str:
    """Sign in without HTTP; returns the cookie's value."""
    register = gate.register
    person = register.person(account) if register else None
    assert person is not None
    admission = Admission(
        account=account,
        name=person.name,
        schemes=rights_of(person.roles).scope.schemes,
        generation=person.generation,
        way="office",
        second_factor_at=gate.now(),
    )
    return await gate.sessions.begin(admission, "127.0.0.1", gate.now())
