"""Sessions on disk: a connection of its own to central's database, beside the journal's.

Its transactions are small and take turns with the journal's, so an alert waits for one of them at most. Any thread.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from central.signin.errors import RecordError, UsedError
from central.signin.session import Session
from central.signin.sessions import Ended, Once, Recorded
from central.store.database import Database, engine_of
from central.store.rows import microseconds, moment, numbers, spaced
from central.store.tables import OFFICE_HEAD, SESSIONS, USED_ONCE
from wire.snapshots import AuditHead

RECORDS_MAX: Final = 1_000
"""Read at one time."""
RECORDS_EACH_MAX: Final = 50
"""Of one person, so that theirs push out nobody else's."""
FORGOTTEN_AFTER: Final = timedelta(days=1)
"""How long a used ticket is kept beyond its end, so that a clock set back a little revives none."""


class SessionTable:
    """A :class:`central.signin.sessions.SessionStore`. The database must be open and migrated."""

    def __init__(self, database: Database) -> None:
        self._engine = engine_of(database.url)
        self._turns = database.turns

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()

    def begin(self, session: Session, once: Once | None, now_at: datetime) -> None:
        """As the protocol says."""
        if once is not None and self._is_used(once.id):
            raise UsedError
        with self._writing() as connection:
            if once is not None:
                forgotten = USED_ONCE.c.until_us < microseconds(now_at - FORGOTTEN_AFTER)
                connection.execute(sa.delete(USED_ONCE).where(forgotten))
                until_us = None if once.until is None else microseconds(once.until)
                try:
                    connection.execute(sa.insert(USED_ONCE).values(id=once.id, until_us=until_us))
                except IntegrityError as e:
                    raise UsedError from e
            connection.execute(sa.insert(SESSIONS).values(_row(session)))

    def change(self, renewed: tuple[Session, ...], ended: tuple[Ended, ...]) -> None:
        """As the protocol says."""
        with self._writing() as connection:
            for one in renewed:
                it = sa.update(SESSIONS).where(SESSIONS.c.digest == one.digest)
                connection.execute(it.values(expires_us=microseconds(one.expires_at), schemes=spaced(one.schemes)))
            for over in ended:
                it = sa.update(SESSIONS).where(SESSIONS.c.digest == over.digest)
                connection.execute(it.values(ended_us=microseconds(over.at), why=over.why))

    def live(self) -> tuple[Session, ...]:
        """As the protocol says."""
        with self._reading() as connection:
            rows = connection.execute(sa.select(SESSIONS).where(SESSIONS.c.ended_us.is_(None))).all()
        return tuple(_session(row) for row in rows)

    def recent(self, since: datetime, schemes: frozenset[int], accounts: frozenset[int]) -> tuple[Recorded, ...]:
        """As the protocol says, at most :data:`RECORDS_MAX`, and :data:`RECORDS_EACH_MAX` of one person."""
        theirs = sa.and_(SESSIONS.c.schemes == "", SESSIONS.c.account.in_(accounts))
        in_schemes = [(sa.literal(" ") + SESSIONS.c.schemes + " ").contains(f" {scheme} ") for scheme in schemes]
        of_each = sa.func.row_number().over(partition_by=SESSIONS.c.account, order_by=SESSIONS.c.began_us.desc())
        wanted = (
            sa.select(SESSIONS, of_each.label("of_each"))
            .where(SESSIONS.c.began_us >= microseconds(since), sa.or_(theirs, *in_schemes))
            .subquery()
        )
        newest = (
            sa.select(wanted)
            .where(wanted.c.of_each <= RECORDS_EACH_MAX)
            .order_by(wanted.c.began_us.desc())
            .limit(RECORDS_MAX)
        )
        with self._reading() as connection:
            rows = connection.execute(newest).all()
        return tuple(
            Recorded(_session(row), None if row.ended_us is None else moment(row.ended_us), row.why or None)
            for row in rows
        )

    def raise_head(self, head: AuditHead) -> AuditHead:
        """The highest audit head ever named: keep ``head`` if it is higher than the one kept; return the one kept.

        Raises:
            RecordError: the disk refuses.
        """
        with self._writing() as connection:
            kept = connection.execute(sa.select(OFFICE_HEAD)).one_or_none()
            if kept is not None and kept.sequence >= head.sequence:
                return AuditHead(sequence=kept.sequence, digest=kept.digest)
            connection.execute(sa.delete(OFFICE_HEAD))
            connection.execute(sa.insert(OFFICE_HEAD).values(sequence=head.sequence, digest=head.digest))
            return head

    def _is_used(self, once: str) -> bool:
        """Asked before the disk is written to: whoever sends a used ticket again and again keeps no alert waiting."""
        with self._reading() as connection:
            return connection.execute(sa.select(USED_ONCE.c.id).where(USED_ONCE.c.id == once)).scalar() is not None

    @contextlib.contextmanager
    def _writing(self) -> Iterator[Connection]:
        with self._turns.for_sessions(), self._reading() as connection:
            yield connection

    @contextlib.contextmanager
    def _reading(self) -> Iterator[Connection]:
        try:
            with self._engine.begin() as connection:
                yield connection
        except SQLAlchemyError as e:
            said = getattr(e, "orig", None) or type(e).__name__
            raise RecordError(f"the database refuses: {' '.join(str(said).split())[:200]}") from e


def _row(session: Session) -> dict[str, Any]:
    second_us = None if session.second_factor_at is None else microseconds(session.second_factor_at)
    return {
        "digest": session.digest,
        "account": session.account,
        "name": session.name,
        "schemes": spaced(session.schemes),
        "generation": session.generation,
        "way": session.way,
        "office_session": session.office_session,
        "second_factor_us": second_us,
        "address": session.address[:64],
        "began_us": microseconds(session.began_at),
        "expires_us": microseconds(session.expires_at),
        "ended_us": None,
        "why": "",
    }


def _session(row: Any) -> Session:  # noqa: ANN401 - a row of SESSIONS
    return Session(
        digest=row.digest,
        account=row.account,
        name=row.name,
        schemes=numbers(row.schemes),
        generation=row.generation,
        way=row.way,
        office_session=row.office_session,
        second_factor_at=None if row.second_factor_us is None else moment(row.second_factor_us),
        address=row.address,
        began_at=moment(row.began_us),
        expires_at=moment(row.expires_us),
    )
