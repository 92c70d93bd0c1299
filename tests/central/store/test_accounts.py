"""Who did what, by account, across a restart."""

from __future__ import annotations

import sqlalchemy as sa

from central.core import events as ev
from central.core.journal import KeptAct
from central.core.view import AddNote, Close, OnDuty, Person, StartDuty
from central.store.database import Database
from central.store.recalling import recall
from tests.support.central_town import ALL_RIGHTS, JONES, START, Town
from wire.kinds import AlertKind


def test_database_gives_back_who_acted_by_account_and_what_watchlink_did_itself(database: Database) -> None:
    town = Town()
    patel, jones = Person("pcso", "J Patel", 7), Person("cctv", "Ann Jones", 8)
    town.act(StartDuty(), patel)
    town.act(StartDuty(), jones)
    town.act(StartDuty(), Person("pcso", "Jas Shah", 7))
    town.press(7, AlertKind.TEST)
    town.later(200)
    town.press(8)
    town.act(AddNote("00000010-8", "on camera 4"), jones)
    town.act(StartDuty(is_sign=True), Person("pcso", "Jas Shah", 7))
    town.handle(ev.PeopleChanged(((7, ALL_RIGHTS),)))
    database.commit(town.disk)

    found = recall(database, START)

    assert tuple(entry for entry in town.disk if entry.incident is not None) == found.journal
    assert (OnDuty("pcso", "Jas Shah", START, 7, (1, 2), is_unread=True),) == town.board().on_duty == found.on_duty
    with database.reading() as connection:
        rows = connection.execute(sa.text("SELECT kind, actor, account, role, name FROM actions ORDER BY entry")).all()
    assert ("duty-ended", "watchlink", 8, "cctv", "Ann Jones") == tuple(rows[-1])
    assert {("acknowledged", "watchlink", 0), ("closed", "watchlink", 0)} <= {tuple(row)[:3] for row in rows}
    assert ("note", "person", 8) in {tuple(row)[:3] for row in rows}


def test_database_recalls_the_schemes_of_an_act_for_many(database: Database) -> None:
    acts = [
        KeptAct(7, Close("00000010-7", "Stolen"), Person("pcso", "J Patel", 7), 900, (1, 2)),
        KeptAct(8, Close("00000010-8", "Stolen"), JONES, 900, ()),
    ]
    database.keep_acts(acts)

    assert tuple(acts) == recall(database, START).acts
