"""A bare machine becomes central again, and no number runs backwards (C9)."""

from __future__ import annotations

import itertools
import os
import shutil
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from central.backup.cli import what_now
from central.backup.making import Made, back_up, enrolment_register
from central.backup.restoring import Restored, prove, restore
from central.core.journal import Recall
from central.core.restored import COUNTERS_MAX
from central.store.database import Database
from central.store.recalling import recall
from central.store.sessions import SessionTable
from runtime.backup_file import BackupError, new_identity
from tests.central.backup.conftest import SESSION, Kept
from tests.support.central_town import AUTHORITY, START, Town
from tests.support.killed_command import killed_until_through
from wire.fleet_files import REGISTER_COPY
from wire.signing import SigningKey

DAY = timedelta(days=1)


def put_back(kept: Kept, sealed: Path, *, may_set_aside: bool = False) -> Restored:
    return restore(kept.configuration, sealed, [kept.identity], START + DAY, may_set_aside=may_set_aside)


def counter_of(kept: Kept) -> int:
    """The next that central would sign with."""
    return kept.database.reserve_counters(1).start


def recalled(kept: Kept) -> Recall:
    kept.database.open()
    return recall(kept.database, START + DAY)


def test_bare_machine_is_central_again(kept: Kept) -> None:
    before = recall(kept.database, START + DAY)
    made = kept.back_up()
    kept.press(8)
    kept.lose()

    restored = put_back(kept, made.file)

    found = recalled(kept)
    assert before.journal == found.journal
    assert before.seen == found.seen
    assert (made.manifest, None, None) == (restored.manifest, restored.set_aside, restored.other_configuration)


def test_numbers_go_on_above_all_that_the_lost_central_may_have_used(kept: Kept) -> None:
    """Nodes have seen them. They say so when they are back (ADR 0015), but central speaks before that."""
    made = kept.back_up()
    for counter in range(8, 20):
        kept.press(counter)
    kept.database.reserve_counters(COUNTERS_MAX - 1)
    counter, entry = counter_of(kept), recall(kept.database, START).last_entry
    kept.lose()

    put_back(kept, made.file)

    found = recalled(kept)
    assert counter_of(kept) > counter
    assert found.last_entry > entry
    assert found.raised_entry >= entry


def test_alert_that_the_backup_lacks_is_taken_when_the_node_sends_it_again(kept: Kept) -> None:
    made = kept.back_up()
    kept.press(8)
    kept.lose()
    put_back(kept, made.file)

    town = Town(recalled(kept))
    town.press(8)
    kept.database.commit(town.disk)

    assert {7, 8} == {seen.id.counter for seen in recall(kept.database, START + DAY).seen}


def test_nobody_is_signed_in_or_on_duty_after_a_restore(kept: Kept) -> None:
    """They may have signed out or gone home since: neither comes back, and the record says why."""
    made = kept.back_up()
    kept.lose()

    restored = put_back(kept, made.file)

    found = recalled(kept)
    sessions = SessionTable(kept.database)
    (record,) = sessions.recent(START, frozenset(), frozenset({SESSION.account}))
    live = sessions.live()
    sessions.close()
    assert ((), ()) == (live, found.on_duty)
    assert (1, "restored", START + DAY) == (restored.signed_out, record.why, record.ended_at)


def test_nothing_is_overwritten(kept: Kept) -> None:
    made = kept.back_up()
    kept.press(8)
    kept.database.close()
    before = kept.file.read_bytes()

    with pytest.raises(BackupError, match=r"nothing is overwritten.*--set-aside"):
        put_back(kept, made.file)

    assert before == kept.file.read_bytes()


def test_state_that_was_there_is_set_aside_whole(kept: Kept) -> None:
    made = kept.back_up()
    kept.press(8)
    kept.database.close()

    aside = put_back(kept, made.file, may_set_aside=True).set_aside

    assert aside is not None
    old = Database(kept.database.url.set(database=str(aside / "central.db")))
    old.open()
    assert {7, 8} == {seen.id.counter for seen in recall(old, START).seen}
    old.close()
    assert {7} == {seen.id.counter for seen in recalled(kept).seen}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root restores for another user")
def test_root_sets_aside_for_centrals_user(kept: Kept) -> None:
    """Central's own nightly backup deletes it one day."""
    made = kept.back_up()
    kept.database.close()
    os.chown(kept.configuration.file.parent, 65_534, 65_534)

    aside = put_back(kept, made.file, may_set_aside=True).set_aside

    assert aside is not None
    assert (65_534, 0o40700) == (aside.stat().st_uid, aside.stat().st_mode)


def test_log_of_a_lost_database_does_not_get_into_the_restored_one(kept: Kept, tmp_path: Path) -> None:
    """SQLite would play it back into whatever file has the name."""
    made = kept.back_up()
    kept.press(8)
    log = kept.file.with_name("central.db-wal")
    shutil.copy(log, tmp_path)
    kept.lose()
    shutil.copy(tmp_path / log.name, log)

    with pytest.raises(BackupError, match="--set-aside"):
        put_back(kept, made.file)
    aside = put_back(kept, made.file, may_set_aside=True).set_aside

    assert aside is not None
    assert [log.name] == [path.name for path in aside.iterdir()]
    assert {7} == {seen.id.counter for seen in recalled(kept).seen}


def test_running_central_is_not_restored(kept: Kept) -> None:
    made = kept.back_up()

    with pytest.raises(BackupError, match="central is running: stop it first"):
        put_back(kept, made.file, may_set_aside=True)


def test_numbers_rise_with_every_restore(kept: Kept) -> None:
    made = kept.back_up()
    kept.database.close()
    put_back(kept, made.file, may_set_aside=True)
    kept.database.open()
    first = counter_of(kept)
    again = kept.back_up(1)
    kept.database.close()

    restore(kept.configuration, again.file, [kept.identity], START + 2 * DAY, may_set_aside=True)

    kept.database.open()
    assert counter_of(kept) > first + COUNTERS_MAX


def lives_of(kept: Kept, made: Made, *days: float, is_bare: bool) -> list[tuple[int, int, int, int]]:
    """Restore the same backup at each time, work on it, and lose it again.

    Returns:
        Of each life the first and last frame counter, and the first and last entry.
    """
    found = []
    for later in days:
        kept.lose() if is_bare else kept.database.close()
        at = START + DAY * later
        restore(kept.configuration, made.file, [kept.identity], at, may_set_aside=True)
        kept.database.open()
        first = counter_of(kept)
        last = kept.database.reserve_counters(1000).stop - 1
        town = Town(recall(kept.database, at))
        before = recall(kept.database, at).last_entry
        town.press(8)
        kept.database.commit(town.disk)
        found.append((first, last, before, recall(kept.database, at).last_entry))
    return found


def test_no_number_is_used_twice_however_often_one_backup_is_restored(kept: Kept) -> None:
    """A bare machine each time: nobody there knows of the lives before, and the backup is the same."""
    made = kept.back_up()

    lives = lives_of(kept, made, 1, 1.01, 2, is_bare=True)

    for (_, counter, _, entry), (next_counter, _, next_entry, _) in itertools.pairwise(lives):
        assert (True, True) == (next_counter > counter, next_entry > entry), lives


def test_no_number_is_used_twice_by_restores_at_once_on_the_same_machine(kept: Kept) -> None:
    """A thousand answers in a second: the state that is set aside knows of them."""
    made = kept.back_up()

    lives = lives_of(kept, made, 1, 1, 1, is_bare=False)

    for (_, counter, _, entry), (next_counter, _, next_entry, _) in itertools.pairwise(lives):
        assert (True, True) == (next_counter > counter, next_entry > entry), lives


def test_damaged_state_that_is_set_aside_is_no_hindrance(kept: Kept) -> None:
    made = kept.back_up()
    kept.database.close()
    kept.file.write_bytes(b"SQLite format 3\0" + b"x" * 4096)

    put_back(kept, made.file, may_set_aside=True)

    assert {7} == {seen.id.counter for seen in recalled(kept).seen}


def test_restore_by_a_clock_before_the_backup_is_refused(kept: Kept) -> None:
    """A bare machine whose clock is not set would use again what another such restore has used."""
    made = kept.back_up()
    kept.lose()

    with pytest.raises(BackupError, match=r"clock says 26 November 2026.*Set the clock first"):
        restore(kept.configuration, made.file, [kept.identity], START - 2 * DAY, may_set_aside=False)

    assert not kept.file.exists()


def test_backup_of_an_older_version_is_brought_up_to_date(kept: Kept) -> None:
    with kept.database._engine.begin() as connection:
        connection.exec_driver_sql("DROP INDEX sessions_by_begin")
        connection.exec_driver_sql("ALTER TABLE sessions DROP COLUMN schemes")
        connection.exec_driver_sql("ALTER TABLE nodes DROP COLUMN facts")
        connection.exec_driver_sql("ALTER TABLE actions DROP COLUMN details")
        connection.exec_driver_sql("DROP TABLE phones")
        for column in ("proof", "is_unread", "ended_entry"):
            connection.exec_driver_sql(f"ALTER TABLE duty DROP COLUMN {column}")
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0008'")
    made = kept.back_up()
    kept.lose()

    put_back(kept, made.file)

    assert "0008" == made.manifest.schema
    with sqlite3.connect(kept.file) as disk:
        assert [("0013",)] == disk.execute("SELECT version_num FROM alembic_version").fetchall()
    disk.close()
    assert {7} == {seen.id.counter for seen in recalled(kept).seen}


def test_backup_of_a_newer_schema_is_refused_with_what_to_do(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    with kept.database._engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with monkeypatch.context() as newer:
        newer.setattr("central.store.database.migrate", lambda _: None)
        made = kept.back_up()
    kept.lose()

    with pytest.raises(BackupError, match=r"newer version of central.*Install that version"):
        put_back(kept, made.file)
    assert not kept.file.exists()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"authority": AUTHORITY.public}, "another town"),
        ({"signing_key": SigningKey(b"x" * 32)}, "was not made by this town's central"),
    ],
)
def test_backup_that_is_not_ours_is_refused(kept: Kept, change: dict[str, Any], said: str) -> None:
    """Anybody can encrypt to a public key: a forged state must not become the truth."""
    made = kept.back_up()
    kept.lose()
    kept.configuration = msgspec.structs.replace(kept.configuration, **change)

    with pytest.raises(BackupError, match=said):
        put_back(kept, made.file)
    assert not kept.file.exists()


def test_wrong_key_is_told(kept: Kept) -> None:
    made = kept.back_up()
    kept.lose()
    kept.identity = new_identity()

    with pytest.raises(BackupError, match="Take the key whose public half stood under"):
        put_back(kept, made.file)


def test_snapshots_come_back_and_replace_none(kept: Kept) -> None:
    """Without them nobody could sign in before the office answers; a newer list is the better one."""
    snapshots = kept.configuration.kept_snapshots_dir
    snapshots.mkdir()
    old, other = (snapshots / f"{name}-7-{'0' * 64}.json" for name in ("people", "premises"))
    old.write_bytes(b"old")
    other.write_bytes(b"other")
    made = kept.back_up()
    kept.lose()
    other.unlink()
    old.write_bytes(b"here already")

    put_back(kept, made.file)

    assert (b"here already", b"other") == (old.read_bytes(), other.read_bytes())


def test_register_of_the_enrolment_service_lies_beside_for_its_own_command(kept: Kept) -> None:
    changed = kept.configuration.file.parent / "changed"
    changed.mkdir()
    kept.configuration = msgspec.structs.replace(
        kept.configuration, delegated_directory_file=changed / "directory.json"
    )
    assert None is enrolment_register(kept.configuration)
    (changed / REGISTER_COPY).write_bytes(b"{}")
    made = kept.back_up()
    kept.lose()

    restored = put_back(kept, made.file)

    assert restored.register is not None
    assert (b"{}", 0o600) == (restored.register.read_bytes(), restored.register.stat().st_mode & 0o777)
    (told,) = (line for line in what_now(restored, kept.configuration) if "register" in line)
    assert f"The enrolment service's register is in {restored.register}. If its machine was lost" in told


def test_configuration_in_use_stays_and_the_other_lies_beside_it(kept: Kept) -> None:
    made = kept.back_up()
    before = kept.configuration.file.read_bytes()
    kept.lose()
    kept.configuration.file.write_bytes(before + b"# changed\n")

    beside = put_back(kept, made.file).other_configuration

    assert beside is not None
    assert (before, before + b"# changed\n") == (beside.read_bytes(), kept.configuration.file.read_bytes())


def test_alerts_older_than_nodes_remember_are_called_lost(kept: Kept) -> None:
    made = kept.back_up()
    kept.lose()
    late = START + timedelta(days=3)

    restored = restore(kept.configuration, made.file, [kept.identity], late, may_set_aside=False)

    assert START + timedelta(days=1) == restored.lost_until


def test_proving_changes_nothing(kept: Kept) -> None:
    made = kept.back_up()
    before = {path: path.read_bytes() for path in kept.file.parent.iterdir()}

    assert made.manifest == prove(kept.configuration, made.file, [kept.identity], START)
    assert before == {path: path.read_bytes() for path in kept.file.parent.iterdir()}
    with pytest.raises(BackupError):
        prove(kept.configuration, made.file, [new_identity()], START)


@pytest.mark.one_python
def test_restore_killed_at_each_step_is_done_by_another(kept: Kept) -> None:
    """A power cut between two moves: what was there is not lost, and never half-mixed with the backup's."""
    snapshots = kept.configuration.kept_snapshots_dir
    snapshots.mkdir()
    (snapshots / f"people-7-{'0' * 64}.json").write_bytes(b"list")
    made = back_up(kept.configuration, kept.folder, datetime.now(UTC).replace(microsecond=0), "0.1.0")
    shutil.rmtree(snapshots)
    kept.press(8)
    keeps_the_log = sqlite3.connect(kept.file)
    keeps_the_log.execute("BEGIN")
    keeps_the_log.execute("SELECT 1 FROM frames").fetchall()
    kept.database.close()
    key = kept.folder / "key"
    key.write_text(str(kept.identity))
    config = kept.configuration.file
    words = ("--config", config, "--from", made.file, "--identity", key, "--set-aside")

    read = ("central.backup.cli",)
    steps = killed_until_through(("runtime.backup_workspace",), "central", "restore", *words, read=read)

    keeps_the_log.close()
    # Each run finds more done than the one before, so that it is more than one step ahead.
    assert steps >= 4
    assert {7} == {seen.id.counter for seen in recalled(kept).seen}
    assert ["list"] == [path.read_text() for path in snapshots.iterdir()]
    aside = kept.file.parent.glob("before-restore-*/central.db*")
    assert {"central.db", "central.db-wal"} <= {path.name for path in aside}
