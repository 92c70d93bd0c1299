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

    found = table.recent(START, frozenset({1, 2}))
    table.close()

    seconds = [(one.session.account, (one.session.began_at - START).seconds) for one in found]
    assert [(2, 5), (2, 4), (2, 3), (1, 0)] == seconds
