"""Phones that their owners let be told of alerts, each proven by a test that was opened on it (C8).

Who is told, and when, is not decided here. Every method may be called on any thread; those that only ask never wait.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import secrets
import threading
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Final, Protocol

from msgspec import Struct
from msgspec.structs import replace

from wire.notices import Delivered, Failed, Notice, NotifierLine, Reason, Subscription
from wire.snapshots import People

logger = logging.getLogger(__name__)

PHONES_EACH_MAX: Final = 4
TEST_EVERY: Final = timedelta(minutes=1)
"""The notifier sends no more to one phone."""
TEST_LASTS: Final = timedelta(minutes=10)
TESTS_MAX: Final = 1_000
NAMED_MAX: Final = 4_096
_TEST_VALID_S: Final = 90
"""More than the minute for which the notifier may hold it back."""
_LEAST_URGENT: Final = 5
_REFERENCE_CHARS: Final = 22
_NOT_SENT: Final = "NOT SENT."
_GIVEN_UP: Final = "Its browser gave it up. Open this page on that phone and press Let this phone wake me."
NOT_YOURS: Final = "This phone is not among yours. Reload the page."
WAKES_NOBODY: Final = "A phone of yours does not wake you. Press You, then Your phones."


class PhonesError(Exception):
    """Not done; a sentence for the phone's owner."""


class Phone(Struct, frozen=True):
    """A browser on somebody's phone.

    Attributes:
        proven_at: when a test that was sent there was opened by its owner; ``None`` = not yet.
    """

    id: str
    account: int
    subscription: Subscription
    added_at: datetime
    proven_at: datetime | None = None


class PhoneStore(Protocol):
    """The disk. Each raises :class:`PhonesError`."""

    def all(self) -> tuple[Phone, ...]:
        """All phones, the oldest first."""
        ...

    def add(self, phone: Phone, instead_of: Iterable[str] = ()) -> None:
        """Keep it, in place of these and of one with the same endpoint."""
        ...

    def prove(self, phone: str, at: datetime | None) -> None:
        """Its owner has opened a test; ``None``: what that proved holds no more."""
        ...

    def remove(self, phones: Iterable[str]) -> None:
        """Forget them."""
        ...


class Tapped(Struct, frozen=True):
    """A test was opened by its phone's owner.

    Attributes:
        role: in which they asked to go on duty by it; empty = it was a test alone.
    """

    role: str = ""


class _Test(Struct, frozen=True):
    phone: str
    at: datetime
    role: str = ""


class Phones:
    """All of them, as on disk.

    Args:
        store: the disk.
        now: central's clock.
        order: has somebody told.
        key: the notifier's public key; empty = it is not known.
        secret: for references: whoever has it can tell which incident one names.
        changed: called when somebody can be reached, or no longer.

    Raises:
        PhonesError: the disk refuses.
    """

    def __init__(
        self,
        store: PhoneStore,
        now: Callable[[], datetime],
        order: Callable[[Notice], None],
        key: Callable[[], str],
        *,
        secret: bytes,
        changed: Callable[[], None] = lambda: None,
    ) -> None:
        self._store = store
        self._now = now
        self._order = order
        self._key = key
        self._changed = changed
        self._lock = threading.RLock()
        # Replaced, never changed: the intake must not wait for somebody who waits for the disk.
        self._hold({phone.id: phone for phone in store.all()})
        self._tests: dict[str, _Test] = {}
        self._said: dict[str, str] = {}
        self._secret = secret
        # References that were given out: a card that stands for many names one of them. Nobody waits for this lock.
        self._named: dict[str, str] = {}
        self._naming = threading.Lock()

    @property
    def key(self) -> str:
        """What a browser subscribes with."""
        return self._key()

    def of(self, account: int) -> tuple[Phone, ...]:
        """Somebody's, the oldest first."""
        return self._of.get(account, ())

    def said(self, phone: str) -> str:
        """What became of the last message to it; empty = nothing is known."""
        return self._said.get(phone, "")

    def held(self, account: int, phone: str) -> Subscription | None:
        """Where this phone of theirs is told; ``None``: it is not theirs."""
        return next((one.subscription for one in self.of(account) if one.id == phone), None)

    def warnings(self, account: int) -> tuple[str, ...]:
        """Sentences for its owner: they may believe that it rings."""
        return (WAKES_NOBODY,) if any(one.proven_at is None for one in self.of(account)) else ()

    def add(self, account: int, subscription: Subscription, instead_of: str = "") -> Phone:
        """Let somebody be told there, and send a test.

        Args:
            account: whose phone it is.
            subscription: as the browser gave it.
            instead_of: the phone as which central knew this browser; it is left alone if it is not theirs.

        Raises:
            PhonesError: they have too many, or the disk refuses.
        """
        phone = Phone(secrets.token_hex(16), account, subscription, self._now())
        with self._lock:
            same = [one.id for one in self._phones.values() if one.subscription.endpoint == subscription.endpoint]
            same += [one.id for one in self.of(account) if one.id == instead_of]
            if len([one for one in self.of(account) if one.id not in same]) >= PHONES_EACH_MAX:
                raise PhonesError(f"You have {PHONES_EACH_MAX} phones already. Remove one that you no longer use.")
            self._store.add(phone, same)
            self._forget(same)
            self._hold({**self._phones, phone.id: phone})
        self._changed()
        self.test(account, phone.id)
        return phone

    def renew(self, account: int, phone: str, subscription: Subscription) -> Phone:
        """A browser changed its subscription by itself: the phone is told there, once a test was tapped anew.

        Raises:
            PhonesError: it is not theirs, the new one is somebody else's, or the disk refuses.
        """
        with self._lock:
            before = self._theirs(account, phone)
            if before.subscription == subscription:
                return before
            if any(
                one.account != account and one.subscription.endpoint == subscription.endpoint
                for one in self._phones.values()
            ):
                raise PhonesError(NOT_YOURS)
            return self.add(account, subscription, phone)

    def ask_for_duty(self, account: int, role: str) -> None:
        """Send a test to each of their phones: whoever opens one goes on duty in this role.

        Raises:
            PhonesError: to none could one be sent.
        """
        refused = PhonesError("You have no phone here yet. Press You, then Your phones, on the phone itself.")
        is_sent = False
        for phone in self.of(account):
            try:
                self.test(account, phone.id, role)
                is_sent = True
            except PhonesError as e:
                refused = e
        if not is_sent:
            raise refused

    def test(self, account: int, phone: str, role: str = "") -> None:
        """Send a test there.

        Args:
            account: whose phone it is.
            phone: its id.
            role: in which they go on duty by opening it; empty = they do not.

        Raises:
            PhonesError: it is not theirs, or was sent one just now.
        """
        now_at = self._now()
        with self._lock:
            one = self._theirs(account, phone)
            self._tests = {
                ref: test
                for ref, test in self._tests.items()
                if test.phone in self._phones and abs(now_at - test.at) < TEST_LASTS
            }
            if any(test.phone == phone and abs(now_at - test.at) < TEST_EVERY for test in self._tests.values()):
                raise PhonesError("A test was sent to this phone just now. Wait a minute.")
            if len(self._tests) >= TESTS_MAX:
                raise PhonesError("Too many tests are under way. Try again in ten minutes.")
            reference = secrets.token_urlsafe(16)
            self._tests[reference] = _Test(phone, now_at, role)
            self._said[phone] = "A test is on its way. Tap it on the phone."
        self._order(
            Notice(
                request=secrets.token_hex(16),
                account=account,
                way="push",
                subscription=one.subscription,
                priority=_LEAST_URGENT,
                occasion="test",
                reference=reference,
                valid_s=_TEST_VALID_S,
            )
        )

    def remove(self, account: int, phone: str) -> None:
        """Tell them there no longer.

        Raises:
            PhonesError: it is not theirs, or the disk refuses.
        """
        with self._lock:
            self._theirs(account, phone)
            self._store.remove([phone])
            self._forget([phone])
        self._changed()

    def prove(self, account: int, reference: str) -> Tapped | None:
        """A notice was opened by somebody who is signed in; ``None``: it was no test of a phone of theirs.

        Raises:
            PhonesError: the disk refuses.
        """
        now_at = self._now()
        with self._lock:
            test = self._tests.get(reference)
            if test is None or abs(now_at - test.at) >= TEST_LASTS:
                return None
            phone = self._phones.get(test.phone)
            if phone is None or phone.account != account:
                return None
            self._store.prove(phone.id, now_at)
            self._hold({**self._phones, phone.id: replace(phone, proven_at=now_at)})
            self._said.pop(phone.id, None)
            del self._tests[reference]
        self._changed()
        return Tapped(test.role)

    def reference(self, incident: str) -> str:
        """By which a notice names an incident. It means nothing to others."""
        reference = hmac.digest(self._secret, incident.encode(), hashlib.sha256).hex()[:_REFERENCE_CHARS]
        with self._naming:
            self._named[reference] = incident
            while len(self._named) > NAMED_MAX:
                del self._named[next(iter(self._named))]
        return reference

    def incident(self, reference: str, among: Iterable[str]) -> str:
        """The one that it names, of these or of those lately told of; empty = it is unknown."""
        named = next((one for one in among if hmac.compare_digest(self.reference(one), reference)), "")
        with self._naming:
            return named or self._named.get(reference, "")

    def take_report(self, notice: Notice, report: NotifierLine) -> None:
        """What became of a notice. A phone whose subscription exists no more is to be proven anew."""
        if notice.subscription is None:
            return
        with self._lock:
            named = [one for one in self._phones.values() if one.subscription == notice.subscription]
            for phone in named:
                if isinstance(report, Failed) and report.reason == Reason.GONE:
                    self._doubt(phone)
                elif isinstance(report, Failed):
                    # What was called off could have gone out.
                    if report.reason != Reason.CALLED_OFF:
                        self._said[phone.id] = f"{_NOT_SENT} {report.words}"
                elif isinstance(report, Delivered) and notice.occasion == "test":
                    self._said[phone.id] = "A test was sent. Tap it on the phone."
                elif isinstance(report, Delivered) and self.said(phone.id).startswith(_NOT_SENT):
                    del self._said[phone.id]

    def take_people(self, people: People) -> None:
        """Whoever has no account any more is told nothing."""
        listed = {person.account for person in people.people}
        with self._lock:
            self._drop([phone.id for phone in self._phones.values() if phone.account not in listed])

    def _drop(self, phones: list[str]) -> None:
        if not phones:
            return
        self._forget(phones)
        self._changed()
        try:
            self._store.remove(phones)
        except PhonesError as e:
            # In memory they are gone. After a restart they are looked at again.
            logger.warning("phones that are gone were not removed: %s", e)

    def _doubt(self, phone: Phone) -> None:
        """Nobody counts on it any more. It stays in its owner's list: they believe that it rings."""
        self._hold({**self._phones, phone.id: replace(phone, proven_at=None)})
        # A test that it has shown before proves nothing any more.
        self._tests = {reference: test for reference, test in self._tests.items() if test.phone != phone.id}
        self._said[phone.id] = _GIVEN_UP
        self._changed()
        try:
            self._store.prove(phone.id, None)
        except PhonesError as e:
            # In memory it counts no more. After a restart it is tried again.
            logger.warning("a phone that was given up still counts on disk: %s", e)

    def _hold(self, phones: dict[str, Phone]) -> None:
        # By account, too: an alert asks many people, and a receipt may wait behind it.
        of: dict[int, tuple[Phone, ...]] = {}
        for phone in phones.values():
            of[phone.account] = (*of.get(phone.account, ()), phone)
        self._phones, self._of = phones, of

    def _forget(self, phones: list[str]) -> None:
        self._hold({id_: phone for id_, phone in self._phones.items() if id_ not in phones})
        for phone in phones:
            self._said.pop(phone, None)

    def _theirs(self, account: int, phone: str) -> Phone:
        one = self._phones.get(phone)
        if one is None or one.account != account:
            raise PhonesError(NOT_YOURS)
        return one
