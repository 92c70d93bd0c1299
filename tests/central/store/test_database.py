"""Central's memory on a real SQLite file: whole batches or nothing, and everything back at start (N2, C6)."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections import Counter
from datetime import date, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from msgspec.structs import replace
from sqlalchemy.schema import CreateIndex, CreateTable

from central.core import incidents
from central.core.incidents import EARLY_EACH_MAX
from central.core.journal import FrameEntry, KeptAct, KeptFigures, KeptNode, KeptPath, SeenFrame
from central.core.view import AddNote, Close, EndDuty, ReadHandover, SetOnTheWay, StartDuty
from central.store import recalling
from central.store.database import Database, resolve_url
from central.store.errors import StoreConfigError, StoreError
from central.store.recalling import recall, recall_open
from central.store.tables import METADATA
from tests.support.central_town import BAKERY, CORNER, CROWN, GATEWAY, JONES, PATEL, START, Town, radio_town
from wire.ids import U32_MAX, FrameId, NodeId
from wire.kinds import AlertKind, MemberResponse
from wire.kinds import Path as FramePath


def file_of(database: Database) -> Path:
    name = database._url.database
    assert name
    return Path(name)


def entries_of(town: Town) -> tuple[FrameEntry, ...]:
    return tuple(entry for entry in town.disk if isinstance(entry, FrameEntry))


@pytest.fixture
def night() -> Town:
    """Some hours of a Saturday: presses, an upgrade, a cancel, answers, actions, a close, a reopening."""
    town = Town()
    town.act(StartDuty(), JONES)
    town.act(StartDuty(), PATEL)
    town.press(7)
    town.press(8, AlertKind.ATTACK, incident=7)
    town.respond(BAKERY, 1, FrameId(CORNER, 7), MemberResponse.SEEN)
    town.cancel(9, 7)
    town.act(AddNote("00000010-7", "on camera 4 \u2013 na\u00efve \U0001f6a8"), JONES)
    town.act(Close("00000010-7", "mistake"), JONES)
    town.act(EndDuty(), PATEL)
    town.press(10, at_s=0)
    town.act(Close("00000010-10", "all well"), JONES)
    town.press(11, incident=10)
    town.cancel(20, 19)
    return town


def test_database_gives_back_by_what_somebody_went_on_duty_and_what_was_left_for_them(database: Database) -> None:
    town = Town()
    for one, proof in ((PATEL, "phone"), (JONES, "page")):
        town.act(StartDuty(proof), one)  # type: ignore[arg-type]
    town.act(EndDuty("Ring the Crown."), PATEL)
    town.act(StartDuty("phone"), PATEL)
    town.act(ReadHandover(), PATEL)
    database.commit(town.disk)

    found = recall(database, START)

    assert (town.board().on_duty, town.board().went_off) == (found.on_duty, found.went_off)
    assert [("page", True), ("phone", False)] == [(one.proof, one.is_unread) for one in found.on_duty]
    assert ["Ring the Crown."] == [one.note for one in found.went_off]
    assert () == recall(database, START + timedelta(days=8)).went_off


def test_database_gives_back_the_night_as_it_was(database: Database, night: Town) -> None:
    database.commit(night.disk)

    found = recall(database, START)

    journal = tuple(e for e in night.disk if e.incident is not None)
    assert journal == found.journal
    assert {(f.signed.frame.id, f.digest) for f in entries_of(night)} == {(s.id, s.digest) for s in found.seen}
    assert ((CORNER, 20), (BAKERY, 1)) == found.highest_counters
    assert (night.board().on_duty, night.disk[-1].entry) == (found.on_duty, found.last_entry)
    assert {c.incident: c for c in night.board().cards} == {c.incident: c for c in Town(found).board().cards}


def test_database_recalls_an_incident_closed_within_a_day_and_no_older_one(database: Database, night: Town) -> None:
    database.commit(night.disk)

    young = {e.incident for e in recall(database, START + timedelta(hours=23)).journal}
    old = {e.incident for e in recall(database, START + timedelta(hours=25)).journal}

    assert {FrameId(CORNER, 7), FrameId(CORNER, 10), FrameId(CORNER, 19)} == young
    assert {FrameId(CORNER, 10)} == old


@pytest.mark.finding(13)
def test_database_recalls_acts_that_are_not_at_their_end(database: Database) -> None:
    closing = KeptAct(7, Close("00000010-7", "Stolen – na\u00efve"), JONES, 900)
    coming = KeptAct(8, SetOnTheWay("00000010-7", "attack", PATEL), JONES, 901)
    database.keep_acts([closing])
    database.keep_acts([closing, coming])
    assert (closing, coming) == recall(database, START).acts

    database.keep_acts([])
    assert () == recall(database, START).acts


@pytest.mark.finding(13)
def test_act_of_another_version_does_not_keep_central_from_starting(database: Database) -> None:
    database.keep_acts([KeptAct(7, Close("00000010-7", "Stolen"), JONES, 900)])
    with sqlite3.connect(file_of(database)) as other:
        other.execute("UPDATE open_acts SET action = replace(action, 'close', 'foreclose')")
    other.close()

    assert () == recall(database, START).acts


def test_database_recalls_ids_of_ninety_days_and_counters_of_all_time(database: Database, night: Town) -> None:
    database.commit(night.disk)

    found = recall(database, START + timedelta(days=91))

    assert () == found.seen
    assert dict(found.highest_counters)[CORNER] == 20


def test_database_writes_everything_else_of_a_batch_that_holds_a_known_frame(database: Database, night: Town) -> None:
    first, second = entries_of(night)[:2]
    database.commit([first])

    again = replace(first, entry=900)
    known = database.commit([again, replace(second, entry=901)])

    assert (SeenFrame(first.signed.frame.id, first.digest, first.is_late),) == known
    assert 2 == len(recall(database, START).seen)


def test_database_writes_nothing_of_a_batch_that_fails(database: Database, night: Town) -> None:
    """A frame whose journal number is taken fails in the middle of the batch."""
    first, second, third = entries_of(night)[:3]
    database.commit([first])

    with pytest.raises(StoreError, match="another central"):
        database.commit([second, replace(third, entry=first.entry)])

    assert 1 == len(recall(database, START).seen)


@pytest.mark.parametrize("fault", ["full", "read-only", "locked"])
def test_database_refuses_with_a_sentence_and_recovers(database: Database, night: Town, fault: str) -> None:
    """The three ways a disk fails on a Saturday night."""
    first, second = entries_of(night)[:2]
    database.commit([first])
    other = sqlite3.connect(file_of(database), isolation_level=None)
    pragmas = {"full": ("max_page_count=1", "max_page_count=1000000"), "read-only": ("query_only=1", "query_only=0")}

    def break_it(number: int) -> None:
        if fault == "locked":
            other.execute(("BEGIN EXCLUSIVE", "ROLLBACK")[number])
        else:
            with database._engine.connect() as connection:
                connection.exec_driver_sql(f"PRAGMA {pragmas[fault][number]}")

    break_it(0)
    words = {"full": "full", "read-only": "readonly", "locked": "locked"}[fault]
    # Larger than what is left of any page, so that a full disk shows.
    large = replace(second, entry=100, signed=replace(second.signed, data=b"x" * 9_000))
    with pytest.raises(StoreError, match=words):
        database.commit([large])
    break_it(1)

    assert () == database.commit([second])
    database.probe()
    assert 2 == len(recall(database, START).seen)
    other.close()


def test_database_never_gives_a_counter_twice(database: Database) -> None:
    first, second = database.reserve_counters(10), database.reserve_counters(10)
    database.close()
    again = Database(database._url)
    again.open()

    assert (range(1, 11), range(11, 21), range(21, 31)) == (first, second, again.reserve_counters(10))
    again.close()


def test_database_says_when_central_has_no_counters_left(database: Database) -> None:
    database.reserve_counters(U32_MAX - 5)

    with pytest.raises(StoreError, match="used up"):
        database.reserve_counters(10)


def test_database_keeps_nodes_and_the_newest_directory(database: Database) -> None:
    database.keep_nodes([KeptNode(NodeId(U32_MAX), START, "n1")])
    database.keep_nodes([KeptNode(NodeId(U32_MAX), START + timedelta(seconds=5), "n2")])
    database.keep_directory(3, b"three", START)
    database.keep_directory(4, b"four", START)

    assert (KeptNode(NodeId(U32_MAX), START + timedelta(seconds=5), "n2"),) == recall(database, START).nodes
    assert b"four" == database.kept_directory()


def test_database_survives_a_kill_at_once_after_the_commit(tmp_path: Path) -> None:
    """N2 at central: what was committed is there after kill -9, without a clean close."""
    program = """
import os, sys
from pathlib import Path
from central.store.database import Database, resolve_url
from tests.support.central_town import Town
town = Town()
town.press(7)
database = Database(resolve_url("sqlite:///central.db", Path(sys.argv[1])))
database.open()
database.commit(town.disk)
os.kill(os.getpid(), 9)
"""
    ended = subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=False, cwd=Path.cwd())

    again = Database(resolve_url("sqlite:///central.db", tmp_path))
    again.open()
    assert -9 == ended.returncode
    assert [FrameId(CORNER, 7)] == [seen.id for seen in recall(again, START).seen]
    again.close()


def test_database_writes_through_to_the_disk(database: Database) -> None:
    with database.reading() as connection:
        modes = [connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in ("journal_mode", "synchronous")]

    assert ["wal", 2] == modes


def test_database_lets_one_central_in_only(database: Database) -> None:
    other = Database(database._url)

    with pytest.raises(StoreError, match="another central"):
        other.open()


@pytest.mark.finding(4)
def test_database_of_a_newer_program_is_refused(database: Database) -> None:
    with database._engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    database.close()

    with pytest.raises(StoreConfigError, match=r"newer version .* Install that version again, or restore the copy"):
        Database(database._url).open()


def test_database_that_is_damaged_says_so(database: Database, night: Town) -> None:
    database.commit(night.disk)
    with database._engine.begin() as connection:
        connection.exec_driver_sql("UPDATE frames SET data = X'00' WHERE counter = 7")

    with pytest.raises(StoreError, match="frame 00000010-7"):
        recall(database, START)


def test_migrations_make_what_the_queries_expect(database: Database) -> None:
    with database.reading() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), METADATA)

    assert [] == differences


def test_tables_are_good_postgresql() -> None:
    """C6: every type and index compiles for PostgreSQL."""
    dialect = sa.make_url("postgresql://").get_dialect()()
    made = [str(CreateTable(table).compile(dialect=dialect)) for table in METADATA.sorted_tables]
    made += [str(CreateIndex(index).compile(dialect=dialect)) for t in METADATA.sorted_tables for index in t.indexes]

    assert sum("BIGINT" in text for text in made) == 14
    assert all("AUTOINCREMENT" not in text for text in made)


@pytest.mark.parametrize(
    "text", ["", "nonsense", "mysql:///x", "sqlite://", "sqlite:///:memory:", "sqlite:///x.db?mode=ro"]
)
def test_url_that_cannot_work_is_refused(text: str, tmp_path: Path) -> None:
    with pytest.raises(StoreConfigError):
        resolve_url(text, tmp_path)


def test_url_is_relative_to_its_folder(tmp_path: Path) -> None:
    assert str(tmp_path / "state/central.db") == resolve_url("sqlite:///state/central.db", tmp_path).database
    assert "/var/c.db" == resolve_url("sqlite:////var/c.db", tmp_path).database
    assert sa.URL.create("postgresql", database="x") == resolve_url("postgresql:///x", tmp_path)


def test_database_gives_back_through_whom_a_frame_came_and_who_was_heard(database: Database) -> None:
    """N11: a restart forgets neither who has a radio nor who pressed *test*."""
    town = radio_town()
    town.hear(town.alert(), BAKERY)
    town.later(5)
    town.hear(town.alert(8), GATEWAY)
    town.press(3, AlertKind.TEST, node=CROWN)
    town.press(1, AlertKind.ASSIST, node=BAKERY)
    database.commit(town.disk)

    found = recall(database, town.now_at)

    assert [BAKERY, GATEWAY, None] == [e.relay for e in found.journal if isinstance(e, FrameEntry)][:3]
    at = START + timedelta(seconds=5)
    assert {KeptPath(CORNER, at, GATEWAY), KeptPath(CROWN, weekly_test_at=at)} == set(found.paths)
    assert () == recall(database, town.now_at + timedelta(days=61)).paths


def test_database_keeps_figures_by_day_and_recalls_two_months(database: Database) -> None:
    today = KeptFigures(START.date(), CORNER, FramePath.NETWORK, 600, 599, 3, 1, (2, 1, 0))
    older = replace(today, day=date(2026, 10, 1), path=FramePath.RADIO)
    database.keep_figures([replace(today, frames=1), older, replace(today, day=date(2026, 9, 30))])
    database.keep_figures([today])

    assert {today, older} == set(recall(database, START).figures)


def test_migration_of_a_database_of_the_first_release_keeps_its_frames(tmp_path: Path, night: Town) -> None:
    """Frames from before the radio have no relay."""
    database = Database(resolve_url("sqlite:///central.db", tmp_path))
    database.open()
    database.commit(night.disk)
    with database._engine.begin() as connection:
        connection.exec_driver_sql("UPDATE actions SET kind = replace(kind, 'duty-', 'watch-')")
        added = (("actions", "actor"), ("actions", "account"), ("actions", "details"))
        duty = (("duty", name) for name in ("account", "schemes", "proof", "is_unread", "ended_entry"))
        for table, column in (*added, *duty):
            connection.exec_driver_sql(f"ALTER TABLE {table} DROP COLUMN {column}")
        connection.exec_driver_sql("ALTER TABLE duty RENAME TO watch")
        for column in ("speaks", "facts"):
            connection.exec_driver_sql(f"ALTER TABLE nodes DROP COLUMN {column}")
        connection.exec_driver_sql("DROP TABLE open_acts")
        connection.exec_driver_sql("DROP TABLE times")
        for table in ("sessions", "used_once", "office_head", "phones"):
            connection.exec_driver_sql(f"DROP TABLE {table}")
        connection.exec_driver_sql("DROP TABLE path_days")
        connection.exec_driver_sql("ALTER TABLE frames DROP COLUMN relay")
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0001'")
    database.close()

    again = Database(resolve_url("sqlite:///central.db", tmp_path))
    again.open()
    found = recall(again, START)
    again.close()

    assert tuple(e for e in night.disk if e.incident is not None) == found.journal
    assert [(JONES, ())] == [(one.person, one.schemes) for one in found.on_duty]


@pytest.mark.finding(17)
def test_start_after_a_flood_reads_no_more_than_is_kept(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (recalling, incidents):
        for bound in ("OPEN_EACH_MAX", "CLOSED_EACH_MAX"):
            monkeypatch.setattr(module, bound, 10, raising=False)
    monkeypatch.setattr(recalling, "SEEN_EACH_MAX", 20, raising=False)
    town = Town()
    town.press(7, node=BAKERY)
    for counter in range(100, 200):
        town.press(counter, AlertKind.ATTACK)
    for counter in range(200, 300):
        town.cancel(counter, counter - 190)
    database.commit(town.disk)

    found = recall(database, START)
    flood = [entry for entry in found.journal if entry.incident and entry.incident.node == CORNER]
    assert 10 + EARLY_EACH_MAX == len(flood)
    assert 22 == len(found.seen)
    assert 199 == max(entry.incident.counter for entry in flood if entry.incident)
    cards = {card.incident: card.stands_for for card in Town(found).board().cards}
    assert {"00000011-7": 1, "00000010-199": 100} == cards


@pytest.mark.finding(13)
def test_start_after_a_flood_reads_the_attack_among_what_is_less(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (recalling, incidents):
        monkeypatch.setattr(module, "OPEN_EACH_MAX", 10, raising=False)
    monkeypatch.setattr(recalling, "RECALLED_AT_ONCE", 3)
    town = Town()
    town.press(6, AlertKind.SIGHTING)
    town.press(7, AlertKind.ATTACK)
    town.press(8, AlertKind.SIGHTING)
    town.press(9, AlertKind.ASSIST, incident=8)
    for counter in range(100, 130):
        town.press(counter, AlertKind.CALL_REQUEST)
    database.commit(town.disk)

    (card,) = Town(recall(database, START)).board().cards
    assert ("00000010-7", "attack", 33) == (card.incident, card.kind, card.stands_for)
    journal, _ = recall_open(database, CORNER, frozenset())
    assert {7, 8, 129} == {entry.incident.counter for entry in journal if entry.incident}


@pytest.mark.finding(17)
def test_start_after_a_press_was_repeated_for_hours_reads_some_of_it(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stolen unit that repeats itself must not keep central from starting, nor bury its attack."""
    monkeypatch.setattr(recalling, "FRAMES_EACH_MAX", 5, raising=False)
    town = Town()
    town.press(3, node=BAKERY)
    town.press(7, AlertKind.ASSIST)
    town.press(8, AlertKind.ATTACK, incident=7)
    town.act(AddNote("00000010-7", "on camera"))
    for counter in range(100, 130):
        town.press(counter, AlertKind.ASSIST, incident=7)
    for counter in range(200, 210):
        town.respond(BAKERY, counter, FrameId(CORNER, 7), MemberResponse.SEEN)
    database.commit(town.disk)

    found = recall(database, START)
    frames = [
        entry.signed.frame.id.counter
        for entry in found.journal
        if isinstance(entry, FrameEntry) and entry.incident and entry.incident.counter == 7
    ]
    assert [7, 8, *range(125, 130), *range(205, 210)] == frames
    cards = {card.incident: (card.kind, card.alert_count) for card in Town(found).board().cards}
    assert {"00000011-3": ("assist", 1), "00000010-7": ("attack", 7)} == cards


@pytest.mark.finding(17)
def test_open_alerts_come_back_from_disk_some_at_a_time(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recalling, "RECALLED_AT_ONCE", 3)
    town = Town()
    for counter in range(100, 110):
        town.press(counter, AlertKind.ATTACK)
    town.act(AddNote("00000010-104", "on camera"))
    town.act(Close("00000010-105", "mistake"))
    database.commit(town.disk)

    found, is_all = recall_open(database, CORNER, frozenset({106, 107, 108, 109}))
    assert not is_all
    assert [(102, 1), (103, 1), (104, 2)] == sorted(Counter(e.incident.counter for e in found if e.incident).items())
    assert [entry.entry for entry in found] == sorted(entry.entry for entry in found)
    found, is_all = recall_open(database, CORNER, frozenset(range(101, 110)))
    assert is_all
    assert [100] == [entry.incident.counter for entry in found if entry.incident]
    assert ((), True) == recall_open(database, BAKERY, frozenset())
