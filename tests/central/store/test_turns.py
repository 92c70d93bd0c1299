"""Two writers on one file: sessions never make an alert's commit fail (C2)."""

from __future__ import annotations

import contextlib
import secrets
import sqlite3
import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest

from central.core.journal import ActionEntry
from central.signin.errors import UsedError
from central.signin.session import Session
from central.signin.sessions import Ended, Once
from central.store import database as store
from central.store.database import Database
from central.store.sessions import SessionTable
from central.store.turns import Turns
from tests.central.store.test_database import file_of
from tests.central.web.test_server import until
from tests.support.central_town import JONES, START


def session() -> Session:
    digest = secrets.token_hex(32)
    ends_at = START + timedelta(hours=12)
    return Session(digest=digest, account=1, name="P", generation=1, way="passkey", began_at=START, expires_at=ends_at)


@pytest.fixture
def table(database: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[SessionTable]:
    """On a file on which whoever finds another one writing is refused at once."""
    monkeypatch.setattr(store, "SQLITE_BUSY_S", 0.0)
    database._engine.dispose()
    database._engine = store.engine_of(database.url)
    table = SessionTable(database)
    table.live()
    yield table
    table.close()


def test_sign_ins_without_pause_make_no_commit_fail(database: Database, table: SessionTable) -> None:
    is_over, began = threading.Event(), threading.Event()
    refused: list[Exception] = []

    def sign_in() -> None:
        while not is_over.is_set():
            one = session()
            try:
                table.begin(one, Once(f"ticket {one.digest}", START), START)
                table.change((one,), (Ended(one.digest, START, "replaced"),))
            except Exception as e:  # noqa: BLE001 - told by the test's thread
                refused.append(e)
            began.set()

    people = [threading.Thread(target=sign_in) for _ in range(2)]
    for one in people:
        one.start()
    try:
        assert began.wait(60)
        for number in range(1, 201):
            database.commit([ActionEntry(number, "duty-ended", None, JONES, "", START)])
    finally:
        is_over.set()
        for one in people:
            one.join()

    assert [] == refused


def test_used_ticket_is_refused_without_writing(database: Database, table: SessionTable) -> None:
    once = Once("ticket 1", None)
    table.begin(session(), once, START)
    with contextlib.closing(sqlite3.connect(file_of(database))) as other:
        other.execute("BEGIN IMMEDIATE")

        with pytest.raises(UsedError):
            table.begin(session(), once, START)


def test_journal_that_waits_is_next() -> None:
    turns = Turns()
    order: list[str] = []

    def write(kind: str) -> None:
        with turns.for_journal() if kind == "journal" else turns.for_sessions():
            order.append(kind)

    with turns.for_sessions():
        writers = [threading.Thread(target=write, args=(kind,)) for kind in ["sessions"] * 8 + ["journal"]]
        for one in writers:
            one.start()
        until(lambda: turns._journals_waiting == 1)
    for one in writers:
        one.join()

    assert "journal" == order[0]
