"""A town's office for tests of central: it lists people, publishes, and signs tickets, with real keys.

Three lines sign somebody in: ``office = TownOffice()``, ``gate = office.gate()`` (or ``office.publish(folder)`` for a
central that runs), ``cookies = office.sign_in(url)``.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import httpx
from msgspec.structs import replace

from central.signin.errors import UsedError
from central.signin.gate import Gate
from central.signin.session import Session
from central.signin.sessions import Admission, Ended, Once
from runtime.atomic import PUBLIC, write_atomic
from wire.signing import PublicKey, SigningKey
from wire.snapshots import (
    AuditHead,
    People,
    PersonEntry,
    Premises,
    PremisesEntry,
    RoleEntry,
    RoleSlug,
    Town,
    file_name,
    seal_snapshot,
)
from wire.tickets import TICKET_LIFE_S, Ticket, nonce_of, sign_ticket

AUTHORITY = SigningKey(b"authority".ljust(32, b"."))
"""The one of :mod:`tests.support.central_town`."""
OFFICE_URL = "http://localhost:8090/"
PRIYA, PATEL = 1, 2
"""Accounts that every town office lists: Priya Shah of the CCTV control room, PCSO J Patel; both of schemes 1 and 2."""
COOKIE, DOOR = "watchlink_central", "watchlink_central_door"


def utc_now() -> datetime:
    return datetime.now(UTC)


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

    def extend(self, digest: str, expires_at: datetime) -> None:
        self.sessions[digest] = replace(self.sessions[digest], expires_at=expires_at)

    def end(self, ended: tuple[Ended, ...]) -> None:
        self.ended.update((one.digest, one) for one in ended)

    def live(self) -> tuple[Session, ...]:
        return tuple(one for one in self.sessions.values() if one.digest not in self.ended)

    def raise_head(self, head: AuditHead) -> AuditHead:
        if self.head is None or head.sequence > self.head.sequence:
            self.head = head
        return self.head


class TownOffice:
    """Change :attr:`people`, then :meth:`snapshot` or :meth:`publish` what they are now."""

    def __init__(self, authority: PublicKey = AUTHORITY.public, *, now: Callable[[], datetime] = utc_now) -> None:
        self.town = Town(authority)
        self.key = SigningKey(b"snapshot key".ljust(32, b"."))
        self.ticket_seed = b"ticket key".ljust(32, b".")
        self.people: dict[int, PersonEntry] = {}
        self.premises: tuple[PremisesEntry, ...] = ()
        self.audit = AuditHead(sequence=0, digest="0" * 64)
        self.number = 0
        self.now = now
        self.add("Priya Shah", "cctv")
        self.add("J Patel", "pcso")

    def add(self, name: str, role: RoleSlug = "cctv", *schemes: int) -> PersonEntry:
        """A new person with a role, in schemes 1 and 2 if none are given."""
        account = max(self.people, default=0) + 1
        roles = (RoleEntry(role=role, schemes=schemes or (1, 2)),)
        username = name.lower().replace(" ", ".")
        self.people[account] = PersonEntry(account=account, username=username, name=name, roles=roles)
        return self.people[account]

    def change(self, account: int, **fields: object) -> PersonEntry:
        """Change a person."""
        self.people[account] = replace(self.people[account], **fields)
        return self.people[account]

    def snapshot(self) -> People:
        """The next people snapshot."""
        self.number += 1
        return People(
            number=self.number,
            made_at=self.now(),
            audit=self.audit,
            ticket_key=SigningKey(self.ticket_seed).public.raw,
            people=tuple(self.people.values()),
        )

    def publish(self, folder: Path) -> None:
        """Write the next snapshot of each kind into ``folder``."""
        folder.mkdir(parents=True, exist_ok=True)
        people = self.snapshot()
        premises = Premises(number=people.number, made_at=people.made_at, audit=people.audit, premises=self.premises)
        for snapshot, name in ((premises, "premises"), (people, "people")):
            data = seal_snapshot(snapshot, self.town, self.key)
            write_atomic(folder / file_name(name, self.number), data, PUBLIC)  # type: ignore[arg-type]

    def gate(self, store: KeptSessions | None = None, *, office_url: str = OFFICE_URL) -> Gate:
        """Central's gate, with these people."""
        gate = Gate(self.town, store or KeptSessions(), self.now, office_url=office_url)
        gate.take_people(self.snapshot())
        return gate

    def ticket(self, account: int, secret: str, **changes: object) -> str:
        """A ticket for the browser with that secret."""
        now_s = int(self.now().timestamp())
        ticket = Ticket(
            id=secrets.token_hex(16),
            account=account,
            generation=self.people[account].generation,
            session=secrets.token_hex(16),
            nonce=nonce_of(secret),
            second_factor_age_s=0,
            issued_s=now_s,
            expires_s=now_s + TICKET_LIFE_S,
        )
        return sign_ticket(replace(ticket, **changes), self.town, self.ticket_seed)

    def sign_in(self, url: str, account: int = PRIYA, **changes: object) -> dict[str, str]:
        """Sign in over HTTP, as a browser does; returns its cookies."""
        with httpx.Client(base_url=url, timeout=60) as client:
            client.get("/").raise_for_status()
            entered = client.get("/enter", params={"ticket": self.ticket(account, client.cookies[DOOR], **changes)})
            if entered.status_code != httpx.codes.SEE_OTHER:
                raise ValueError(entered.text)
            return {COOKIE: client.cookies[COOKIE]}


async def open_session(gate: Gate, account: int = PRIYA) -> str:
    """Sign in without HTTP; returns the cookie's value."""
    register = gate.register
    person = register.person(account) if register else None
    assert person is not None
    admission = Admission(account=account, name=person.name, generation=person.generation, way="office")
    return await gate.sessions.begin(admission, "127.0.0.1", gate.now())
