"""The record of sign-ins: nobody's are pushed out by somebody else's (S8)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace

from central.store import sessions as store
from central.store.database import Database
from central.store.sessions import SessionTable
from tests.central.store.test_turns import session
from tests.support.central_town import START


def test_record_of_one_person_is_not_pushed_out_by_others(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "RECORDS_EACH_MAX", 3)
    table = SessionTable(database)
    table.begin(replace(session(), account=1), None, START)
    for account in (2, 3):
        for second in range(1, 6):
            one = replace(session(), account=account, began_at=START + timedelta(seconds=second))
            table.begin(one, None, START)

    found = table.recent(START, frozenset(), frozenset({1, 2}))
    table.close()

    seconds = [(one.session.account, (one.session.began_at - START).seconds) for one in found]
    assert [(2, 5), (2, 4), (2, 3), (1, 0)] == seconds


def test_scheme_is_found_as_a_whole_number(database: Database) -> None:
    table = SessionTable(database)
    table.begin(replace(session(), schemes=(1, 12)), None, START)

    found = {scheme: len(table.recent(START, frozenset({scheme}), frozenset())) for scheme in (1, 2, 12, 121)}
    table.close()

    assert {1: 1, 2: 0, 12: 1, 121: 0} == found


def test_session_of_the_version_before_goes_on(database: Database) -> None:
    one = replace(session(), schemes=(1,))
    table = SessionTable(database)
    table.begin(one, None, START)
    table.close()
    with database._engine.begin() as connection:
        connection.exec_driver_sql("DROP INDEX sessions_by_begin")
        connection.exec_driver_sql("ALTER TABLE sessions DROP COLUMN schemes")
        connection.exec_driver_sql("ALTER TABLE nodes DROP COLUMN facts")
        connection.exec_driver_sql("ALTER TABLE actions DROP COLUMN details")
        connection.exec_driver_sql("DROP TABLE phones")
        for column in ("proof", "is_unread", "ended_entry"):
            connection.exec_driver_sql(f"ALTER TABLE duty DROP COLUMN {column}")
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0008'")
    database.close()
    database.open()
    table = SessionTable(database)

    found = table.live()
    table.close()

    assert (replace(one, schemes=()),) == found
