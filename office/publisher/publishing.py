"""Looks at the database and publishes what has changed.

The audit's head never goes back in what is published. If the database no longer contains the head that was published
last, nothing new is published and the alarm is raised: publishing a lower head would hide a cut tail after a minute.
"""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from django.db import DatabaseError, connection
from django.utils import timezone
from msgspec import Struct

from office.audit import alarm, journal, triggers
from office.audit.chain import NO_HEAD, contradiction
from office.gallery.staff_file import StaffFile
from office.publisher import changes, content, rota_content
from office.publisher.galleries import Galleries, GalleryPublishing
from office.publisher.gone import GoneRows
from office.publisher.rota_content import RotaContent
from office.publisher.shelf import KINDS, PublishedHead, Shelf
from office.publisher.staff import StaffPublishing
from wire.errors import EncodeError
from wire.signing import SigningKey
from wire.snapshots import (
    NAMES,
    AuditHead,
    People,
    Premises,
    PremisesEntry,
    Rota,
    Snapshot,
    SnapshotName,
    Town,
    seal_snapshot,
)

logger = logging.getLogger(__name__)

HEAD_WITHIN_S: Final = 60.0
"""A head that has moved without any content having changed is published within this time."""
AT_LEAST_EVERY_S: Final = 3_600.0
"""The people snapshot, changed or not: so its time tells users that the office is alive."""
PREMISES_WITHIN_S: Final = 30.0
"""Premises are thousands, and each change of theirs or of the rota is in the audit: without a new row there, they are
read anew after this time."""

LOOK_AGAIN_S: Final = 1.0
"""While there is an alarm or a fault, or nothing is published yet."""
WHAT_TO_DO: Final = (
    "Nothing new is published until this is settled. Tell the fleet's engineer: 'watchlink office audit verify' says"
    " more."
)


class _Published(Struct):
    content: object
    number: int
    head: AuditHead
    at_s: float


class Publishing:
    """One look at a time, from one thread.

    Args:
        shelf: where snapshots are put.
        published_head: what is known of earlier runs.
        town: ours.
        key: the snapshot key.
        ticket_key: public half of the pages' key for tickets, 32 raw bytes.
        on_published: told of each snapshot, once its file is there.
        galleries: publishes the galleries; ``None`` = nobody does.
        staff: publishes who may sign in at shops; ``None`` = nobody does.
        clock_s: monotonic.

    Attributes:
        alarm: what is wrong with the audit, in sentences; empty = nothing.
        fault: why the last look failed; empty = it did not.
    """

    def __init__(
        self,
        shelf: Shelf,
        published_head: PublishedHead,
        town: Town,
        *,
        key: SigningKey,
        ticket_key: bytes,
        on_published: Callable[[SnapshotName, int], None],
        galleries: GalleryPublishing | None = None,
        staff: StaffPublishing | None = None,
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._shelf = shelf
        self._published_head = published_head
        self._town = town
        self._key = key
        self._ticket_key = ticket_key
        self._on_published = on_published
        self._galleries = galleries
        self._staff = staff
        self._listed: StaffFile | None = None
        self._clock_s = clock_s
        self._mark: changes.Mark | None = None
        self._looked_s = self._premises_s = float("-inf")
        self._baseline = published_head.read()
        self._head = self._premises_head = NO_HEAD
        self._last: dict[SnapshotName, _Published] = {}
        self._gone = GoneRows()
        self.fault, self._failed_s = "", float("-inf")
        self.alarm = alarm.read(shelf.folder)
        self._told_fault = alarm.read_fault(shelf.folder)
        self._recall()

    def look(self) -> None:
        """Publish what has changed since the last look. Never raises."""
        if self.fault and self._clock_s() - self._failed_s < LOOK_AGAIN_S:
            return
        try:
            mark = changes.mark()
            if mark != self._mark or self._is_due():
                self._look()
                # The mark was taken first: what has changed during the look is seen by the next one.
                self._mark, self._looked_s = mark, self._clock_s()
            if self._galleries is not None and not self.alarm:
                self._galleries.prove()
        except Exception as e:  # noqa: BLE001 - whatever it is, the next look may be better
            self._fail(e)
        else:
            self.fault = ""
            self._tell_pages()

    def look_again(self) -> None:
        """At the next look: this connection has changed something, which no mark of others' changes shows."""
        self._mark = None

    def _fail(self, error: Exception) -> None:
        what = f"{type(error).__name__}: {error}".strip()
        if what != self.fault:
            is_expected = isinstance(error, (DatabaseError, EncodeError, OSError))
            logger.error("nothing can be published now: %s", what, exc_info=None if is_expected else error)
        self.fault, self._failed_s = what, self._clock_s()
        self._tell_pages()
        if isinstance(error, DatabaseError) and not connection.in_atomic_block:
            connection.close()

    def _tell_pages(self) -> None:
        """Of a fault, so that they promise nothing. They see for themselves if the folder cannot be written either."""
        if self.fault == self._told_fault:
            return
        with contextlib.suppress(OSError):
            alarm.write_fault(self._shelf.folder, self.fault)
            self._told_fault = self.fault

    def _recall(self) -> None:
        """Take up what is published already, so that a restart publishes nothing again."""
        self._shelf.tidy()
        for name in KINDS:
            number, snapshot = self._shelf.newest(name)
            if snapshot is not None:
                self._last[name] = _Published(_content_of(snapshot), number, snapshot.audit, self._clock_s())
                self._on_published(name, number)

    def _is_due(self) -> bool:
        now_s = self._clock_s()
        people = self._last.get("people")
        if self.alarm or people is None:
            return now_s - self._looked_s >= LOOK_AGAIN_S
        if self._galleries is not None and self._galleries.is_due():
            return True
        return now_s - people.at_s >= (AT_LEAST_EVERY_S if people.head == self._head else HEAD_WITHIN_S)

    def _look(self) -> None:
        premises = rota = shown = None
        with content.one_moment():
            head = journal.head()
            what = self._trouble(head)
            if not what:
                people = (self._ticket_key, content.people(), self._gone.read(head, timezone.now()))
                is_time = head != self._premises_head or self._clock_s() - self._premises_s >= PREMISES_WITHIN_S
                if is_time:
                    premises = content.premises()
                    rota = _read_rota()
                if self._galleries is not None and (is_time or self._galleries.is_due()):
                    shown = self._galleries.read()
                    self._read_staff()
        self._raise_alarm(what)
        if what:
            return
        if head != self._baseline:
            # As soon as it is seen: a row may be published a minute later, and be cut until then.
            self._published_head.write(head, self._last["people"].number if self._is_published("people", people) else 0)
            self._baseline = head
        self._head = head
        if not self._is_published("people", people) or self._is_due():
            number = self._shelf.next_number("people")
            made_at = datetime.now(UTC)
            key, persons, gone = people
            snapshot = People(number=number, made_at=made_at, audit=head, ticket_key=key, people=persons, gone=gone)
            self._publish(snapshot, head)
        if premises is not None:
            self._publish_premises(premises, head)
        self._publish_galleries(shown)
        if rota is not None:
            self._publish_rota(rota, head)
            self._premises_head, self._premises_s = head, self._clock_s()

    def _publish_premises(self, premises: tuple[PremisesEntry, ...], head: AuditHead) -> None:
        if not self._is_published("premises", premises):
            number, made_at = self._shelf.next_number("premises"), datetime.now(UTC)
            self._publish(Premises(number=number, made_at=made_at, audit=head, premises=premises), head)

    def _publish_rota(self, rota: RotaContent | Exception, head: AuditHead) -> None:
        """Not before there is anything in it: then readers go on as without a rota. From then on always."""
        if isinstance(rota, Exception):
            raise rota
        through, shifts, policies = rota
        is_begun = "rota" in self._last or bool(self._shelf.given_number("rota"))
        if (shifts or policies or is_begun) and not self._is_published("rota", rota):
            number, made_at = self._shelf.next_number("rota"), datetime.now(UTC)
            snapshot = Rota(
                number=number, made_at=made_at, audit=head, through=through, shifts=shifts, policies=policies
            )
            self._publish(snapshot, head)

    def _read_staff(self) -> None:
        """With the galleries: start codes end as a day does."""
        if self._staff is not None:
            self._listed = self._staff.read()

    def _publish_galleries(self, shown: Galleries | None) -> None:
        """After who may sign in at them: one that cannot be published keeps nobody signed in."""
        if self._galleries is None or shown is None:
            return
        if self._staff is not None and self._listed is not None:
            self._staff.publish(self._listed)
        self._galleries.publish(shown)

    def _is_published(self, name: SnapshotName, what: object) -> bool:
        """Also under a number that is high enough: after a restore a command raises it above what central knows."""
        last = self._last.get(name)
        return last is not None and last.content == what and last.number >= self._shelf.given_number(name)

    def _publish(self, snapshot: Snapshot, head: AuditHead) -> None:
        name = NAMES[type(snapshot)]
        data = seal_snapshot(snapshot, self._town, self._key)
        self._shelf.put(snapshot, data)
        self._last[name] = _Published(_content_of(snapshot), snapshot.number, head, self._clock_s())
        self._on_published(name, snapshot.number)

    def _trouble(self, head: AuditHead) -> str:
        """What is wrong with the audit, in sentences."""
        problem = contradiction(head, journal.digest_at(self._baseline.sequence), self._baseline)
        if problem is not None:
            # An engineer may have settled it by `audit restored`.
            self._baseline = self._published_head.read()
            problem = contradiction(head, journal.digest_at(self._baseline.sequence), self._baseline)
        if problem is not None:
            return f"{problem.text} {WHAT_TO_DO}"
        if triggers.missing(connection):
            return f"The database no longer protects the audit: its triggers are gone. {WHAT_TO_DO}"
        return ""

    def _raise_alarm(self, what: str) -> None:
        if what == self.alarm:
            return
        if what:
            logger.critical("ALARM of the audit: %s", what)
        else:
            logger.warning("the alarm of the audit has ended")
        self.alarm = what
        alarm.write(self._shelf.folder, what)


def _read_rota() -> RotaContent | Exception:
    """What is wrong with the rota keeps nobody in whose account has ended: it is a fault once all else is published."""
    try:
        return rota_content.rota(timezone.now())
    except DatabaseError:
        raise
    except Exception as e:  # noqa: BLE001 - whatever it is
        return e


def _content_of(snapshot: Snapshot) -> object:
    if isinstance(snapshot, People):
        return snapshot.ticket_key, snapshot.people, snapshot.gone
    if isinstance(snapshot, Premises):
        return snapshot.premises
    return snapshot.through, snapshot.shifts, snapshot.policies
