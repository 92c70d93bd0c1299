"""Stands in for the office of a town on one machine: it lists people, publishes snapshots and signs tickets.

With real keys and real HTTP, so that people act at central as they do with the true office. It has no pages and no
passwords: whoever it lists is signed in when asked.
"""

from __future__ import annotations

import http.client
import secrets
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

from msgspec.structs import replace

from central.core.view import Person
from demo.fitting import join_central
from provisioning.fleet import Fleet
from provisioning.office import change_keys
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
    SnapshotName,
    Town,
    file_name,
    seal_snapshot,
)
from wire.tickets import TICKET_LIFE_S, Ticket, nonce_of, sign_ticket

OFFICE_URL: Final = "http://localhost:8090/"
SESSION_COOKIE: Final = "watchlink_central"
DOOR_COOKIE: Final = "watchlink_central_door"
BOTH_SCHEMES: Final = (1, 2)
_TIMEOUT_S: Final = 120.0


class NotSignedInError(Exception):
    """Central did not let the person in; the message is its answer."""


class StandInOffice:
    """Change the people, then :meth:`publish` what they are now.

    Args:
        authority: the town's.
        folder: where snapshots go.
        now: the office's clock.
    """

    def __init__(
        self, authority: PublicKey, folder: Path | None = None, now: Callable[[], datetime] | None = None
    ) -> None:
        self.town = Town(authority)
        self.folder = folder
        self.key = SigningKey(secrets.token_bytes(32))
        self.people: dict[int, PersonEntry] = {}
        self.premises: tuple[PremisesEntry, ...] = ()
        self.audit = AuditHead(sequence=0, digest="0" * 64)
        self.number = 0
        self.now = now or _utc_now
        self._ticket_seed = secrets.token_bytes(32)
        self._lock = threading.Lock()

    @classmethod
    def found(cls, fleet: Fleet) -> StandInOffice:
        """An office for a fleet whose central does not run yet: trusted, named in ``central.toml``, nobody listed."""
        authority = PublicKey(bytes.fromhex((fleet.layout.central / "authority.pub").read_text().strip()))
        office = cls(authority, fleet.layout.snapshots)
        change_keys(fleet.folder, trust=office.key.public.raw)
        join_central(fleet.layout.central / "central.toml", OFFICE_URL, fleet.layout.snapshots)
        office.publish()
        return office

    def add(self, name: str, role: RoleSlug = "cctv", *schemes: int) -> PersonEntry:
        """A new person with a role, in both schemes if none are given."""
        account = max(self.people, default=0) + 1
        roles = (RoleEntry(role=role, schemes=schemes or BOTH_SCHEMES),)
        username = f"{name.lower().replace(' ', '.')}.{account}"[:64]
        self.people[account] = PersonEntry(account=account, username=username, name=name, roles=roles)
        return self.people[account]

    def change(self, account: int, **fields: Any) -> PersonEntry:  # noqa: ANN401 - fields of the entry
        """Change a person."""
        self.people[account] = replace(self.people[account], **fields)
        return self.people[account]

    def account_of(self, person: Person) -> int:
        """The account of somebody with that name and role; added and published if there is none."""
        with self._lock:
            for entry in self.people.values():
                if entry.name == person.name and any(role.role == person.role for role in entry.roles):
                    return entry.account
            account = self.add(person.name, person.role).account  # type: ignore[arg-type]
            self.publish()
        return account

    def snapshot(self) -> People:
        """The next people snapshot."""
        self.number += 1
        return People(
            number=self.number,
            made_at=self.now(),
            audit=self.audit,
            ticket_key=SigningKey(self._ticket_seed).public.raw,
            people=tuple(self.people.values()),
        )

    def publish(self) -> None:
        """Write the next snapshot of each kind."""
        assert self.folder is not None, "this office has no folder"
        self.folder.mkdir(parents=True, exist_ok=True)
        people = self.snapshot()
        premises = Premises(number=people.number, made_at=people.made_at, audit=people.audit, premises=self.premises)
        self._write("premises", seal_snapshot(premises, self.town, self.key))
        self._write("people", seal_snapshot(people, self.town, self.key))

    def ticket(self, account: int, secret: str, **changes: Any) -> str:  # noqa: ANN401 - fields of the ticket
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
        return sign_ticket(replace(ticket, **changes), self.town, self._ticket_seed)

    def sign_in(self, url: str, account: int, **changes: Any) -> str:  # noqa: ANN401 - fields of the ticket
        """Sign in over HTTP, as a browser does; returns the session cookie's value.

        Raises:
            NotSignedInError: central refused.
            OSError: central is not there.
        """
        page = urlsplit(url)
        connection = http.client.HTTPConnection(page.hostname or "", page.port, timeout=_TIMEOUT_S)
        try:
            connection.request("GET", "/")
            secret = _cookies(connection.getresponse())[DOOR_COOKIE]
            query = urlencode({"ticket": self.ticket(account, secret, **changes)})
            connection.request("GET", f"/enter?{query}", headers={"cookie": f"{DOOR_COOKIE}={secret}"})
            answer = connection.getresponse()
            cookies = _cookies(answer)
            if SESSION_COOKIE not in cookies:
                raise NotSignedInError(f"central answered {answer.status}")
            return cookies[SESSION_COOKIE]
        finally:
            connection.close()

    def _write(self, name: SnapshotName, data: bytes) -> None:
        assert self.folder is not None
        write_atomic(self.folder / file_name(name, self.number), data, PUBLIC)


def _cookies(answer: http.client.HTTPResponse) -> dict[str, str]:
    answer.read()
    found: dict[str, str] = {}
    for header in answer.headers.get_all("set-cookie", []):
        found.update({name: morsel.value for name, morsel in SimpleCookie(header).items()})
    return found


def _utc_now() -> datetime:
    return datetime.now(UTC)
