"""Lets people in: by a ticket from the office, by a passkey, by a printed code; and out again.

It joins the newest people snapshot with the open sessions. Who somebody is comes from the session, what they may do
from the snapshot, at each question; nothing comes from the browser.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from math import ceil
from typing import Any, Final, Protocol

from msgspec import Struct

from central.core.rights import NO_RIGHTS, Rights, rights_of
from central.signin.errors import RecordError, Refusal, SignInError, UsedError
from central.signin.passkeys import Passkeys
from central.signin.register import Register
from central.signin.session import End, Session, is_long_over, why_over
from central.signin.sessions import Admission, Once, Recorded, Sessions, SessionStore
from central.signin.slowing import Pace
from runtime.slowing import Slowing
from wire.errors import TicketError
from wire.printed_codes import code_digest
from wire.snapshots import AuditHead, People, PersonEntry, Rota, Town
from wire.tickets import CLOCK_SKEW_S, TICKET_LIFE_S, Ticket, open_ticket

logger = logging.getLogger(__name__)

OLD_AFTER: Final = timedelta(days=7)
"""A list of people that has not changed for so long may mean an office that nobody hears."""
SWEEP_S: Final = 1.0
RECORD_SHOWN: Final = timedelta(days=7)

_REFUSALS: Final[dict[str, Refusal]] = {
    "ticket browser": "ticket-browser",
    "ticket expired": "ticket-old",
    "ticket early": "ticket-clock",
}
_OLDEST_FACTOR_S: Final = 86_400
"""An older second factor is as good as none."""


class GateStore(SessionStore, Protocol):
    """The disk."""

    def raise_head(self, head: AuditHead) -> AuditHead:
        """Keep the highest audit head ever named, and return it. Raises ``RecordError``."""
        ...


class Visitor(Struct, frozen=True):
    """Somebody who is signed in."""

    session: Session
    person: PersonEntry
    """As the newest snapshot lists them."""

    @property
    def rights(self) -> Rights:
        """What they may do now."""
        return rights_of(self.person.roles)


class Gate:
    """``take_…`` may be called on any thread; the rest lives on the web's loop.

    Args:
        town: ours.
        store: the disk.
        now: central's clock, aware UTC.
        office_url: of the office's pages, with a slash at its end; empty = this central is not joined to an office.
        wall_s: the machine's wall clock, Unix time: the office stamps tickets with its own, and central's never steps.
        clock_s: monotonic seconds.
    """

    def __init__(
        self,
        town: Town,
        store: GateStore,
        now: Callable[[], datetime],
        *,
        office_url: str,
        wall_s: Callable[[], float] = time.time,
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        """Read the open sessions.

        Raises:
            RecordError: the disk refuses.
        """
        self.office_url = office_url
        self.now = now
        self.sessions = Sessions(store, now())
        self._town = town
        self._store = store
        self._wall_s = wall_s
        self._clock_s = clock_s
        self._register: Register | None = None
        self._rota_through: datetime | None = None
        self._faults: dict[str, str] = {}
        self._own_faults: dict[str, str] = {}
        self._is_list_trusted: Callable[[], bool] = lambda: True
        self._passkeys = Passkeys()
        self._slowing = Slowing()
        self._pace = Pace()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._role_listeners: list[Callable[[Session], None]] = []

    @property
    def is_joined(self) -> bool:
        """There is an office."""
        return bool(self.office_url)

    @property
    def register(self) -> Register | None:
        """The newest people; ``None`` = none have come yet."""
        return self._register

    @property
    def why_closed(self) -> Refusal | None:
        """Why nobody can sign in now, whatever they show; ``None`` = they can."""
        if not self.is_joined:
            return "no-office"
        if self._register is None:
            return "no-people"
        return None if self._is_list_trusted() else "struck"

    def trust_list_while(self, is_trusted: Callable[[], bool]) -> None:
        """Let nobody in by a list of people whose signer has been struck: its thief signs as well. Asked each time."""
        self._is_list_trusted = is_trusted

    def on_new_roles(self, tell: Callable[[Session], None]) -> None:
        """Call ``tell`` for each open session whose person may do something else than before."""
        self._role_listeners.append(tell)

    # -- from other threads -----------------------------------------------------------------------------------------

    def take_people(self, people: People) -> None:
        """A new people snapshot: from now on it decides, and whoever it does not list is out."""
        before, self._register = self._register, Register(people)
        self._check_head(people.audit)
        if self._loop is not None:
            # The loop ends before the watchers do.
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._judge, before)

    def take_rota(self, rota: Rota) -> None:
        """A new rota snapshot: past its end nothing is known of who is to be on duty, and users are told."""
        self._rota_through = rota.through

    def take_fault(self, source: str, fault: str) -> None:
        """What is wrong with one source of the office's news, as a sentence; empty = nothing."""
        self._faults = {**self._faults, source: fault}

    def take_own_fault(self, about: str, fault: str) -> None:
        """What is wrong with central's backups or certificates, in sentences; empty = nothing."""
        self._own_faults = {**self._own_faults, about: fault}

    def _check_head(self, head: AuditHead) -> None:
        try:
            highest = self._store.raise_head(head)
        except RecordError as e:
            logger.warning("the office's audit head was not kept: %s", e)
            return
        fault = ""
        if highest.sequence > head.sequence:
            fault = f"it once had {highest.sequence} entries and now has {head.sequence}"
        elif highest.digest != head.digest:
            fault = f"its entry {head.sequence} is not the one it was"
        if fault:
            logger.error("the office's audit has been changed: %s", fault)
            # Stays until a restart: new entries do not bring back those that are gone.
            self.take_fault(
                "audit",
                f"The office’s audit has been changed: {fault}. Somebody may have removed entries. Tell the engineer,"
                " who runs watchlink office audit verify at the office and then restarts central.",
            )

    # -- on the web's loop ------------------------------------------------------------------------------------------

    def attach(self, loop: asyncio.AbstractEventLoop) -> None:
        """Judge open sessions on ``loop`` from now on, and at once."""
        self._loop = loop
        self._judge(None)

    def visitor(self, cookie: str | None) -> Visitor | None:
        """Who sent this cookie, judged by the newest snapshot; ``None`` = nobody who is signed in."""
        session = self.sessions.find(cookie)
        if session is None or self._register is None:
            return None
        person = self._register.person(session.account)
        why = why_over(person, session.generation, session.office_session)
        if is_long_over(session, self.now()):
            why = "shift-over"
        if why is not None:
            self.sessions.end(session, why, self.now())
        return None if why is not None or person is None else Visitor(session, person)

    def rights(self, account: int) -> Rights:
        """What a person may do by the newest snapshot; nothing if it does not list them."""
        person = self._register.person(account) if self._register else None
        return NO_RIGHTS if person is None else rights_of(person.roles)

    def warnings(self) -> tuple[str, ...]:
        """What is wrong between the office and here, and with backups and certificates, in sentences."""
        return (*self.office_warnings(), *filter(None, self._own_faults.values()))

    def office_warnings(self) -> tuple[str, ...]:
        """What is wrong between the office and here, in sentences."""
        found = [fault for fault in self._faults.values() if fault]
        if self._register is not None:
            age = self.now() - self._register.people.made_at
            if age > OLD_AFTER:
                found.append(
                    f"The office has sent no new list of people for {age.days} days. Check that the office is running:"
                    " somebody whose account has ended may still be let in."
                )
        if self._rota_through is not None and self.now() > self._rota_through:
            found.append(
                f"The rota that the office has sent ended on {self._rota_through:%d %B %Y}: central does not know who"
                " is to be on duty now. Check that the office is running."
            )
        return tuple(found)

    async def records(self, visitor: Visitor) -> tuple[Recorded, ...]:
        """The last days' sign-ins in the schemes of which the visitor is co-ordinator; empty = not known.

        Those of people who have left since, too.
        """
        mine = visitor.rights.answers_as("co-ordinator")
        people = self._register.people.people if self._register else ()
        accounts = frozenset(one.account for one in people if not mine.isdisjoint(_schemes(one)))
        try:
            return await asyncio.to_thread(self._store.recent, self.now() - RECORD_SHOWN, mine, accounts)
        except RecordError as e:
            logger.warning("the record of sign-ins was not read: %s", e)
            return ()

    async def by_ticket(self, text: str, secret: str, address: str) -> str:
        """Take a ticket; returns the new session's cookie value.

        Args:
            text: the ticket.
            secret: from the browser's cookie; empty = it has none.
            address: of the browser.

        Raises:
            SignInError: not let in.
        """
        register, now_at = self._people(), self.now()
        try:
            ticket = open_ticket(text, self._town, register.people.ticket_key, secret=secret, now_s=self._wall_s())
        except TicketError as e:
            raise SignInError(_REFUSALS.get(e.reason, "ticket")) from e
        person = _listed(register, ticket.account)
        _check(person, ticket.generation, ticket.session)
        return await self._begin(_admission(ticket, person, now_at), address)

    async def by_code(self, username: str, typed: str, address: str) -> str:
        """Take a printed code, once; as :meth:`by_ticket`."""
        register, now_s = self._people(), self._clock_s()
        wait_s = self._slowing.wait_s(address, now_s)
        if wait_s > 0:
            raise SignInError("slow-down", f"Wait {ceil(wait_s)} seconds and try again, or use a passkey.")
        person = register.named(username)
        digest = code_digest(person.account if person else 0, typed)
        if person is None or digest is None or digest not in person.printed_codes:
            self._slowing.note_failure(address, now_s)
            raise SignInError("code")
        _check(person, person.generation, "")
        try:
            cookie = await self._begin(
                Admission(
                    account=person.account,
                    name=person.name,
                    schemes=_schemes(person),
                    generation=person.generation,
                    way="printed-code",
                    once=Once(f"code {digest}", None),
                ),
                address,
            )
        except SignInError as e:
            if e.refusal == "ticket-used":
                self._slowing.note_failure(address, now_s)
                raise SignInError("code") from e
            raise
        self._slowing.forget(address)
        return cookie

    def passkey_challenge(self, secret: str, host: str, address: str) -> dict[str, Any]:
        """Options for the browser's passkey dialog.

        Raises:
            SignInError: nobody can sign in now.
        """
        self._people()
        return self._passkeys.challenge(secret, address, host, self._clock_s())

    async def by_passkey(self, secret: str, answer: dict[str, Any], *, host: str, origin: str, address: str) -> str:
        """Take a passkey's answer; as :meth:`by_ticket`."""
        register, now_s = self._people(), self._clock_s()
        person = self._passkeys.verify(register, secret, answer, host=host, origin=origin, now_s=now_s)
        _check(person, person.generation, "")
        admission = Admission(
            account=person.account,
            name=person.name,
            schemes=_schemes(person),
            generation=person.generation,
            way="passkey",
            second_factor_at=self.now(),
        )
        return await self._begin(admission, address)

    async def sweep_for_ever(self, has_attack: Callable[[PersonEntry], bool]) -> None:
        """End sessions whose time is up, and keep the disk's record, until cancelled.

        Args:
            has_attack: whether an attack is open that this person may see.
        """
        while True:
            await asyncio.sleep(SWEEP_S)
            try:
                await self.sweep(has_attack)
            except Exception:
                logger.exception("the sessions were not looked through")

    async def sweep(self, has_attack: Callable[[PersonEntry], bool]) -> None:
        """Once."""
        for session in self.sessions.due(self.now()):
            try:
                self._judge_due(session, has_attack)
            except Exception:
                logger.exception("a session whose time is up was not looked at")
        await self.sessions.write()

    def _judge_due(self, session: Session, has_attack: Callable[[PersonEntry], bool]) -> None:
        now_at = self.now()
        if is_long_over(session, now_at):
            self.sessions.end(session, "shift-over", now_at)
        elif self._register is not None:
            person = self._register.person(session.account)
            if person is not None and has_attack(person):
                self.sessions.hold(session, now_at)
            else:
                self.sessions.end(session, "shift-over", now_at)

    def sign_out(self, session: Session, why: End = "signed-out") -> None:
        """End a session now; the record follows."""
        self.sessions.end(session, why, self.now())

    def _judge(self, before: Register | None) -> None:
        """End what the newest snapshot ends, and tell whose roles have changed since ``before``."""
        register = self._register
        if register is None:
            return
        for session in self.sessions:
            person = register.person(session.account)
            why = why_over(person, session.generation, session.office_session)
            if why is not None:
                self.sessions.end(session, why, self.now())
                continue
            if person is not None:
                self.sessions.widen(session, _schemes(person))
            earlier = before.person(session.account) if before else None
            if person is not None and earlier is not None and earlier.roles != person.roles:
                for tell in self._role_listeners:
                    tell(session)

    def _people(self) -> Register:
        why = self.why_closed
        if why is not None or self._register is None:
            raise SignInError(why or "no-people")
        return self._register

    async def _begin(self, admission: Admission, address: str) -> str:
        if self._pace.take(admission.account, self._clock_s()) > 0:
            raise SignInError("too-fast")
        try:
            cookie = await self.sessions.begin(admission, address, self.now())
        except UsedError as e:
            self._pace.give_back(admission.account)
            raise SignInError("ticket-used") from e
        except RecordError as e:
            logger.error("nobody can sign in: %s", e)  # noqa: TRY400 - a full disk is not a bug
            raise SignInError("disk") from e
        if admission.way != "office":
            logger.warning(
                "%s (account %d) signed in without the office: %s", admission.name, admission.account, admission.way
            )
        # A snapshot may have come while the disk wrote.
        if self.visitor(cookie) is None:
            raise SignInError("ended")
        return cookie


def _listed(register: Register, account: int) -> PersonEntry:
    person = register.person(account)
    if person is None:
        raise SignInError("unknown-account")
    return person


def _schemes(person: PersonEntry) -> tuple[int, ...]:
    return rights_of(person.roles).scope.schemes


def _check(person: PersonEntry, generation: int, office_session: str) -> None:
    match why_over(person, generation, office_session):
        case None:
            return
        case "no-role":
            raise SignInError("no-role")
        case _:
            raise SignInError("ended")


def _admission(ticket: Ticket, person: PersonEntry, now_at: datetime) -> Admission:
    age_s = ticket.second_factor_age_s
    return Admission(
        account=person.account,
        name=person.name,
        schemes=_schemes(person),
        generation=ticket.generation,
        way="office",
        office_session=ticket.session,
        second_factor_at=None if age_s is None or age_s > _OLDEST_FACTOR_S else now_at - timedelta(seconds=age_s),
        once=Once(f"ticket {ticket.id}", now_at + timedelta(seconds=TICKET_LIFE_S + 2 * CLOCK_SKEW_S)),
    )
