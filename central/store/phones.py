"""Phones on disk, by a connection of its own: few small writes, which take turns with the journal's. Any thread."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from central.phones import Phone, PhonesError
from central.store.database import Database, engine_of
from central.store.rows import microseconds, moment
from central.store.tables import PHONES
from wire.notices import Subscription


class PhoneTable:
    """A :class:`central.phones.PhoneStore`. The database must be open and migrated."""

    def __init__(self, database: Database) -> None:
        self._engine = engine_of(database.url)
        self._turns = database.turns

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()

    def all(self) -> tuple[Phone, ...]:
        """As the protocol says."""
        with self._asking() as connection:
            rows = connection.execute(sa.select(PHONES).order_by(PHONES.c.added_us)).all()
        return tuple(
            Phone(
                id=row.id,
                account=row.account,
                subscription=Subscription(endpoint=row.endpoint, p256dh=row.p256dh, auth=row.auth),
                added_at=moment(row.added_us),
                proven_at=None if row.proven_us is None else moment(row.proven_us),
            )
            for row in rows
        )

    def add(self, phone: Phone, instead_of: Iterable[str] = ()) -> None:
        """As the protocol says."""
        is_before = (PHONES.c.endpoint == phone.subscription.endpoint) | PHONES.c.id.in_([*instead_of])
        with self._writing() as connection:
            connection.execute(sa.delete(PHONES).where(is_before))
            connection.execute(
                sa.insert(PHONES).values(
                    id=phone.id,
                    account=phone.account,
                    endpoint=phone.subscription.endpoint,
                    p256dh=phone.subscription.p256dh,
                    auth=phone.subscription.auth,
                    added_us=microseconds(phone.added_at),
                    proven_us=None,
                )
            )

    def prove(self, phone: str, at: datetime | None) -> None:
        """As the protocol says."""
        proven_us = None if at is None else microseconds(at)
        with self._writing() as connection:
            connection.execute(sa.update(PHONES).where(PHONES.c.id == phone).values(proven_us=proven_us))

    def remove(self, phones: Iterable[str]) -> None:
        """As the protocol says."""
        with self._writing() as connection:
            connection.execute(sa.delete(PHONES).where(PHONES.c.id.in_([*phones])))

    @contextlib.contextmanager
    def _writing(self) -> Iterator[Connection]:
        with self._turns.for_sessions(), self._asking() as connection:
            yield connection

    @contextlib.contextmanager
    def _asking(self) -> Iterator[Connection]:
        try:
            with self._engine.begin() as connection:
                yield connection
        except SQLAlchemyError as e:
            said = getattr(e, "orig", None) or type(e).__name__
            raise PhonesError(f"Central’s disk refuses: {' '.join(str(said).split())[:200]}") from e
